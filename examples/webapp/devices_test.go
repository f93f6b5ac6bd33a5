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
	mallory.setCookies([]*http.Cookie{b.cookie("twofactor-device")})
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

func TestDeviceName(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                    "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":     "Chrome on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":              "Chrome on Android",
		"curl/8\x00<script>": "Browser on another system",
	} {
		if got := deviceName(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
