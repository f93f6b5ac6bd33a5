package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// setUp scans the QR code of the page and sends the first code.
func (p *person) setUp() oath {
	p.t.Helper()
	p.Sees("Scan this with the app")
	app := p.scan()
	p.Type("#code", app.shows())
	return app
}

// saved leaves the page with the recovery codes.
func (p *person) saved() []string {
	p.t.Helper()
	p.Sees("I have saved")
	codes := p.Texts(".recovery-codes ol code")
	p.Click("main [type=checkbox]")
	p.Next(func() { p.Click("form[action='/security/codes'] button") })
	return codes
}

// Production tracking: required from everyone but clients. One field takes both kinds of
// codes. Everything works by keyboard.
func TestStoryOfTracking(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	p := s.person()
	admin, phone := s.admin()
	s.member("bob@example.com")
	s.member("client@example.com")
	admin.role(s.idOf("client@example.com"), "client")
	s.mandate(admin, phone, "0")

	p.signIn("client@example.com")
	p.Sees("You are signed in as client@example.com")
	p.Next(func() { p.Click("form[action='/sign-out'] button") })
	p.signIn("bob@example.com")
	p.Sees(languages["en"].Decisions[enrollment.MustEnroll])
	p.picture("required")
	p.Get("/data")
	p.Sees("Sign in")
	p.signIn("bob@example.com")
	p.Sees(languages["en"].Decisions[enrollment.MustEnroll])
	p.Type("main form button", "\r")
	app := p.setUp()
	codes := p.saved()
	p.Get("/security/")
	p.Sees("you can’t turn it off")

	for _, code := range []string{app.next(), strings.ToLower(codes[3])} {
		p.signIn("bob@example.com")
		p.Sees("Enter your code")
		p.Type("#code", code+"\r")
		p.Sees("You are signed in as bob@example.com")
	}
	p.Sees("You signed in with a recovery code. 9 are left.")
}

// Video: an app or text messages, and a pass for a day.
func TestStoryOfVideo(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.AddressAlone = true })
	p := s.person()
	admin, phone := s.admin()
	s.clock.advance(time.Minute)
	s.mandate(admin, phone, "0")

	p.signUp("bob@example.com")
	p.Sees("Use text messages instead")
	p.picture("choice")
	p.Click("a[href^='/security/address']")
	p.Sees("Country")
	p.Type("#country", "Germany")
	p.Type("#to", "0151 23456789\r")
	p.Sees("Enter the code")
	p.Type("#code", s.sentCode(number))
	p.saved()
	p.Sees("You are signed in as bob@example.com")
	s.clock.advance(2 * time.Minute)
	p.signIn("bob@example.com")
	p.picture("message-first")
	p.Click("form[action='/security/sign-in/text'] button")
	p.Sees("…89")
	p.picture("message-sent")
	p.Type("#code", s.sentCode(number))
	p.Sees("You are signed in as bob@example.com")

	admin.open("bob@example.com", phone)
	admin.help("pass", "phone at home")
	p.signIn("bob@example.com")
	p.Sees("You signed in with the pass from your administrator.")
	p.picture("pass")
	s.clock.advance(25 * time.Hour)
	p.Get("/data")
	p.Sees("Sign in")
	p.signIn("bob@example.com")
	p.Sees("Text me a code")
}

// Tracker: recovery codes before the QR code, a password reset that asks for a code, and a
// reset of everything that takes days.
func TestStoryOfTracker(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.CodesAtSetup = true })
	p := s.person()
	admin, phone := s.admin()
	p.signUp("bob@example.com")
	p.Sees("Account created.")
	p.signIn("bob@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/setup/begin")
	p.Click("main form button")
	p.Sees("They become valid when the setup is done.")
	p.picture("codes-first")
	app := p.setUp()
	p.saved()

	p.Get("/forgot")
	p.Type("#email", "bob@example.com\r")
	p.Sees("we have sent it a message")
	p.Get(s.received("bob@example.com", "link to change your password").Link)
	p.Sees("Anyone who can read your e-mail can open that link.")
	p.picture("reset-code")
	p.Type("#code", app.next())
	p.Sees("New password")
	p.picture("reset-password")
	p.Type("#password", password+"\r")
	p.Sees("Password changed. Please sign in.")

	p.signIn("bob@example.com")
	p.Sees("I have lost my phone")
	p.Click("details summary")
	p.Click("form[action='/security/sign-in/reset'] button")
	p.Sees("Nothing happens before")
	p.picture("lost")
	s.clock.advance(3*24*time.Hour + time.Minute)
	admin.open("bob@example.com", phone)
	admin.help("approve", "came by in person")
	admin.sees("Two-factor authentication is now off for this user.")
	p.signIn("bob@example.com")
	p.Sees("You are signed in as bob@example.com")
}

// System access: eight recovery codes that never run out and can be seen again.
func TestStoryOfSystemAccess(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) {
		c.Issuer, c.eightCodes, c.ReplenishCodes, c.KeepCodes = "Reseller One", true, true, true
	})
	p := s.person()
	p.signUp("alice@example.com")
	p.Sees("Account created.")
	p.signIn("alice@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/setup/begin")
	p.Click("main form button")
	p.Sees("Scan this with the app")
	if uri := p.Scan("img.qr"); !strings.Contains(uri, "Reseller%20One") {
		t.Errorf("the app shows %q", uri)
	}
	app := p.setUp()
	codes := p.saved()
	if len(codes) != 8 {
		t.Fatalf("%d codes", len(codes))
	}
	p.signIn("alice@example.com")
	p.Sees("Enter your code")
	p.Type("#code", codes[0]+"\r")
	p.Sees("It replaces the one that you have just used.")
	p.picture("replenished")
	p.Click("main form button")
	p.Sees("You are signed in as")
	p.Get("/security/")
	p.Sees("8 of 8 are left.")
	p.Get("/security/codes/kept")
	p.Type("#code", app.next())
	p.Sees("These are the codes that you have not used.")
	p.picture("kept")
}

// Without JavaScript, with two tabs, pages of yesterday, a wrong clock and a lock.
func TestTroubleInABrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	p := s.person()
	p.WithoutScripts()
	p.signUp("alice@example.com")
	p.Sees("Account created.")
	p.signIn("alice@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/setup/begin")
	p.Click("main form button")
	p.Sees("Scan this with the app")
	app := p.scan()
	s.clock.advance(-4 * time.Minute)
	slow := app.shows()
	s.clock.advance(4 * time.Minute)
	p.Type("#code", slow+"\r")
	p.Sees("about 4 minutes slow")
	p.Type("#code", app.shows()+"\r")
	codes := p.saved()
	p.Back()
	p.Reload()
	p.Get("/security/")
	p.Sees("10 of 10 are left.")

	// Locked: three consecutive codes let the owner in.
	p.signIn("alice@example.com")
	for range 5 {
		p.Sees("Enter your code")
		p.Next(func() { p.Type("#code", "000000\r") })
		p.Sees("wrong")
	}
	p.Click("nav.ways a[href*='with=three']")
	p.Sees("Three codes in a row")
	for _, field := range []string{"#code-1", "#code-2", "#code-3"} {
		p.Type(field, app.next())
	}
	p.Click("main form button")
	p.Sees("You are signed in as")

	// A page of yesterday.
	p.Click("form[action='/sign-out'] button")
	p.Sees("Try two-factor authentication")
	p.signIn("alice@example.com")
	p.Sees("Enter your code")
	s.clock.advance(24 * time.Hour)
	p.Type("#code", codes[0]+"\r")
	p.Sees("That took too long.")
}
