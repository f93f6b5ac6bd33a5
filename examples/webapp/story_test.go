package main

import (
	"encoding/base64"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestStory follows an account from sign-up until two-factor authentication is turned
// off.
func TestStory(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t)
	b := s.browser()

	b.signUp(email)
	b.signIn(email)
	b.at("/") // no second factor yet
	b.get("/security")
	b.sees("off", "Turn on", "Nothing yet.")

	// Leaving a setup changes nothing.
	b.follow("Turn on")
	b.submit("/security/begin")
	b.at("/security/setup")
	b.submit("/security/cancel")
	b.sees("Setup cancelled.", "Turn on")

	// The page can be reloaded. It shows the secret as QR code, link and text.
	b.follow("Turn on")
	b.submit("/security/begin")
	first := b.scan()
	b.get("/security/setup")
	phone := b.scan()
	if !phone.key.Secret().Equal(first.key.Secret()) {
		t.Error("loading the page again shows another secret")
	}
	b.sees(phone.key.Secret().Grouped(), phone.key.Secret().Base32(), "Time-based, 6 digits, every 30 seconds, SHA1", `src="data:image/png;base64,`, "15 minutes")

	// A wrong code, codes of slow and fast phones, and no code.
	b.submit("/security/setup", "code", phone.wrong())
	b.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	b.submit("/security/setup", "code", phone.at(-4*time.Minute))
	b.denied(http.StatusUnprocessableEntity, "about 4 minutes slow")
	b.submit("/security/setup", "code", phone.at(5*time.Minute))
	b.denied(http.StatusUnprocessableEntity, "about 5 minutes fast")
	b.submit("/security/setup", "code", "12 34")
	b.denied(http.StatusUnprocessableEntity, "That is not a code.")
	b.submit("/security/setup", "code", phone.shows())
	b.sees("Two-factor authentication is on.")
	codes := b.codes()
	sheet := downloaded(t, b)
	for _, code := range codes {
		if !strings.Contains(sheet, code) {
			t.Errorf("the download lacks %s", code)
		}
	}
	if !strings.Contains(sheet, email) {
		t.Error("the download does not say whose codes they are")
	}
	b.follow("Continue")
	b.at("/security")
	b.sees("10 of 10 are left.", "Two-factor authentication was turned on.", `<strong>Authenticator</strong>`)
	b.signOut()

	// The code of the setup is used up, and so is each code at sign-in.
	b.signIn(email)
	b.at("/sign-in/code")
	b.submit("/sign-in/code", "code", phone.shows())
	b.denied(http.StatusUnprocessableEntity, "That code was already used.")
	code := phone.next()
	b.submit("/sign-in/code", "code", code[:3]+" "+code[3:])
	b.at("/")
	b.sees("You are signed in as", email)
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", code)
	b.denied(http.StatusUnprocessableEntity, "That code was already used.")

	// A recovery code as people type it, on the page for recovery codes.
	b.follow("Use a recovery code")
	b.sees("Recovery code", "16 letters and digits")
	b.submit("/sign-in/code", "code", strings.ToLower(strings.ReplaceAll(codes[4], "-", " ")))
	b.at("/security")
	b.sees("You signed in with a recovery code. 9 are left.", "9 of 10 are left.", "(recovery code)", "A recovery code was used.")
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", codes[4])
	b.denied(http.StatusUnprocessableEntity, "You have already used that recovery code.")
	b.submit("/sign-in/code", "code", codes[5])
	b.sees("8 are left.")

	// New codes make the old ones void.
	b.get("/security")
	b.follow("Make new codes")
	b.sees("All your old recovery codes stop working at once")
	b.submit("/security/codes", "code", phone.wrong())
	b.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	b.submit("/security/codes", "code", phone.next())
	renewed := b.codes()
	b.signOut()
	b.signIn(email)
	b.submit("/sign-in/code", "code", codes[0])
	b.denied(http.StatusUnprocessableEntity, "you may have an older one")
	b.submit("/sign-in/code", "code", renewed[0])
	b.at("/security")

	// A new phone. The receipt of the sign-in is the proof. The old phone works
	// until the new one is confirmed.
	b.follow("Replace")
	b.sees("The old one keeps working")
	b.submit("/security/begin")
	replacement := b.scan()
	other := s.browser()
	other.signIn(email)
	other.submit("/sign-in/code", "code", phone.next())
	other.at("/")
	b.submit("/security/setup", "code", replacement.shows())
	b.at("/security")
	b.sees("Your new authenticator works.", "replaced another one.")
	other.signOut()
	other.signIn(email)
	other.submit("/sign-in/code", "code", phone.next())
	other.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	other.submit("/sign-in/code", "code", replacement.shows())
	other.at("/")

	// A second authenticator with a name, and its removal.
	s.clock.advance(time.Hour)
	b.get("/security")
	b.follow("Add another authenticator")
	b.submit("/security/begin", "name", "  tablet\x00", "code", replacement.next())
	tablet := b.scan()
	b.submit("/security/setup", "code", tablet.next())
	b.at("/security")
	b.sees("<strong>tablet</strong>", "“tablet” was added.")
	remove := regexp.MustCompile(`/security/remove\?id=([0-9a-f]+)">Remove<span class="away"> tablet`).FindStringSubmatch(b.page.body)
	if remove == nil {
		t.Fatalf("no link to remove the tablet:\n%s", b.page.body)
	}
	b.get("/security/remove?id=" + remove[1])
	b.sees("Remove “tablet”")
	b.submit("/security/remove", "code", tablet.next())
	b.sees("“tablet” was removed.")

	// Turned off at once.
	b.follow("Turn off two-factor authentication")
	b.submit("/security/disable", "code", tablet.shows())
	b.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	b.submit("/security/disable", "code", replacement.next())
	b.at("/security")
	b.sees("Two-factor authentication is off.", "Turn on", "Two-factor authentication was turned off.")
	b.signOut()
	b.signIn(email)
	b.at("/")

	if n := strings.Count(s.log.String(), `msg="would send"`); n < 9 {
		t.Errorf("%d messages to the owner, want one for each change", n)
	}
}

// downloaded returns the file to download on the page.
func downloaded(t *testing.T, b *browser) string {
	t.Helper()
	m := regexp.MustCompile(`href="data:text/plain;charset=utf-8;base64,([^"]*)" download="[^"]*\.txt"`).FindStringSubmatch(b.page.body)
	if m == nil {
		t.Fatalf("nothing to download:\n%s", b.page.body)
	}
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRestart restarts the server between all steps.
func TestRestart(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	s.moved(b, func() { b.get("/security/begin") })
	b.submit("/security/begin")
	before := b.scan()
	s.moved(b, func() { b.get("/security/setup") }) // the session, and the setup in it
	phone := b.scan()
	if !phone.key.Secret().Equal(before.key.Secret()) {
		t.Fatal("the setup is another one after a restart")
	}
	used := phone.shows()
	b.submit("/security/setup", "code", used)
	codes := b.codes()
	s.moved(b, func() { b.get("/security") })
	b.sees("10 of 10 are left.")
	b.signOut()

	// A challenge survives a restart, and a used code stays used.
	b.signIn(email)
	s.moved(b, func() { b.get("/sign-in/code") })
	b.submit("/sign-in/code", "code", used)
	b.denied(http.StatusUnprocessableEntity, "That code was already used.")
	b.submit("/sign-in/code", "code", codes[0])
	b.at("/security")
	s.moved(b, b.signOutNow)
	b.signIn(email)
	b.submit("/sign-in/code", "code", codes[0])
	b.denied(http.StatusUnprocessableEntity, "You have already used that recovery code.")

	// So does a lock.
	for range 5 {
		b.submit("/sign-in/code", "code", phone.wrong())
	}
	s.moved(b, func() { b.get("/sign-in/code") })
	b.submit("/sign-in/code", "code", phone.next())
	b.denied(http.StatusTooManyRequests, "Wait 30 seconds")
	s.clock.advance(time.Minute)
	b.submit("/sign-in/code", "code", phone.shows())
	b.at("/")
}

// moved restarts the site on another port, gives the browser its cookies there, and
// calls next.
func (s *site) moved(b *browser, next func()) {
	s.t.Helper()
	cookies := b.cookies()
	s.restart()
	b.setCookies(cookies)
	next()
}

func (b *browser) signOutNow() { b.get("/"); b.signOut() }

// TestNothingLeaks searches the logs and the database for every secret of a story.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	const email = "carol@example.com"
	s := newSite(t)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	session := b.cookies()[0].Value
	phone, codes := b.enable()
	secrets := append([]string{password, session, b.cookies()[0].Value, phone.key.Secret().Base32(), phone.key.Secret().Grouped(), "otpauth:"}, codes...)
	typed := []string{phone.shows()}
	b.get("/")
	b.signOut()
	b.signIn(email)
	typed = append(typed, phone.wrong(), phone.next())
	b.submit("/sign-in/code", "code", typed[1])
	b.submit("/sign-in/code", "code", typed[2])
	secrets = append(secrets, b.cookies()[0].Value)
	b.get("/security/codes?code=" + codes[1]) // a code in the URL
	b.submit("/security/codes", "code", codes[2])
	secrets = append(secrets, b.codes()...)
	b.get("/data")
	typed = append(typed, phone.next())
	b.submit("/data", "code", typed[3])
	for _, secret := range secrets {
		if strings.Contains(b.page.body, secret) {
			t.Errorf("the page of personal data shows %s", secret)
		}
	}
	for _, code := range typed {
		if digitsIn(b.page.body, code) {
			t.Errorf("the page of personal data shows %s", code)
		}
	}

	secrets = append(secrets, b.cookies()[0].Value)

	log := s.log.String()
	if !strings.Contains(log, "twofactor answer") || !strings.Contains(log, "path=/sign-in/code") {
		t.Fatalf("the log says nothing:\n%s", log)
	}
	s.app.db.Exec("PRAGMA wal_checkpoint(FULL)")
	stored, err := os.ReadFile(filepath.Join(s.config.data, "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(stored), email) {
		t.Fatal("the database holds nothing")
	}
	for _, secret := range secrets {
		for _, form := range []string{secret, strings.ReplaceAll(secret, "-", "")} {
			if strings.Contains(log, form) {
				t.Errorf("the log holds %s", secret)
			}
			if strings.Contains(string(stored), form) {
				t.Errorf("the database holds %s", secret)
			}
		}
	}
	for _, code := range typed {
		if digitsIn(log, code) {
			t.Errorf("the log holds %s", code)
		}
	}
}

// digitsIn reports whether the text contains the code as a separate word. Six digits
// can also be part of a duration or an id.
func digitsIn(text, code string) bool {
	return regexp.MustCompile(`(^|[^0-9A-Za-z.])` + code + `($|[^0-9A-Za-z.])`).MatchString(text)
}
