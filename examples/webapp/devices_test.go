package main

import (
	"net/http"
	"testing"
	"time"
)

// trusting signs in and trusts the browser.
func (b *browser) trusting(email, code string) {
	b.t.Helper()
	b.signIn(email)
	b.at("/security/sign-in")
	b.code(code, "trust", "1")
	b.at("/")
}

func TestTrustedDevice(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	phone, codes := b.enable()
	b.get("/security/")
	b.sees("None. When you sign in, you can trust a device")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/security/")
	b.sees("not used yet", "trusted until 1 April 2026", "can now sign in without a code")
	b.signOut()
	b.signIn(email)
	b.at("/")
	b.get("/security/")
	b.sees("(trusted device)")

	// The trust is valid only for signing in, for this user, in this browser.
	b.get("/security/disable")
	b.askedForCode()
	b.get("/data")
	b.askedForCode()
	other := s.browser()
	other.signIn(email)
	other.at("/security/sign-in")
	mallory := s.member("mallory@example.com")
	theirs, _ := mallory.enable()
	mallory.get("/")
	mallory.signOut()
	mallory.setCookies([]*http.Cookie{b.cookie("twofactor-device%2Fsecurity")})
	mallory.signIn("mallory@example.com")
	mallory.at("/security/sign-in")
	mallory.code(theirs.next())

	// The owner revokes one device, then all.
	b.get("/security/")
	b.submit("/security/devices/rename", "name", "kitchen")
	b.sees("<strong>kitchen</strong>")
	b.submit("/security/devices/revoke")
	b.sees("We will ask for a code there again.", "None. When you sign in")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/security/")
	gone := b.page
	b.post("/security/devices/revoke", nil)
	b.sees("We will ask for a code in all browsers.")
	b.page = gone // loaded before the revocation
	b.submit("/security/devices/revoke")
	b.lacks(`role="alert"`)
	b.signOut()

	// Using a recovery code ends the trust. So does its time.
	b.trusting(email, phone.next())
	other.signIn(email)
	other.code(codes[0])
	other.at("/")
	b.get("/security/")
	b.signedOut() // and the session
	b.signIn(email)
	b.at("/security/sign-in")
	b.trusting(email, phone.next())
	s.clock.advance(30*24*time.Hour - time.Minute)
	b.signIn(email)
	b.at("/")
	s.clock.advance(2 * time.Minute)
	b.signIn(email)
	b.at("/security/sign-in")
}

// TestDeviceEndsWithPassword checks that a new password ends trust in devices.
func TestDeviceEndsWithPassword(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	phone, _ := b.enable()
	b.get("/")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/password")
	b.step(phone.next())
	b.submit("/password", "old", password, "password", password+"!")
	b.at("/security/")
	b.signOut()
	b.get("/sign-in")
	b.submit("/sign-in", "email", email, "password", password+"!")
	b.at("/security/sign-in")
}
