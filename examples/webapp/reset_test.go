package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

const newPassword = "battery staple horse"

// forgot asks for a link and returns it.
func (b *browser) forgot(email string) string {
	b.t.Helper()
	b.get("/forgot")
	b.submit("/forgot", "email", email)
	b.signedOut()
	return b.site.received(accounts.CleanEmail(email), "link to change your password").Link
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
	b.askedForCode()
	b.sees("Anyone who can read your e-mail can open that link.")

	// The form alone and a code for signing in are not enough.
	b.post("/forgot/password", url.Values{"password": {newPassword}})
	b.askedForCode()
	b.get(link)
	b.submit("/security/step", "code", phone.wrong())
	b.denied("That code is wrong.")
	b.post("/security/sign-in", url.Values{"code": {phone.next()}})
	b.sees("Sign in with your password first.")
	for _, purpose := range []string{"settings", "personal-data", "administration", ""} {
		b.post("/security/step", url.Values{"code": {phone.shows()}, "for": {purpose}})
		b.signedOut()
	}
	b.get(link)
	b.step(phone.next())
	b.at("/forgot/password")
	for _, path := range []string{"/security/", "/data", "/password", "/security/setup/begin", "/security/codes/new"} {
		b.get(path)
		b.signedOut() // the link signs no one in
	}
	b.get("/forgot/password")
	form := b.page
	b.submit("/forgot/password", "password", "short")
	b.sees("Use at least 8 characters")
	b.submit("/forgot/password", "password", newPassword)
	b.signedOut()
	b.sees("Password changed.")
	s.received(email, "Your password was changed")

	// The link, the form and the old password no longer work, and the sessions have
	// ended.
	b.page = form
	b.submit("/forgot/password", "password", password)
	b.at("/forgot")
	b.sees("That link is no longer valid.")
	b.get(link)
	b.at("/forgot")
	owner.get("/security/")
	owner.signedOut()
	owner.signIn(email)
	owner.sees("Wrong e-mail address or password.")
	owner.submit("/sign-in", "email", email, "password", newPassword)
	owner.at("/security/sign-in")

	// A recovery code works too. After ten minutes, a code is needed again.
	s.clock.advance(11 * time.Minute)
	link = b.forgot(email)
	b.get(link)
	b.step(codes[0])
	b.at("/forgot/password")
	b.get("/security/")
	b.signedOut() // a recovery code signs no one in either
	b.get("/forgot/password")
	form = b.page
	s.clock.advance(11 * time.Minute)
	b.page = form
	b.submit("/forgot/password", "password", password)
	b.askedForCode()

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
	b.step(phone.next())
	b.submit("/forgot/password", "password", newPassword)
	b.signedOut()
	b.get(other) // one used link ends all others
	b.at("/forgot")
}

// TestPasswordResetByPhone sends the code over another channel than the link.
func TestPasswordResetByPhone(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	phone, _ := owner.enable()
	owner.get("/security/address")
	owner.step(phone.next())
	owner.submit("/security/address", "to", typedAs)
	owner.submit("/security/address/code", "code", s.sentCode(number))
	s.clock.advance(time.Minute)
	b := s.browser()
	b.get(b.forgot(email))
	b.submit("/security/step/text")
	b.submit("/security/step", "code", s.sentCode(number))
	b.at("/forgot/password")
	b.submit("/forgot/password", "password", newPassword)
	b.signedOut()
}

// TestForgotTellsNothing checks that known and unknown addresses get the same answer.
func TestForgotTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	alice := s.member("alice@example.com")
	b := s.browser()
	var pages []string
	for _, email := range []string{"alice@example.com", "nobody@example.com", "", "x"} {
		s.clock.advance(time.Minute)
		b.get("/forgot")
		b.submit("/forgot", "email", email)
		pages = append(pages, b.page.body)
	}
	for _, page := range pages[1:] {
		if page != pages[0] {
			t.Errorf("the page differs:\n%s", page)
		}
	}
	if n := len(s.app.mailbox.List()); n != 1 {
		t.Errorf("%d messages, want one to the user there is", n)
	}

	// A link of no user, an invalid link, and a hash from a stolen database.
	nobody, err := s.app.accounts.AddLink(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.app.accounts.AddLink(t.Context(), s.idOf("alice@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"nobody's": nobody, "none": "x", "empty": "", "a hash": accounts.HashLink(token)} {
		b.get("/forgot/link?" + url.Values{"token": {token}}.Encode())
		if b.page.path != "/forgot" {
			t.Errorf("the link that is %s leads to %s", name, b.page.path)
		}
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the log holds a link")
	}
	link := s.received("alice@example.com", "link to change").Link
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/forgot/link?token=")) {
		t.Error("the log holds a link")
	}

	// A link does not give its rights to a session token that was planted before.
	b.get("/forgot")
	b.submit("/forgot", "email", "nobody@example.com")
	planted := b.cookie("session").Value
	b.get(b.forgot("alice@example.com"))
	if b.cookie("session").Value == planted {
		t.Error("the link gives its right to a token that was there before")
	}

	// The receipt of one user is not valid for the link of another.
	mallory := s.member("mallory@example.com")
	phone, _ := mallory.enable()
	alice.enable()
	mallory.get(mallory.forgot("mallory@example.com"))
	answered := mallory.page
	mallory.step(phone.next())
	mallory.at("/forgot/password")
	mallory.get(link)
	mallory.askedForCode()
	mallory.get("/forgot/password")
	mallory.askedForCode()
	mallory.page = answered // in another tab
	mallory.submit("/security/step", "code", phone.next())
	mallory.get("/forgot/password")
	mallory.askedForCode()
}

// TestChangePassword needs a code and the old password.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	b.get("/password")
	b.submit("/password", "old", password+"?", "password", newPassword)
	b.sees("Wrong password.")
	b.submit("/password", "old", password, "password", "short")
	b.sees("Use at least 8 characters")
	b.submit("/password", "old", password, "password", newPassword)
	b.sees("Password changed.")

	phone, _ := b.enable()
	other := s.browser()
	other.get("/sign-in")
	other.submit("/sign-in", "email", email, "password", newPassword)
	other.code(phone.next())
	b.get("/security/")
	b.follow("Change your password")
	b.askedForCode()
	b.post("/password", url.Values{"old": {newPassword}, "password": {password}})
	b.askedForCode()
	b.get("/password")
	b.step(phone.next())
	b.at("/password")

	// A code for this does not open the page of data, nor the reverse.
	b.get("/data")
	b.askedForCode()
	b.get("/password")
	s.clock.advance(6 * time.Minute)
	b.submit("/password", "old", newPassword, "password", password)
	b.askedForCode()
	b.get("/password")
	b.step(phone.next())
	b.submit("/password", "old", newPassword, "password", password)
	b.at("/security/")
	other.get("/security/")
	other.signedOut()
}

// TestLost asks for resets. The owner cancels them in both ways.
func TestLost(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	owner := s.member(email)
	phone, _ := owner.enable()
	owner.get("/security/")

	b := s.browser()
	b.post("/security/sign-in/reset", nil) // the password comes first
	b.sees("Sign in with your password first.")
	b.signIn(email)
	b.sees("I have lost my phone and my recovery codes")
	b.submit("/security/sign-in/reset")
	b.sees("Nothing happens before 5 March 2026, 10:00 UTC")
	s.clock.advance(time.Minute)
	b.submit("/security/sign-in/reset") // asking again does not restart the wait
	b.sees("Nothing happens before 5 March 2026, 10:00 UTC")
	s.received(email, "Someone with your password asked us")

	owner.get("/security/")
	owner.sees("Someone with your password asked us to turn off your two-factor authentication")
	owner.submit("/security/reset/cancel")
	owner.sees("The request is cancelled.")
	b.submit("/security/sign-in/reset")
	b.denied("You can ask again in 24 hours.")

	s.clock.advance(24 * time.Hour)
	b.signIn(email)
	b.submit("/security/sign-in/reset")
	b.sees("Nothing happens before 6 March 2026")
	b.code(phone.shows())
	b.get("/security/")
	b.sees("was cancelled.")
	b.lacks("Cancel the request")

	// The challenge for a request expires.
	b.signOut()
	b.signIn(email)
	s.clock.advance(11 * time.Minute)
	b.submit("/security/sign-in/reset")
	b.sees("That took too long.")
}
