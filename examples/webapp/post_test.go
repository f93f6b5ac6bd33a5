package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// TestMailbox finds the messages about changes, and refuses other machines.
func TestMailbox(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, shown)
	b := s.member(email)
	phone, _ := b.enable()
	b.get("/messages")
	b.sees("E-mail to alice@example.com", "Two-factor authentication was turned on.", "If it was not you, change your password")
	b.get("/security/disable")
	b.step(phone.next())
	b.submit("/security/disable")
	b.get("/messages")
	b.sees("Two-factor authentication was turned off.", "your password alone signs you in", "The request came from “Firefox (Linux), 127.0.0.1”.")
	b.get("/security/")
	b.sees(`<span class="hint">Firefox (Linux), 127.0.0.1</span>`)

	// An event can be delivered again. Its message is sent once.
	before := len(s.app.mailbox.List())
	e := enrollment.Event{ID: "1", UserID: s.idOf(email), Kind: enrollment.EventEnabled}
	for range 2 {
		if err := s.app.notify(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.app.mailbox.List()); got != before+1 {
		t.Errorf("%d messages of one event", got-before)
	}
	e.ID, e.UserID = "2", "nobody"
	if err := s.app.notify(t.Context(), e); err != nil {
		t.Errorf("an event of somebody who is gone: %v", err)
	}
	for range demo.MaxLetters {
		s.app.mailbox.Put(t.Context(), demo.Letter{To: email})
	}
	if got := len(s.app.mailbox.List()); got != demo.MaxLetters {
		t.Errorf("keeps %d letters", got)
	}

	// Another site's name that points to this address reads nothing.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	b.load(request)
	if b.page.status != http.StatusNotFound {
		t.Errorf("by another name: status %d", b.page.status)
	}
	b.lacks("href=\"/messages\"")
	s.app.config.demo = nil
	b.get("/messages")
	if b.page.status != http.StatusNotFound {
		t.Errorf("switched off: status %d", b.page.status)
	}
}

const (
	number     = "+4915123456789"
	typedAs    = "+49 (0151) 2345-6789"
	otherPhone = "+43 664 1234567"
)

// TestPhone adds a phone number to an account with an app.
func TestPhone(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	b.get("/security/")
	b.lacks("phone number", "Use text messages")
	app, codes := b.enable()
	b.get("/security/")
	b.follow("Add a phone number")
	b.step(app.next())
	for _, bad := range []string{"0151 23456789", "abc", "+49 1", "+999 12345678", "+49 1234", ""} {
		b.submit("/security/address", "to", bad)
		b.denied("That is not a phone number that we can send to.")
	}
	b.submit("/security/address", "to", "0151 23456789", "country", "DE")
	b.at("/security/address/code")
	first := s.sentCode(number)
	if text := s.received(number, "Your code is").Text; !strings.HasSuffix(text, "\n\n@example.com #"+first) {
		t.Errorf("the message is not bound to the site: %q", text)
	}
	b.submit("/security/address/code", "code", wrongFor(first))
	b.denied("not the code in our last message")
	b.submit("/security/address/code", "code", first)
	b.at("/security/")
	b.sees("Text messages to …89", "Codes can now be sent to you by text message.")
	b.lacks(number)
	b.signOut()

	// The sign-in offers both.
	b.signIn(email)
	b.sees("Text me a code")
	s.clock.advance(time.Minute)
	b.submit("/security/sign-in/text")
	b.at("/security/sign-in?with=text")
	b.sees("…89", "Code from the message")
	sent := s.sentCode(number)
	b.code(wrongFor(sent))
	b.denied("not the code in our last message")
	b.submit("/security/sign-in/text")
	b.sees("The code that we have sent you is still good.", "Code from the message")
	b.code(sent)
	b.at("/")
	b.get("/security/")
	b.sees("(text message)", "last used")

	// A delivered code can't change settings.
	s.clock.advance(time.Hour)
	b.get("/security/address")
	b.askedForCode()
	b.lacks("Text me a code")
	b.submit("/security/step", "code", app.wrong())
	b.denied("That code is wrong.")
	b.signOutNow()

	// An app code works as well after a message was sent.
	b.signIn(email)
	b.submit("/security/sign-in/text")
	b.follow("Use the app")
	b.code(app.next())
	b.at("/")

	// A code before something sensitive comes by message too.
	s.clock.advance(time.Hour)
	b.get("/data")
	b.submit("/security/step/text")
	b.submit("/security/step", "code", s.sentCode(number))
	b.at("/data")

	b.get("/security/address/remove")
	b.step(codes[0])
	b.submit("/security/address/remove")
	b.sees("The address is removed.")
	s.clock.advance(time.Minute) // a message was sent a moment ago
	b.get("/security/")
	b.sees("Add a phone number")

	for _, code := range []string{first, sent} {
		if digitsIn(s.log.String(), code) {
			t.Errorf("the log holds the code %s", code)
		}
	}
}

// wrongFor returns six digits other than the code.
func wrongFor(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

// TestMessagesAlone sets up a phone number without an app.
func TestMessagesAlone(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast, func(c *config) { c.AddressAlone = true })
	admin, adminPhone := s.admin()
	s.clock.advance(time.Minute)
	s.mandate(admin, adminPhone, "0")
	b := s.browser()
	b.get("/sign-up")
	b.submit("/sign-up", "email", email, "password", password)
	b.at("/security/setup/begin")
	b.follow("Use text messages instead")
	b.submit("/security/address", "to", typedAs)
	b.submit("/security/address/code", "code", s.sentCode(number))
	codes := b.saved()
	b.get("/security/")
	b.at("/security/") // a delivered code signs in
	b.lacks("authenticator app, added")
	b.signOut()

	s.clock.advance(time.Minute)
	b.signIn(email)
	b.submit("/security/sign-in/text")
	b.code(s.sentCode(number))
	b.at("/")
	b.signOut()
	b.signIn(email)
	b.code(codes[0])
	b.at("/")

	// A code of the message before something sensitive; settings take a recovery code.
	s.clock.advance(time.Hour)
	b.get("/data")
	b.submit("/security/step/text")
	b.submit("/security/step", "code", s.sentCode(number))
	b.at("/data")
	b.get("/security/codes/new")
	b.step(codes[1])
	b.submit("/security/codes/new")
	b.saved()

	// By default, an authenticator must be set up first.
	s.config.AddressAlone = false
	s.restart()
	bob := s.browser()
	bob.get("/sign-up")
	bob.submit("/sign-up", "email", "bob@example.com", "password", password)
	bob.at("/security/setup/begin")
	bob.lacks("Use text messages instead")
	bob.post("/security/address", url.Values{"to": {otherPhone}})
	bob.at("/security/setup/begin")
	bob.post("/security/address/code", url.Values{"code": {"000000"}})
	bob.lacks("recovery-codes")
}

// Mails are in the language that the user's browser asked for at the last sign-in.
func TestLanguageOfMails(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.browser()
	b.language = "de-CH, en;q=0.5"
	b.signUp(email)
	b.signIn(email)
	b.get("/security/setup/begin")
	b.sees(`<html lang="de">`)
	b.submit("/security/setup/begin")
	b.get("/forgot")
	b.submit("/forgot", "email", email)
	s.received(email, "Link für ein neues Passwort")
	b.language = "fr"
	b.signIn(email)
	b.get("/forgot")
	b.submit("/forgot", "email", email)
	s.received(email, "link to change your password")
}
