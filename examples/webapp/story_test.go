package main

import (
	"net/url"
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
	b.get("/security/")
	b.sees("off", "Turn on", "Nothing yet.")

	// Leaving a setup changes nothing.
	b.follow("Turn on")
	b.submit("/security/setup/begin")
	b.at("/security/setup")
	b.submit("/security/setup/cancel")
	b.sees("The setup is cancelled.", "Turn on")

	// The page can be reloaded. It shows the secret as QR code, link and text.
	b.follow("Turn on")
	b.submit("/security/setup/begin")
	first := b.scan()
	b.get("/security/setup")
	phone := b.scan()
	if !phone.key.Secret().Equal(first.key.Secret()) {
		t.Error("loading the page again shows another secret")
	}
	b.sees(phone.key.Secret().Grouped(), phone.key.Secret().Base32(), `src="data:image/png;base64,`)

	// A wrong code, codes of slow and fast phones, and no code.
	for code, says := range map[string]string{
		phone.wrong():              "That code is wrong.",
		phone.at(-4 * time.Minute): "about 4 minutes slow",
		phone.at(5 * time.Minute):  "about 5 minutes fast",
		"12 34":                    "That is not a code.",
	} {
		b.submit("/security/setup", "code", code)
		b.denied(says)
	}
	b.submit("/security/setup", "code", phone.shows())
	b.at("/security/codes")
	codes := b.codes()
	b.get("/security/codes.txt")
	for _, code := range append(codes, email) {
		b.sees(code)
	}
	b.get("/security/codes")
	b.submit("/security/codes")
	b.at("/security/")
	b.sees("10 of 10 are left.", "Two-factor authentication was turned on.", `<strong>Authenticator</strong>`)
	b.signOut()

	// The code of the setup is used up, and so is each code at sign-in.
	b.signIn(email)
	b.at("/security/sign-in")
	b.lacks("Sign up")
	b.code(phone.shows())
	b.denied("That code was already used.")
	code := phone.next()
	b.code(code[:3] + " " + code[3:])
	b.at("/")
	b.sees("You are signed in as", email)
	b.signOut()
	b.signIn(email)
	b.code(code)
	b.denied("That code was already used.")

	// A recovery code as people type it, in the same field.
	b.code(strings.ToLower(strings.ReplaceAll(codes[4], "-", " ")))
	b.at("/")
	b.sees("You signed in with a recovery code. 9 are left.")
	b.get("/security/")
	b.sees("9 of 10 are left.", "(recovery code)", "A recovery code was used.")
	b.signOut()
	b.signIn(email)
	b.code(codes[4])
	b.denied("You have already used that recovery code.")
	b.code(codes[5])
	b.sees("8 are left.")

	// New codes make the old ones void.
	b.get("/security/")
	b.follow("Make new codes")
	b.submit("/security/step", "code", phone.wrong())
	b.denied("That code is wrong.")
	b.step(phone.next())
	b.sees("Your old recovery codes stop working at once")
	b.submit("/security/codes/new")
	renewed := b.saved()
	b.signOut()
	b.signIn(email)
	b.code(codes[0])
	b.denied("you may have an older one")
	b.code(renewed[0])
	b.at("/")

	// A new phone. The old one works until the new one is confirmed.
	s.clock.advance(time.Minute)
	b.get("/security/")
	b.follow("Replace")
	b.step(phone.next())
	b.submit("/security/setup/begin")
	replacement := b.scan()
	other := s.browser()
	other.signIn(email)
	other.code(phone.next())
	other.at("/")
	b.submit("/security/setup", "code", replacement.shows())
	b.at("/security/")
	b.sees("The new app has replaced the old one.", "replaced another one.")
	other.get("/security/")
	other.signedOut() // the sessions of the old phone have ended
	other.signIn(email)
	other.code(phone.next())
	other.denied("That code is wrong.")
	other.code(replacement.shows())
	other.at("/")

	// A second authenticator with a name, another name, and its removal.
	s.clock.advance(time.Hour)
	b.get("/security/")
	b.follow("Add an authenticator")
	b.step(replacement.next())
	b.submit("/security/setup/begin", "name", "  tablet")
	tablet := b.scan()
	b.submit("/security/setup", "code", tablet.next())
	b.at("/security/")
	b.sees("<strong>tablet</strong>", "“tablet” was added.")
	found := regexp.MustCompile(`/security/remove\?id=([0-9a-f]+)">Remove<span class="away"> tablet`).FindStringSubmatch(b.page.body)
	if found == nil {
		t.Fatalf("no link to remove the tablet:\n%s", b.page.body)
	}
	b.post("/security/rename", url.Values{"id": {found[1]}, "name": {"kitchen"}})
	b.sees("<strong>kitchen</strong>", "The name is changed.")
	b.get("/security/remove?id=" + found[1])
	b.step(tablet.next())
	b.sees("“kitchen”")
	b.submit("/security/remove")
	b.sees("“kitchen” was removed.")

	// Turned off at once.
	b.get("/security/")
	b.follow("Turn off two-factor authentication")
	b.submit("/security/step", "code", tablet.shows())
	b.denied("That code is wrong.")
	b.step(replacement.next())
	b.submit("/security/disable")
	b.at("/security/")
	b.sees("Two-factor authentication is off.", "Turn on", "Two-factor authentication was turned off.")
	b.signOut()
	b.signIn(email)
	b.at("/")

	if n := strings.Count(s.log.String(), `msg="would send"`); n < 9 {
		t.Errorf("%d messages to the owner, want one for each change", n)
	}
}

// TestRestart restarts the server between all steps.
func TestRestart(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t)
	b := s.browser()
	b.signUp(email)
	b.signIn(email)
	s.moved(b, func() { b.get("/security/setup/begin") })
	b.submit("/security/setup/begin")
	before := b.scan()
	s.moved(b, func() { b.get("/security/setup") }) // the session, and the setup in it
	phone := b.scan()
	if !phone.key.Secret().Equal(before.key.Secret()) {
		t.Fatal("the setup is another one after a restart")
	}
	used := phone.shows()
	b.submit("/security/setup", "code", used)
	s.moved(b, func() { b.get("/security/codes") })
	codes := b.saved()
	s.moved(b, func() { b.get("/security/") })
	b.sees("10 of 10 are left.")
	b.signOut()

	// A challenge survives a restart, and a used code stays used.
	b.signIn(email)
	s.moved(b, func() { b.get("/security/sign-in") })
	b.code(used)
	b.denied("That code was already used.")
	b.code(codes[0])
	b.at("/")
	s.moved(b, b.signOutNow)
	b.signIn(email)
	b.code(codes[0])
	b.denied("You have already used that recovery code.")

	// So does a lock.
	for range 5 {
		b.code(phone.wrong())
	}
	s.moved(b, func() { b.get("/security/sign-in") })
	b.code(phone.next())
	b.denied("Wait 30 seconds")
	s.clock.advance(time.Minute)
	b.code(phone.shows())
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
	session := b.cookie("session").Value
	phone, codes := b.enable()
	secrets := append([]string{password, session, b.cookie("session").Value, phone.key.Secret().Base32(), phone.key.Secret().Grouped(), "otpauth:"}, codes...)
	typed := []string{phone.shows()}
	b.get("/")
	b.signOut()
	b.signIn(email)
	typed = append(typed, phone.wrong(), phone.next())
	b.code(typed[1])
	b.code(typed[2])
	secrets = append(secrets, b.cookie("session").Value)
	b.get("/security/codes/new?code=" + codes[1]) // a code in the URL
	b.step(codes[2])
	b.submit("/security/codes/new")
	secrets = append(secrets, b.saved()...)
	b.get("/data")
	typed = append(typed, phone.next())
	b.step(typed[3])
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

	secrets = append(secrets, b.cookie("session").Value)

	log := s.log.String()
	if !strings.Contains(log, "twofactor answer") || !strings.Contains(log, "path=/security/sign-in") {
		t.Fatalf("the log says nothing:\n%s", log)
	}
	s.app.accounts.SQL.Exec("PRAGMA wal_checkpoint(FULL)")
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
