package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const newPassword = "battery staple horse"

// forgot asks for a link and returns it.
func (b *browser) forgot(email string) string {
	b.t.Helper()
	b.get("/forgot")
	b.submit("/forgot", "email", email)
	b.at("/sign-in")
	return b.site.received(cleanEmail(email), "link to change your password").Link
}

// TestPasswordReset needs the second factor before it accepts a new password.
func TestPasswordReset(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	phone, codes := owner.enable()
	b := s.browser()
	link := b.forgot(" Alice@example.com")
	b.get(link)
	b.at("/forgot/code")
	b.sees("Anyone who can read your e-mail can open that link.")

	// The form alone and a code for signing in are not enough.
	b.post("/forgot/password", url.Values{"password": {newPassword}})
	b.at("/forgot/code")
	b.submit("/forgot/code", "code", phone.wrong())
	b.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	b.post("/sign-in/code", url.Values{"code": {phone.next()}})
	b.at("/sign-in")
	b.sees("That did not work. Please sign in again.")
	b.get("/forgot/code")
	b.at("/forgot") // the challenge is gone
	b.get(link)
	before := b.cookies()[0].Value
	b.submit("/forgot/code", "code", phone.next())
	b.at("/forgot/password")
	if b.cookies()[0].Value == before {
		t.Error("the session has the same token with more rights")
	}
	b.get("/security")
	b.at("/sign-in") // the link signs no one in
	b.get("/forgot/password")
	form := b.page
	b.submit("/forgot/password", "password", "short")
	b.sees("Use at least 8 characters")
	b.submit("/forgot/password", "password", newPassword)
	b.at("/sign-in")
	b.sees("Password changed.")
	s.received(email, "Your password was changed.")

	// The link, the form and the old password no longer work, and the sessions have
	// ended.
	b.page = form
	b.submit("/forgot/password", "password", password)
	b.at("/forgot")
	b.sees("That link is no longer valid.")
	b.get(link)
	b.at("/forgot")
	owner.get("/security")
	owner.at("/sign-in")
	owner.signIn(email)
	owner.sees("Wrong e-mail address or password.")
	owner.submit("/sign-in", "email", email, "password", newPassword)
	owner.at("/sign-in/code")

	// A recovery code works too. After ten minutes, a code is needed again.
	link = b.forgot(email)
	b.get(link)
	b.follow("Use a recovery code")
	b.submit("/forgot/code", "code", codes[0])
	b.at("/forgot/password")
	form = b.page
	s.clock.advance(11 * time.Minute)
	b.page = form
	b.submit("/forgot/password", "password", password)
	b.at("/forgot/code")

	// The link expires.
	s.clock.advance(20 * time.Minute)
	b.get(link)
	b.at("/forgot")
}

// TestPasswordResetAlone checks that the link is enough without a second factor.
func TestPasswordResetAlone(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	b := s.browser()
	link := b.forgot(email)
	other := b.forgot(email)
	b.get(link)
	b.at("/forgot/password")

	// A code is needed as soon as the user has a second factor.
	phone, _ := owner.enable()
	b.submit("/forgot/password", "password", newPassword)
	b.at("/forgot/code")
	b.submit("/forgot/code", "code", phone.next())
	b.submit("/forgot/password", "password", newPassword)
	b.at("/sign-in")
	b.get(other) // one used link ends all others
	b.at("/forgot")
}

// TestPasswordResetByPhone sends the code over another channel than the link.
func TestPasswordResetByPhone(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	owner.enable()
	owner.get("/security/phone")
	owner.submit("/security/phone", "number", typedAs)
	owner.submit("/security/phone/code", "code", s.sentCode(number))
	s.clock.advance(time.Minute)
	b := s.browser()
	b.get(b.forgot(email))
	b.submit("/forgot/code/send")
	b.at("/forgot/code?with=message")
	b.submit("/forgot/code", "code", s.sentCode(number))
	b.submit("/forgot/password", "password", newPassword)
	b.at("/sign-in")
}

// TestForgotTellsNothing checks that known and unknown addresses get the same answer.
func TestForgotTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	alice := s.member("alice@example.com")
	b := s.browser()
	var pages []string
	for _, email := range []string{"alice@example.com", "nobody@example.com", "", "x"} {
		b.get("/forgot")
		b.submit("/forgot", "email", email)
		pages = append(pages, b.page.body)
	}
	for _, page := range pages[1:] {
		if page != pages[0] {
			t.Errorf("the page differs:\n%s", page)
		}
	}
	if n := len(s.app.mailbox.list()); n != 1 {
		t.Errorf("%d messages, want one to the user there is", n)
	}

	// A link of no user, an invalid link, and a hash from a stolen database.
	nobody, err := s.app.links.add(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.app.links.add(t.Context(), s.idOf("alice@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"nobody's": nobody, "none": "x", "empty": "", "a hash": hashLink(token)} {
		b.get("/forgot/link?" + url.Values{"token": {token}}.Encode())
		if b.page.path != "/forgot" {
			t.Errorf("the link that is %s leads to %s", name, b.page.path)
		}
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the log holds a link")
	}
	alice.get("/messages")
	link := s.received("alice@example.com", "link to change").Link
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/forgot/link?token=")) {
		t.Error("the log holds a link")
	}

	// A link does not give its rights to a session token that was planted before.
	b.get("/forgot")
	b.submit("/forgot", "email", "nobody@example.com")
	planted := b.cookies()[0].Value
	b.get(b.forgot("alice@example.com"))
	if b.cookies()[0].Value == planted {
		t.Error("the link gives its right to a token that was there before")
	}

	// The receipt of one user is not valid for the link of another.
	mallory := s.member("mallory@example.com")
	phone, _ := mallory.enable()
	alice.enable()
	mallory.get(mallory.forgot("mallory@example.com"))
	answered := mallory.page
	mallory.submit("/forgot/code", "code", phone.next())
	mallory.at("/forgot/password")
	mallory.get(link)
	mallory.at("/forgot/code")
	mallory.get("/forgot/password")
	mallory.at("/forgot/code")
	mallory.get(mallory.forgot("mallory@example.com"))
	mallory.get(link) // in another tab
	mallory.page = answered
	mallory.submit("/forgot/code", "code", phone.next())
	mallory.get("/forgot/password")
	mallory.at("/forgot/code")
}

// TestChangePassword needs a code and the old password.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	b.get("/security/password")
	b.submit("/security/password", "old", password+"?", "password", newPassword)
	b.sees("Wrong password.")
	b.submit("/security/password", "old", password, "password", "short")
	b.sees("Use at least 8 characters")
	b.submit("/security/password", "old", password, "password", newPassword)
	b.sees("Password changed.")

	phone, _ := b.enable()
	other := s.browser()
	other.get("/sign-in")
	other.submit("/sign-in", "email", email, "password", newPassword)
	other.submit("/sign-in/code", "code", phone.next())
	b.get("/security")
	b.follow("Change your password")
	b.sees("Confirm it’s you")
	b.post("/security/password", url.Values{"old": {newPassword}, "password": {password}})
	b.at("/security/password")
	b.sees("Confirm it’s you")
	b.submit("/security/password/code", "code", phone.next())
	b.at("/security/password")

	// A code for this does not open the page of data, nor the reverse.
	b.get("/data")
	b.sees("Confirm it’s you")
	b.get("/security/password")
	s.clock.advance(6 * time.Minute)
	b.submit("/security/password", "old", newPassword, "password", password)
	b.sees("Confirm it’s you")
	b.submit("/security/password/code", "code", phone.next())
	b.submit("/security/password", "old", newPassword, "password", password)
	b.at("/security")
	other.get("/security")
	other.at("/sign-in")
}

// TestLost asks for resets. The owner cancels them in both ways.
func TestLost(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	phone, _ := owner.enable()
	owner.get("/security")

	b := s.browser()
	b.get("/sign-in/lost")
	b.at("/sign-in") // the password comes first
	b.post("/sign-in/lost", nil)
	b.at("/sign-in")
	b.signIn(email)
	b.follow("Ask for a reset")
	b.sees("3 days on purpose")
	b.submit("/sign-in/lost")
	b.sees("from 5 March 2026, 10:00 UTC")
	b.get("/sign-in/lost") // asking again does not restart the wait
	s.clock.advance(time.Minute)
	b.submit("/sign-in/lost")
	b.sees("from 5 March 2026, 10:00 UTC")
	s.received(email, "Someone with your password asked us")

	owner.get("/security")
	owner.sees("Someone with your password asked us to turn off your two-factor authentication")
	owner.submit("/security/keep")
	owner.sees("Request cancelled.")
	owner.post("/security/keep", nil)
	owner.sees("There is no open request")
	b.get("/sign-in/lost")
	b.submit("/sign-in/lost")
	b.sees("You can ask again in 24 hours.")

	s.clock.advance(24 * time.Hour)
	b.signIn(email)
	b.get("/sign-in/lost")
	b.submit("/sign-in/lost")
	b.sees("from 6 March 2026")
	b.get("/sign-in/code")
	b.submit("/sign-in/code", "code", phone.shows())
	b.get("/security")
	b.sees("was cancelled.")
	b.lacks("Cancel the request")

	// The challenge for a request expires.
	b.signOut()
	b.signIn(email)
	b.get("/sign-in/lost")
	s.clock.advance(11 * time.Minute)
	b.submit("/sign-in/lost")
	b.at("/sign-in")
}
