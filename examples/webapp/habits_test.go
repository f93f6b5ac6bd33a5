package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// tabTo presses the key Tab until something of that name has the focus.
func (p *person) tabTo(name string) {
	p.t.Helper()
	var met []string
	for range 60 {
		p.Keys(kb.Tab)
		here := p.Focused()
		if here == name {
			return
		}
		met = append(met, here)
	}
	p.t.Fatalf("the key Tab does not lead to %q, but to %q", name, met)
}

// The main job without a mouse: nothing but Tab, Enter, Space and what is typed.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	p := s.person()
	press := func(name, key string) {
		t.Helper()
		p.tabTo(name)
		p.Next(func() { p.Keys(key) })
	}
	p.Get("/")
	p.Keys(kb.Tab)
	if first := p.Focused(); first != "Skip to content" {
		t.Errorf("the first is %q", first)
	}
	press("Sign up", kb.Enter)
	p.tabTo("E-mail address")
	p.Keys("alice@example.com")
	p.tabTo("Password")
	p.Next(func() { p.Keys(password + kb.Enter) })
	p.Sees("Account created.")
	p.tabTo("E-mail address")
	p.Keys("alice@example.com")
	p.tabTo("Password")
	p.Next(func() { p.Keys(password + kb.Enter) })
	press("Security", kb.Enter)
	press("Turn on", kb.Enter)
	press("Go on", " ")
	p.Sees("Scan this with the app")
	app := p.scan()
	if field := p.Focused(); field != "Code of your authenticator app" {
		t.Errorf("the focus is on %q", field)
	}
	p.Next(func() { p.Keys(app.shows()) }) // the last digit sends it
	p.Sees("Save your recovery codes")
	p.tabTo("Copy")
	p.tabTo("I have saved these codes where I find them without my phone.")
	p.Keys(" ")
	press("Done", kb.Enter)
	p.Sees("10 of 10 are left.")
	p.tabTo("Rename Authenticator")
	p.Keys(kb.Enter)
	p.tabTo("Name")
	p.Keys("My phone")
	press("Save", kb.Enter)
	p.Sees("The name is changed.")
	press("Sign out", kb.Enter)
	press("Sign in", kb.Enter)
	p.tabTo("E-mail address")
	p.Keys("alice@example.com")
	p.tabTo("Password")
	p.Next(func() { p.Keys(password + kb.Enter) })
	p.Sees("Enter your code")
	p.Next(func() { p.Keys("000000") })
	p.Sees("That code is wrong.")
	p.Next(func() { p.Keys(app.next() + kb.Enter) })
	p.Sees("You are signed in as alice@example.com")
}

// onPaper checks that a printed page has the sheet of recovery codes, with a box for each
// code, and nothing else.
func (p *person) onPaper(name string, codes int) {
	p.t.Helper()
	text, other := p.Printed()
	if len(other) > 0 {
		p.t.Errorf("%s: on paper are %q", name, other)
	}
	words := func(texts ...string) string { return strings.Join(strings.Fields(strings.Join(texts, " ")), " ") }
	sheet := words(p.Texts(".recovery-codes h2, .recovery-codes p, .recovery-codes li")...)
	if words(text) != sheet || strings.Count(text, "☐") != codes {
		p.t.Errorf("%s: on paper is\n%q, want\n%q, with %d boxes", name, words(text), sheet, codes)
	}
}

// What is printed is the sheet of codes: no QR code, no key, no form, no bar.
func TestPaper(t *testing.T) {
	t.Parallel()
	s, d := demonstrate(t)
	p := s.person()
	switches := func(on ...string) {
		t.Helper()
		_, err := d.reconfigure(t.Context(), configure(&demo.Story{Issuer: defaultIssuer, Switches: on}))
		if err != nil {
			t.Fatal(err)
		}
	}
	next := func(selector string) { t.Helper(); p.Next(func() { p.Click(selector) }) }
	switches("setup", "keep", "replenish")
	p.Get("/")
	next("[value=review]")
	switches("setup", "keep", "replenish")
	p.Get("/security/setup/begin")
	next("main form button")
	p.Sees("Scan this with the app")
	p.onPaper("codes before the QR code", 10)
	next("form[action='/demo/phone'] button")
	p.Click("main details summary") // the key is on the screen
	p.onPaper("codes before the QR code, with the key", 10)
	next("[data-type]")
	p.Sees("Save your recovery codes")
	p.onPaper("codes", 10)
	code := p.Texts(".recovery-codes ol code")[0]
	p.Click("main [type=checkbox]")
	next("form[action='/security/codes'] button")
	next("[value='30s']")
	p.Get("/security/codes/kept")
	next("[data-type]")
	p.Sees("Your recovery codes")
	p.onPaper("kept codes", 10)
	p.Get("/data")
	p.Fill("#code", code)
	p.Next(func() { p.Type("#code", "\r") })
	p.Sees("It replaces the one that you have just used.")
	p.onPaper("the code that replaces a used one", 1)
}

// Pages that were left open for too long say so, and lead to where one begins again. The
// clock of the phone is checked at the setup, and a code of another time never works.
func TestExpiredPages(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	p := s.person()
	p.member(email, false)
	begin := func() oath {
		t.Helper()
		p.Get("/security/setup/begin")
		p.next("main form button")
		p.Sees("Scan this with the app")
		return p.scan()
	}
	app := begin()
	s.clock.advance(16 * time.Minute)
	p.enters(app.shows())
	p.Sees("For this change we need your password again.")
	p.Next(func() { p.Type("#password", password+"\r") })
	p.Sees("That took too long, and the QR code has expired.")
	app = begin()
	s.clock.advance(5 * time.Minute)
	late := app.shows()
	s.clock.advance(-5 * time.Minute)
	p.enters(late)
	p.Sees("about 5 minutes fast")
	p.enters(app.shows())
	codes := p.saved()

	// The page with codes, after the time in which it can be seen again.
	p.Get("/security/codes/new")
	p.enters(app.next())
	p.Sees("Your old recovery codes stop working")
	s.clock.advance(time.Hour)
	p.next("form[action='/security/codes/new'] button")
	p.Sees("Confirm that it is you")
	p.enters(app.next())
	p.Sees("Your old recovery codes stop working")
	p.next("form[action='/security/codes/new'] button")
	p.Sees("Save your recovery codes")
	renewed := p.Texts(".recovery-codes ol code")
	s.clock.advance(time.Hour)
	p.Reload()
	p.Sees("10 of 10 are left.")
	if shown := p.Texts(".recovery-codes ol code"); len(shown) > 0 || slices.Equal(codes, renewed) {
		t.Errorf("shown %q", shown)
	}

	// The code before something sensitive, and a link.
	p.Get("/data")
	p.enters(app.next())
	p.Sees(`"email"`)
	s.clock.advance(6 * time.Minute)
	p.Reload()
	p.Sees("Confirm that it is you")
	p.Get("/forgot")
	p.Fill("#email", email)
	p.Next(func() { p.Type("#email", "\r") })
	link := s.received(email, "link to change your password").Link
	s.clock.advance(31 * time.Minute)
	p.Get(link)
	p.Sees("That link is no longer valid. Ask for a new one.")

	// The sign-in.
	p.next("form[action='/sign-out'] button")
	p.signIn(email)
	p.Sees("Enter your code")
	s.clock.advance(11 * time.Minute)
	p.enters(app.next())
	p.Sees("That took too long.")
	p.next("main a.button")
	p.Sees("Forgot your password?")
}

// A reload, or the way back, does nothing a second time and shows no page of somebody who
// has signed out.
func TestReloadAndBack(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	p := s.person()
	app, _ := p.member(email, true)
	p.Reload()
	p.Sees("10 of 10 are left.")

	// Two ways to the same page of codes, and back from what follows.
	p.Get("/security/codes/new")
	p.enters(app.next())
	p.next("form[action='/security/codes/new'] button")
	p.Sees("Save your recovery codes")
	codes := p.Texts(".recovery-codes ol code")
	p.Reload()
	for _, move := range []func(){p.Back, p.Forward} {
		move() // to the button that made them, or from there: it leads on until they are saved
		p.Sees("Save your recovery codes")
		if again := p.Texts(".recovery-codes ol code"); !slices.Equal(again, codes) {
			t.Errorf("back or forward shows %q", again)
		}
	}
	p.Reload()
	p.saved()
	p.Back() // the browser may have kept the page
	p.Reload()
	p.Sees("10 of 10 are left.")
	if n := s.happened(email, enrollment.EventCodesRenewed); n != 1 {
		t.Errorf("codes were made %d times", n)
	}

	// A new name, a change of the password, the end of the second factor.
	p.Get("/password")
	p.enters(app.next())
	p.Fill("#old", password)
	p.Fill("#password", password+"!")
	p.next("main form button")
	p.Sees("You are signed out everywhere else.")
	p.Reload()
	p.Back()
	p.Sees("Choose a new password")
	p.Get("/security/disable")
	p.enters(app.next())
	p.next("form[action='/security/disable'] button")
	p.Sees("Two-factor authentication is off.")
	p.Reload()
	p.Back()
	p.Sees("You sign in with your password alone.")
	if n := s.happened(email, enrollment.EventDisabled); n != 1 {
		t.Errorf("turned off %d times", n)
	}

	p.next("form[action='/sign-out'] button")
	p.Sees("Try two-factor authentication")
	p.Back()
	p.Sees("Forgot your password?")
	if text := strings.Join(p.Texts("body"), ""); strings.Contains(text, email) {
		t.Errorf("the way back shows the page of somebody who has signed out:\n%s", text)
	}
}
