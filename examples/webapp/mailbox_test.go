package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// TestMailbox finds the messages about changes, and refuses other machines.
func TestMailbox(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	phone, _ := b.enable()
	b.get("/messages")
	b.sees("E-mail to alice@example.com", "Two-factor authentication was turned on.", "If it was not you, change your password")
	b.get("/security/disable")
	b.submit("/security/disable", "code", phone.next())
	b.get("/messages")
	b.sees("Two-factor authentication was turned off.", "your password alone signs you in", "The request came from “Browser on another system, 127.0.0.1”.")
	b.get("/security")
	b.sees(", Browser on another system, 127.0.0.1</span>")

	// An event can be delivered again. Its message is sent once.
	before := len(s.app.mailbox.list())
	e := enrollment.Event{ID: "1", UserID: s.idOf(email), Kind: enrollment.EventEnabled}
	for range 2 {
		if err := s.app.notify(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.app.mailbox.list()); got != before+1 {
		t.Errorf("%d messages of one event", got-before)
	}
	e.ID, e.UserID = "2", "nobody"
	if err := s.app.notify(t.Context(), e); err != nil {
		t.Errorf("an event of somebody who is gone: %v", err)
	}
	for range maxLetters {
		s.app.mailbox.put(t.Context(), letter{To: email})
	}
	if got := len(s.app.mailbox.list()); got != maxLetters {
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
	s.app.config.mailbox = false
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
	b.get("/security")
	b.lacks("phone number", "Use text messages")
	app, codes := b.enable()
	b.get("/security")
	b.follow("Add a phone number")
	for _, bad := range []string{"0151 23456789", "abc", "+49 1", "+999 12345678", "+49 1234", ""} {
		b.submit("/security/phone", "number", bad)
		if b.page.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: status %d", bad, b.page.status)
		}
		b.sees("That is not a valid phone number.")
	}
	b.submit("/security/phone", "number", typedAs) // the receipt of the setup is the proof
	b.at("/security/phone/code")
	first := s.sentCode(number)
	b.submit("/security/phone/code", "code", wrongFor(first))
	b.denied(http.StatusUnprocessableEntity, "not the code in our last message")
	b.submit("/security/phone/code", "code", first)
	b.at("/security")
	b.sees("Text messages to …89", "Codes can now be sent to you by text message.", "Your recovery codes have not changed.")
	b.lacks(number)
	b.signOut()

	// The sign-in offers both.
	b.signIn(email)
	b.sees("Text me a code")
	s.clock.advance(time.Minute)
	b.submit("/sign-in/code/send")
	b.at("/sign-in/code?with=message")
	b.sees("We sent a code to the number ending in …89", "Code from the text message")
	sent := s.sentCode(number)
	b.submit("/sign-in/code", "code", wrongFor(sent))
	b.denied(http.StatusUnprocessableEntity, "not the code in our last message")
	b.submit("/sign-in/code/send")
	b.sees("We have just sent a message, and it may be on its way. You can ask for another one in 1 minute.", "Code from the text message")
	b.submit("/sign-in/code", "code", sent)
	b.at("/")
	b.get("/security")
	b.sees("(text message)", "last used")

	// A delivered code can't change settings.
	s.clock.advance(time.Minute)
	b.get("/security/phone")
	b.submit("/security/phone", "number", otherPhone)
	b.at("/security/phone")
	b.sees("Code from your authenticator app")
	b.submit("/security/phone", "number", otherPhone, "code", app.wrong())
	b.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	b.get("/")
	b.signOut()

	// An app code works in the same field, also after a message was sent.
	s.clock.advance(time.Minute)
	b.signIn(email)
	b.submit("/sign-in/code/send")
	b.follow("Use a code from your app")
	b.submit("/sign-in/code", "code", app.next())
	b.at("/")
	b.get("/security/phone/remove")
	b.submit("/security/phone/remove", "code", codes[0])
	b.sees("Phone number removed.", "Add a phone number")

	for _, code := range []string{first, sent} {
		if digitsIn(s.log.String(), code) {
			t.Errorf("the log holds the code %s", code)
		}
	}
	b.get("/messages")
	b.sees("Text message to "+number, "Your code is "+sent)
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
	s := newSite(t, fast, func(c *config) { c.messagesAlone = true })
	admin, adminPhone := s.admin()
	s.clock.advance(time.Minute)
	s.mandate(admin, adminPhone, "0")
	b := s.browser()
	b.get("/sign-up")
	b.submit("/sign-up", "email", email, "password", password)
	b.at("/security/begin")
	b.follow("Use text messages instead")
	b.submit("/security/phone", "number", typedAs)
	b.submit("/security/phone/code", "code", s.sentCode(number))
	b.sees("you sign in with your password and a code that we text you")
	codes := b.codes()
	b.get("/security")
	b.at("/security") // a delivered code signs in
	b.signOut()

	s.clock.advance(time.Minute)
	b.signIn(email)
	b.lacks("authenticator app", "your app", `name="code"`)
	b.submit("/sign-in/code/send")
	b.submit("/sign-in/code", "code", s.sentCode(number))
	b.at("/")
	b.signOut()
	b.signIn(email)
	b.follow("Use a recovery code")
	b.submit("/sign-in/code", "code", codes[0])
	b.at("/security")

	// By default, an authenticator must be set up first.
	s.config.messagesAlone = false
	s.restart()
	bob := s.browser()
	bob.get("/sign-up")
	bob.submit("/sign-up", "email", "bob@example.com", "password", password)
	bob.lacks("Use text messages instead")
	bob.get("/security/phone")
	bob.submit("/security/phone", "number", otherPhone)
	if bob.page.status != http.StatusUnprocessableEntity {
		t.Errorf("a phone alone: status %d", bob.page.status)
	}
	bob.sees("Set up an authenticator app first.")
	bob.post("/security/phone/code", url.Values{"code": {"000000"}})
	bob.at("/security/begin")
}

// Only this machine can open the mailbox.
func TestMailboxIsLocal(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		from, host, header string
		want               bool
	}{
		{"127.0.0.1:1234", "localhost:8080", "", true},
		{"[::1]:1234", "[::1]:8080", "", true},
		{"192.0.2.7:1234", "localhost:8080", "", false},
		{"127.0.0.1:1234", "rebound.example:8080", "", false},
		{"127.0.0.1:1234", "localhost:8080", "X-Forwarded-For", false},
		{"127.0.0.1:1234", "localhost:8080", "Forwarded", false},
	} {
		r := httptest.NewRequest("GET", "/messages", nil)
		r.RemoteAddr, r.Host = x.from, x.host
		if x.header != "" {
			r.Header.Set(x.header, "192.0.2.7")
		}
		if got := isLocal(r); got != x.want {
			t.Errorf("%+v is local: %t", x, got)
		}
	}
}
