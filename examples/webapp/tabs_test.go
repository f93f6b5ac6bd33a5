package main

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// another opens another tab of the person's browser.
func (p *person) another() *person { return &person{p.Another(), p.t, p.site} }

// next clicks on something, and waits for the page that follows.
func (p *person) next(selector string) {
	p.t.Helper()
	p.Next(func() { p.Click(selector) })
}

// enters sends a code by the return key.
func (p *person) enters(code string) {
	p.t.Helper()
	p.Next(func() { p.Fill("#code", code); p.Type("#code", "\r") })
}

// member is a person who is signed in, with or without a second factor.
func (p *person) member(email string, enrolled bool) (app oath, codes []string) {
	p.t.Helper()
	p.signUp(email)
	p.Sees("Account created.")
	p.signIn(email)
	p.Sees("You are signed in as")
	if enrolled {
		p.Get("/security/setup/begin")
		p.next("main form button")
		app = p.scan()
		p.enters(app.shows())
		codes = p.saved()
	}
	return app, codes
}

// status returns where the account stands.
func (s *site) status(email string) enrollment.Status {
	s.t.Helper()
	status, err := s.app.guard.Status(s.t.Context(), s.idOf(email))
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// happened returns how often something is in the history of the account.
func (s *site) happened(email string, kind enrollment.EventKind) (n int) {
	s.t.Helper()
	for _, e := range s.status(email).History {
		if e.Kind == kind {
			n += max(e.Count, 1)
		}
	}
	return n
}

// The setup of the tab that began last works. The other tab is told, and takes nothing
// from it.
func TestTwoTabsOfASetup(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	a := s.person()
	a.member(email, false)
	b := a.another()
	var apps []oath
	for _, tab := range []*person{a, b} {
		tab.Get("/security/setup/begin")
		tab.next("main form button")
		tab.Sees("Scan this with the app")
		apps = append(apps, tab.scan())
	}
	a.enters(apps[0].shows())
	a.Sees("You have started another setup")
	if led := a.scan(); led.secret != apps[1].secret {
		t.Error("the first tab does not lead to the later setup")
	}
	b.Reload()
	b.Sees("Scan this with the app")
	if again := b.scan(); again.secret != apps[1].secret {
		t.Error("a reload of the other tab shows another setup")
	}
	b.enters(apps[1].shows())
	b.Sees("Save your recovery codes")
	codes := b.saved()

	// What is left of the setup in the first tab shows what the other has made.
	a.enters(apps[1].next())
	a.Sees("Save your recovery codes")
	if again := a.saved(); !slices.Equal(again, codes) {
		t.Errorf("the codes are %q", again)
	}
	if status := s.status(email); len(status.Authenticators) != 1 || status.CodesLeft != len(codes) || s.happened(email, enrollment.EventEnabled) != 1 {
		t.Errorf("%+v", status)
	}
}

// Two tabs wait for a code. What one has done, the other does not undo or do again.
func TestTwoTabsOfASignIn(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	a := s.person()
	app, codes := a.member(email, true)
	b := a.another()
	for _, tab := range []*person{a, b} {
		tab.signIn(email)
		tab.Sees("Enter your code")
	}
	a.Type("#code", app.next())
	a.Sees("You are signed in as")
	b.enters(app.shows()) // the same code
	b.Sees("You are signed in as")
	b.Get("/security/")
	b.Sees("10 of 10 are left.")

	// Both ask for a code before something sensitive. One code is enough for both.
	for _, tab := range []*person{a, b} {
		tab.Get("/data")
		tab.Sees("Confirm that it is you")
	}
	a.Type("#code", app.next())
	a.Sees(`"email"`)
	b.enters(codes[0])
	b.Sees(`"email"`)
	b.Reload()
	b.Sees(`"email"`)
	a.Reload()
	a.Sees(`"email"`)

	status := s.status(email)
	if len(status.Locks) > 0 || status.CodesLeft != 9 || s.happened(email, enrollment.EventWrongCodes) > 0 || s.happened(email, enrollment.EventRightAfterWrong) > 0 {
		t.Errorf("%+v", status)
	}
}

// Two accounts wait for a code in two tabs. The code of the first is no guess at the
// second, which signs in, and the first tab can begin again.
func TestTwoAccountsInTwoTabs(t *testing.T) {
	t.Parallel()
	const email, other = "alice@example.com", "bob@example.com"
	s := newSite(t, fast)
	a := s.person()
	app, _ := a.member(email, true)
	theirs, _ := s.person().member(other, true)
	b := a.another()
	a.signIn(email)
	a.Sees("Enter your code")
	b.signIn(other)
	b.Sees("Enter your code")
	a.enters(app.next())
	a.Sees("This browser was used with another account in the meantime.")
	b.enters(theirs.next())
	b.Sees("You are signed in as")
	a.Reload()
	a.Sees("This browser was used with another account in the meantime.")
	a.next("main a.button")
	if n := s.happened(other, enrollment.EventRightAfterWrong) + s.happened(other, enrollment.EventWrongCodes); n > 0 {
		t.Errorf("%d events about wrong codes", n)
	}
	if status := s.status(other); len(status.Locks) > 0 {
		t.Errorf("%+v", status.Locks)
	}
}

// One tab signs out. The other leads to the sign-in and back to where it was, and nothing
// is done without a session.
func TestSignOutInOneTab(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	a := s.person()
	app, _ := a.member(email, true)
	b := a.another()
	b.Get("/security/")
	b.Sees("10 of 10 are left.")
	a.Get("/security/")
	a.next("form[action='/sign-out'] button")
	a.Sees("Try two-factor authentication")
	a.Back()
	a.Sees("Sign in") // the page before was not kept
	b.next("a[href='/security/codes/new']")
	b.Sees("Forgot your password?")
	b.Fill("#email", email)
	b.Next(func() { b.Type("#password", password+"\r") })
	b.Sees("Enter your code")
	b.Type("#code", app.next())
	b.Sees("Confirm that it is you")
	b.Type("#code", app.next())
	b.Sees("Your old recovery codes stop working")

	// A form that was left open, sent after the other tab has signed out.
	b.Get("/security/")
	b.Click("details summary")
	b.Fill("details input[name=name]", "mine")
	a.Get("/")
	a.next("form[action='/sign-out'] button")
	b.next("details form button")
	b.Sees("Forgot your password?")
	if name := s.status(email).Authenticators[0].Name; name == "mine" {
		t.Error("a form was done without a session")
	}
}

// Recovery codes that a tab shows are gone when another tab has signed out, also for the
// next person at this browser. The next sign-in of their user shows them again.
func TestCodesAndASignOut(t *testing.T) {
	t.Parallel()
	const email, other = "alice@example.com", "bob@example.com"
	s := newSite(t, fast)
	s.member(other)
	a := s.person()
	a.member(email, false)
	b := a.another()
	b.Get("/security/setup/begin")
	b.next("main form button")
	app := b.scan()
	b.enters(app.shows())
	b.Sees("Save your recovery codes")
	codes := b.Texts(".recovery-codes ol code")
	a.Get("/")
	a.next("form[action='/sign-out'] button")
	b.Reload()
	b.Sees("Sign in")
	if shown := b.Texts(".recovery-codes ol code"); len(shown) > 0 {
		t.Error("the codes are shown to whoever comes next")
	}
	b.signIn(email)
	b.Sees("Enter your code")
	b.enters(app.next())
	if again := b.saved(); !slices.Equal(again, codes) { // its user has not said so yet
		t.Errorf("the codes are %q, want %q", again, codes)
	}
	b.Sees("You are signed in as")
	b.Get("/security/codes/new")
	b.enters(app.next())
	b.next("form[action='/security/codes/new'] button")
	b.Sees("Save your recovery codes")
	a.Get("/")
	a.next("form[action='/sign-out'] button")
	a.signIn(other)
	a.Sees("You are signed in as bob@example.com")
	b.Reload()
	b.Sees("You sign in with your password alone.")
	if shown := b.Texts(".recovery-codes ol code"); len(shown) > 0 {
		t.Error("the codes are shown to somebody else")
	}
}

// A change in one browser ends the session in another, which can begin again at once.
func TestSecondBrowser(t *testing.T) {
	t.Parallel()
	const email = "alice@example.com"
	s := newSite(t, fast)
	a, b := s.person(), s.person()
	old, _ := a.member(email, true)
	b.signIn(email)
	b.Sees("Enter your code")
	b.Type("#code", old.next())
	b.Sees("You are signed in as")

	// The setup of a new phone in one browser: the other knows of it, and can't see it.
	a.Get("/security/")
	a.next("a[href^='/security/setup/begin?replace=']")
	a.enters(old.next())
	a.next("main form button")
	a.Sees("Scan this with the app")
	app := a.scan()
	b.Get("/security/")
	b.Sees("A setup waits for its first code")
	b.next("a[href='/security/setup']")
	b.Sees("Confirm that it is you")
	a.enters(app.shows())
	a.Sees("The new app has replaced the old one.")
	b.Get("/security/")
	b.Sees("Forgot your password?")
	b.signIn(email)
	b.Sees("Enter your code")
	b.enters(old.next())
	b.Sees("That code is wrong.")
	b.enters(app.next())
	b.Sees("You are signed in as")
	a.Get("/security/")
	a.Sees("10 of 10 are left.") // its session goes on
}
