package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// A person uses the site with a real browser and an authenticator app.
type person struct {
	*chromium.Tab
	t    *testing.T
	site *site
}

func (s *site) person() *person {
	s.t.Helper()
	if testing.Short() {
		s.t.Skip("takes a browser")
	}
	return &person{chromium.Open(s.t, s.server.URL), s.t, s}
}

func (p *person) signUp(email string) {
	p.t.Helper()
	p.Get("/sign-up")
	p.Type("#email", email)
	p.Type("#password", password+"\r")
}

func (p *person) signIn(email string) {
	p.t.Helper()
	p.Get("/sign-in")
	p.Type("#email", email)
	p.Type("#password", password+"\r")
}

// oath is an app that a person uses: the program oathtool, with the secret of a picture.
type oath struct {
	t      *testing.T
	site   *site
	secret string
}

// scan takes a picture of the QR code, as a phone does.
func (p *person) scan() oath {
	p.t.Helper()
	uri := p.Scan("img.qr")
	_, rest, found := strings.Cut(uri, "secret=")
	if !found {
		p.t.Fatalf("the picture says %q", uri)
	}
	secret, _, _ := strings.Cut(rest, "&")
	return oath{p.t, p.site, secret}
}

// next waits for the next code.
func (o oath) next() string {
	o.site.clock.advance(30 * time.Second)
	return o.shows()
}

func (o oath) shows() string {
	o.t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		testenv.Missing(o.t, "oathtool is not in PATH")
	}
	now := o.site.clock.Now().UTC().Format("2006-01-02 15:04:05 UTC")
	out, err := exec.CommandContext(o.t.Context(), path, "--totp", "-b", "--now", now, o.secret).Output()
	if err != nil {
		o.t.Fatalf("oathtool: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// Review: two-factor authentication from the settings, sets of ten codes, a new phone, help
// by an administrator, and its end. F1 to F7, R5, A5 and A6 of FEATURES.md.
func TestStoryOfReview(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	p := s.person()
	p.signUp(email)
	p.Sees("Account created.")
	p.signIn(email)
	p.Sees("You are signed in as")
	p.Get("/security/")
	p.Sees("Two-factor authentication off")
	p.next("a[href='/security/setup/begin']")
	p.Sees("Set up two-factor authentication")
	p.next("main form button")
	p.Sees("Scan this with the app")
	old := p.scan()
	p.Next(func() { p.Type("#code", old.shows()) }) // the last digit sends it
	p.Sees("Save your recovery codes")
	codes := p.Texts(".recovery-codes ol code")
	p.Reload()
	if again := p.Texts(".recovery-codes ol code"); len(codes) != 10 || !slices.Equal(again, codes) {
		t.Errorf("the codes are %q, and after a reload %q", codes, again)
	}
	p.saved()
	p.Sees("Two-factor authentication on")
	p.Sees("10 of 10 are left.")
	enter := func(code string) {
		t.Helper()
		p.signIn(email)
		p.Sees("Enter your code")
		p.enters(code)
	}
	enter(old.next())
	p.Sees("You are signed in as")

	// Ten other codes take a code of the app, and the old ones end.
	p.Get("/security/codes/new")
	p.Sees("Confirm that it is you")
	p.enters(old.next())
	p.next("form[action='/security/codes/new'] button")
	renewed := p.saved()
	enter(codes[0])
	p.Sees("you may have an older one")
	p.enters(renewed[0])
	p.Sees("You are signed in as")

	// The old phone works until the new one is confirmed.
	p.Get("/security/")
	p.next("a[href^='/security/setup/begin?replace=']")
	p.enters(old.next())
	p.next("main form button")
	p.Sees("Scan this with the app")
	app := p.scan()
	other := s.browser()
	other.signIn(email)
	other.code(old.next())
	other.at("/")
	p.enters(app.shows())
	p.Sees("The new app has replaced the old one.")
	enter(old.next())
	p.Sees("That code is wrong.")
	p.enters(app.shows())
	p.Sees("You are signed in as")

	// An administrator turns it off for another user.
	bob := s.member("bob@example.com")
	bob.enable()
	p.Get(memberPath(s.idOf("bob@example.com")))
	p.enters(app.next())
	p.Click("[value=reset]")
	p.Type("#reason", "lost the phone")
	p.next("form:has(#reason) button")
	p.Sees("Two-factor authentication is now off for this user.")
	bob.signIn("bob@example.com")
	bob.at("/")

	// It ends with a code, and at once.
	p.Get("/security/disable")
	p.Sees("Confirm that it is you")
	p.enters(old.next())
	p.Sees("That code is wrong.")
	p.enters(app.shows())
	p.Sees("Your password alone will sign in.")
	p.next("form[action='/security/disable'] button")
	p.Sees("Two-factor authentication off")
	p.signIn(email)
	p.Sees("You are signed in as")
}

// A visitor without a phone goes through a story by clicks.
func TestBarInABrowser(t *testing.T) {
	t.Parallel()
	s, _ := demonstrate(t)
	p := s.person()
	click := func(selector string) { p.Next(func() { p.Click(selector) }) }
	p.Get("/")
	p.Sees("Start one")
	click("[value=review]")
	p.Sees("You are review-")
	p.Get("/security/setup/begin")
	click("main form button")
	p.Sees("Scan the QR code")
	click("form[action='/demo/phone'] button")
	p.Sees("Type it")
	click("[data-type]")
	p.Sees("Save your recovery codes")
	p.Click("main [type=checkbox]")
	click("form[action='/security/codes'] button")
	p.Sees("10 of 10 are left.")
	click("[value=admin]")
	p.Sees("Confirm that it is you")
	click("[value='30s']")
	p.Sees("30 seconds ahead")
	click(".demo-phone li:nth-child(2) [data-type]")
	p.Sees("Download as CSV")
}
