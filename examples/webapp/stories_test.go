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
// codes, which are kept in a file, and the key is typed in by hand. S1 to S3, R1, R3 and R4
// of FEATURES.md; S4 is in mobile_test.go.
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
	p.Get("/data")
	p.Sees("Sign in")
	p.signIn("bob@example.com")
	p.Sees(languages["en"].Decisions[enrollment.MustEnroll])
	p.next("main form button")
	p.Click("main details summary")
	p.Sees("type this key")
	app := oath{t, s, p.Texts("#key")[0]}
	p.Type("#code", app.shows())
	p.Sees("I have saved")
	sheet := p.Download("a[href='/security/codes.txt']")
	codes := p.saved()
	for _, text := range append(codes, "bob@example.com") {
		if !strings.Contains(sheet, text) {
			t.Errorf("the file has no %s:\n%s", text, sheet)
		}
	}
	p.Sees("You are signed in as bob@example.com")
	p.Get("/security/")
	p.Sees("you can’t turn it off")

	for _, code := range []string{app.next(), strings.ToLower(codes[3])} {
		p.signIn("bob@example.com")
		p.Sees("Enter your code")
		p.Type("#code", code+"\r")
		p.Sees("You are signed in as bob@example.com")
	}
	p.Sees("You signed in with a recovery code. 9 are left.")
	p.signIn("bob@example.com")
	p.Sees("Enter your code")
	p.enters(codes[3])
	p.Sees("You have already used that recovery code.")
}

// Video: an app or text messages, and a pass for a day. R1, R2 and R6 of FEATURES.md.
func TestStoryOfVideo(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.AddressAlone = true })
	p := s.person()
	admin, phone := s.admin()
	s.clock.advance(time.Minute)
	s.mandate(admin, phone, "0")

	p.signUp("bob@example.com")
	p.Sees("Use text messages instead")
	p.next("a[href^='/security/address']")
	p.Sees("Country")
	p.Type("#country", "Germany")
	p.Type("#to", "0151 23456789\r")
	p.Sees("Enter the code")
	p.Type("#code", s.sentCode(number))
	p.saved()
	p.Sees("You are signed in as bob@example.com")
	s.clock.advance(2 * time.Minute)
	p.signIn("bob@example.com")
	p.Sees("Enter your code")
	p.next("form[action='/security/sign-in/text'] button")
	p.Sees("…89")
	p.Type("#code", s.sentCode(number))
	p.Sees("You are signed in as bob@example.com")

	admin.open("bob@example.com", phone)
	admin.help("pass", "phone at home")
	p.signIn("bob@example.com")
	p.Sees("You signed in with the pass from your administrator.")
	s.clock.advance(25 * time.Hour)
	p.Get("/data")
	p.Sees("Sign in")
	p.signIn("bob@example.com")
	p.Sees("Text me a code")

	// Without a second factor, a setup follows the pass, also where none is required.
	admin.get("/admin/mandate")
	admin.step(phone.next())
	admin.submit("/admin/mandate", "mandatory", "no")
	admin.open("bob@example.com", phone)
	admin.help("reset", "lost the phone")
	admin.help("pass", "gets a new one tomorrow")
	p.signIn("bob@example.com")
	p.Sees("You signed in with the pass from your administrator.")
	s.clock.advance(25 * time.Hour)
	p.signIn("bob@example.com")
	p.Sees(languages["en"].Decisions[enrollment.MustEnroll])
}

// Tracker: recovery codes before the QR code, mails, the password that turns it off, a
// password reset that asks for a code, a reset of everything that takes days, and a list of
// members. T1 to T6 of FEATURES.md.
func TestStoryOfTracker(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) { c.CodesAtSetup, c.ReauthDisables = true, true })
	p := s.person()
	admin, phone := s.admin()
	p.signUp("bob@example.com")
	p.Sees("Account created.")
	p.signIn("bob@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/setup/begin")
	p.next("main form button")
	p.Sees("They become valid when the setup is done.")
	p.setUp()
	p.saved()
	s.received("bob@example.com", "Two-factor authentication was turned on.")

	// The password turns it off. It is asked for if it was entered long ago.
	s.clock.advance(time.Hour)
	p.Get("/security/")
	p.next("a[href='/security/disable']")
	p.Sees("Enter your password")
	p.Next(func() { p.Type("#password", password+"\r") })
	p.Sees("Your password alone will sign in.")
	p.next("form[action='/security/disable'] button")
	p.Sees("Two-factor authentication off")
	s.received("bob@example.com", "Two-factor authentication was turned off.")
	p.Get("/security/setup/begin")
	p.next("main form button")
	app := p.setUp()
	p.saved()

	p.Get("/forgot")
	p.Type("#email", "bob@example.com\r")
	p.Sees("we have sent it a message")
	p.Get(s.received("bob@example.com", "link to change your password").Link)
	p.Sees("Anyone who can read your e-mail can open that link.")
	p.Type("#code", app.next())
	p.Sees("New password")
	p.Type("#password", password+"\r")
	p.Sees("Password changed. Please sign in.")

	p.signIn("bob@example.com")
	p.Sees("I have lost my phone")
	p.Click("details summary")
	p.next("form[action='/security/sign-in/reset'] button")
	p.Sees("Nothing happens before")
	s.clock.advance(3*24*time.Hour + time.Minute)
	admin.open("bob@example.com", phone)
	admin.help("approve", "came by in person")
	admin.sees("Two-factor authentication is now off for this user.")
	p.signIn("bob@example.com")
	p.Sees("You are signed in as bob@example.com")

	p.signIn(adminEmail)
	p.Sees("Enter your code")
	p.enters(phone.next())
	p.Get("/admin/members")
	p.enters(phone.next())
	p.Sees("All 2")
	list := p.Download("a[href^='/admin/members.csv']")
	for _, row := range []string{adminEmail + ",admin,", "bob@example.com,member,"} {
		if !strings.Contains(list, row) {
			t.Errorf("the file has no %s:\n%s", row, list)
		}
	}
}

// System access: eight recovery codes that never run out and can be seen again, and who has a
// second factor. A1 to A4 and A7 of FEATURES.md.
func TestStoryOfSystemAccess(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast, func(c *config) {
		c.eightCodes, c.ReplenishCodes, c.KeepCodes = true, true, true
		c.brands = map[string]string{"127.0.0.1": "Reseller One"}
	})
	p := s.person()
	p.signUp("alice@example.com")
	p.Sees("Account created.")
	p.signIn("alice@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/setup/begin")
	p.next("main form button")
	p.Sees("Scan this with the app")
	if uri := p.Scan("img.qr"); !strings.Contains(uri, "Reseller%20One") {
		t.Errorf("the app shows %q", uri)
	}

	// Without a first code nothing changes, and one begins again.
	left := p.scan()
	s.clock.advance(time.Hour)
	p.signIn("alice@example.com")
	p.Sees("You are signed in as")
	p.Get("/security/")
	p.Sees("Two-factor authentication off")
	p.next("a[href='/security/setup/begin']")
	p.next("main form button")
	app := p.setUp()
	if app.secret == left.secret {
		t.Error("the secret is that of the setup which was left")
	}
	codes := p.saved()
	if len(codes) != 8 {
		t.Fatalf("%d codes", len(codes))
	}
	p.signIn("alice@example.com")
	p.Sees("Enter your code")
	p.Type("#code", codes[0]+"\r")
	p.Sees("It replaces the one that you have just used.")
	p.next("main form button")
	p.Sees("You are signed in as")
	p.Get("/security/")
	p.Sees("8 of 8 are left.")
	p.Get("/security/codes/kept")
	p.Type("#code", app.next())
	p.Sees("These are the codes that you have not used.")

	// Alice is an administrator, as the first user.
	s.member("bob@example.com")
	p.Get("/admin/members?factor=on")
	p.enters(app.next())
	p.Sees("alice@example.com")
	if rows := p.Texts("tbody tr"); len(rows) != 1 || !strings.Contains(rows[0], "recovery code") {
		t.Errorf("with a second factor: %q", rows)
	}
	p.next("a[href^='/admin/members?factor=off']")
	if rows := p.Texts("tbody tr"); len(rows) != 1 || !strings.Contains(rows[0], "bob@example.com") {
		t.Errorf("without a second factor: %q", rows)
	}
	p.Get(memberPath(s.idOf("alice@example.com")))
	p.Sees("Two-factor authentication on")
	if last := p.Texts("dl dd")[0]; !strings.HasSuffix(last, ", recovery code") {
		t.Errorf("the last sign-in was %q", last)
	}
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
	p.next("main form button")
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
	p.next("nav.ways a[href*='with=three']")
	p.Sees("Three codes in a row")
	for _, field := range []string{"#code-1", "#code-2", "#code-3"} {
		p.Type(field, app.next())
	}
	p.next("main form button")
	p.Sees("You are signed in as")

	// A page of yesterday.
	p.next("form[action='/sign-out'] button")
	p.Sees("Try two-factor authentication")
	p.signIn("alice@example.com")
	p.Sees("Enter your code")
	s.clock.advance(24 * time.Hour)
	p.Type("#code", codes[0]+"\r")
	p.Sees("That took too long.")
}
