package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// trusting signs in and trusts the browser.
func (b *browser) trusting(email, code string) {
	b.t.Helper()
	b.signIn(email)
	b.at("/sign-in/code")
	b.submit("/sign-in/code", "code", code, "trust", "yes")
	b.at("/")
}

func TestTrustedDevice(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	phone, codes := b.enable()
	b.get("/security")
	b.sees("None. When you sign in, you can trust a device")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/security")
	b.sees("Browser on another system", "not used yet", "trusted until 1 April 2026", "can now sign in without a code")
	b.signOut()
	b.signIn(email)
	b.at("/")
	b.get("/security")
	b.sees("(trusted device)")

	// The trust is valid only for signing in, for this user, in this browser.
	b.get("/security/disable")
	b.sees("Code from your authenticator app")
	b.get("/data")
	b.sees("Confirm it’s you")
	other := s.browser()
	other.signIn(email)
	other.at("/sign-in/code")
	mallory := s.member("mallory@example.com")
	theirs, _ := mallory.enable()
	mallory.get("/")
	mallory.signOut()
	mallory.setCookies([]*http.Cookie{b.cookie("device")})
	mallory.signIn("mallory@example.com")
	mallory.at("/sign-in/code")
	mallory.submit("/sign-in/code", "code", theirs.next())

	// The owner revokes one device, then all.
	b.get("/security")
	b.submit("/security/device")
	b.sees("That device is no longer trusted.", "None. When you sign in")
	b.signOut()
	b.trusting(email, phone.next())
	b.get("/security")
	gone := b.page
	b.submit("/security/devices")
	b.sees("No device is trusted any more.")
	if b.cookie("device") != nil {
		t.Error("the cookie is still there")
	}
	b.page = gone // loaded before the revocation
	b.submit("/security/device")
	b.sees("That device was already no longer trusted.")
	b.signOut()

	// Using a recovery code ends the trust. So does its time.
	b.trusting(email, phone.next())
	other.signIn(email)
	other.submit("/sign-in/code", "code", codes[0])
	other.at("/security")
	b.get("/security")
	b.at("/sign-in") // and the session
	b.signIn(email)
	b.at("/sign-in/code")
	b.trusting(email, phone.next())
	s.clock.advance(30*24*time.Hour - time.Minute)
	b.signIn(email)
	b.at("/")
	s.clock.advance(2 * time.Minute)
	b.signIn(email)
	b.at("/sign-in/code")
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
	b.get("/security/password")
	b.submit("/security/password/code", "code", phone.next())
	b.submit("/security/password", "old", password, "password", password+"!")
	b.at("/security")
	b.signOut()
	b.get("/sign-in")
	b.submit("/sign-in", "email", email, "password", password+"!")
	b.at("/sign-in/code")
}

func TestDeviceCookie(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	b := s.member(email)
	phone, _ := b.enable()
	for _, secure := range []bool{false, true} {
		s.app.config.secure = secure
		b.get("/")
		b.signOut()
		b.signIn(email)
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.submit("/sign-in/code", "code", phone.next(), "trust", "yes")
		b.client.CheckRedirect = nil
		var cookie string
		for _, c := range b.page.header.Values("Set-Cookie") {
			if strings.Contains(c, "device=") {
				cookie = c
			}
		}
		wants := []string{"device=", "Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"}
		if secure {
			wants = append(wants, "__Host-device=", "Secure")
		}
		for _, want := range wants {
			if !strings.Contains(cookie, want) {
				t.Errorf("secure %v: the cookie lacks %s: %s", secure, want, cookie)
			}
		}
	}
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
