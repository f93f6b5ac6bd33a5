package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// mandate makes a second factor mandatory.
func (s *site) mandate(admin *browser, p *phone, days string, more ...string) {
	s.t.Helper()
	admin.get("/admin/mandate")
	if !hasForm(admin.page.body, "/admin/mandate") { // the last code has expired
		admin.step(p.next())
	}
	admin.submit("/admin/mandate", append([]string{"mandatory", "yes", "days", days}, more...)...)
	admin.at("/admin/mandate")
	admin.sees("Two-factor authentication is required for everyone")
}

// TestMandate sends users to the setup at the next sign-in and at sign-up. Confirming
// the setup signs them in.
func TestMandate(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member("bob@example.com")
	s.clock.advance(time.Minute)
	s.mandate(admin, adminPhone, "0")

	bob.get("/security/")
	bob.at("/security/") // the mandate applies at the next sign-in
	bob.sees("It is required here.")
	bob.signOut()
	bob.signIn("bob@example.com")
	bob.at("/security/setup/begin")
	bob.sees(languages["en"].Decisions[enrollment.MustEnroll])
	bob.lacks("Sign up", "Sign out")
	for _, path := range []string{"/security/", "/data", "/security/codes/new", "/password", "/admin/mandate", "/security/address/remove", "/security/step?for=settings"} {
		bob.get(path)
		bob.signedOut()
	}
	phone := bob.setUp("/security/setup/begin")
	bob.submit("/security/setup", "code", phone.wrong())
	bob.denied("That code is wrong.")
	if bob.cookie("session") != nil {
		t.Error("there is a session before the setup")
	}
	bob.submit("/security/setup", "code", phone.shows())
	bob.saved()
	bob.get("/")
	bob.sees("You are signed in as", "bob@example.com")

	// Where it is required, it can't be turned off.
	bob.get("/security/")
	bob.lacks("Turn off two-factor authentication")
	bob.get("/security/disable")
	bob.at("/security/")
	bob.denied("you can’t turn it off")
	bob.get("/security/codes/new")
	bob.step(phone.next()) // which would prove it
	bob.post("/security/disable", nil)
	bob.denied("you can’t turn it off")
	bob.signOut()
	bob.signIn("bob@example.com")
	bob.at("/security/sign-in")

	// Sign-up leads straight to the setup. There is no session before it, and after
	// a while the password is needed again.
	carol := s.browser()
	carol.get("/sign-up")
	carol.submit("/sign-up", "email", "carol@example.com", "password", password)
	carol.at("/security/setup/begin")
	carol.get("/")
	carol.lacks("carol@example.com", "Sign out")
	s.clock.advance(31 * time.Minute)
	carol.get("/security/setup/begin")
	carol.signedOut()
	carol.signIn("carol@example.com")
	carol.at("/security/setup/begin")
	carol.submit("/security/setup/begin")
	carol.submit("/security/setup/cancel")
	carol.signedOut()
	carol.signIn("carol@example.com")
	carol.submit("/security/setup/begin")
	first := carol.scan()
	form := carol.page
	other := s.browser()
	other.signIn("carol@example.com")
	other.submit("/security/setup/begin") // supersedes the first
	carol.page = form
	carol.submit("/security/setup", "code", first.shows())
	carol.at("/security/setup/begin")
	carol.sees("You have started another setup")
	other.submit("/security/setup", "code", other.scan().shows())
	other.saved()
	carol.get("/security/setup/begin") // the user has a second factor now and must sign in with it
	carol.signedOut()

	// The same if the second factor was imported.
	dave := s.browser()
	dave.get("/sign-up")
	dave.submit("/sign-up", "email", "dave@example.com", "password", password)
	dave.at("/security/setup/begin")
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: phone.key}}}
	if err := s.app.guard.Admin("migration", "taken over").Import(t.Context(), s.idOf("dave@example.com"), im); err != nil {
		t.Fatal(err)
	}
	dave.get("/security/setup/begin")
	dave.signedOut()

	// The mandate is turned off again.
	admin.get("/admin/mandate")
	admin.step(adminPhone.next())
	admin.submit("/admin/mandate", "mandatory", "no")
	admin.sees("Two-factor authentication is not required.", "Users decide for themselves.")
	s.member("erin@example.com")
}

// TestGrace gives days of grace to users who joined before.
func TestGrace(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	s.member("bob@example.com")
	s.clock.advance(24 * time.Hour)
	s.mandate(admin, adminPhone, "7")
	admin.sees("have until 10 March 2026")

	// Users who join later have no days of grace.
	s.clock.advance(time.Minute)
	carol := s.browser()
	carol.get("/sign-up")
	carol.submit("/sign-up", "email", "carol@example.com", "password", password)
	carol.at("/security/setup/begin")

	bob := s.browser()
	s.clock.advance(6 * 24 * time.Hour)
	bob.signIn("bob@example.com")
	bob.at("/")
	bob.sees("Set it up by 10 March 2026, 10:")
	bob.get("/security/")
	bob.at("/security/")

	// A new number of days counts from the day it was turned on.
	s.mandate(admin, adminPhone, "8")
	admin.sees("have until 11 March 2026")
	s.clock.advance(26 * time.Hour)
	bob.signIn("bob@example.com")
	bob.sees("Set it up by 11 March 2026, 10:")
	late := s.browser()
	s.clock.advance(24 * time.Hour)
	late.signIn("bob@example.com")
	late.at("/security/setup/begin")

	// After the setup, the home page shows no deadline.
	bob.get("/")
	bob.follow("Set it up now")
	bob.submit("/confirm", "password", password) // the last time was long ago
	bob.submit("/security/setup/begin")
	bob.submit("/security/setup", "code", bob.scan().shows())
	bob.saved()
	bob.get("/")
	bob.lacks("Set it up by")
	late.get("/security/setup/begin")
	late.signedOut()
}

// TestExempt signs in a user to whom the mandate does not apply.
func TestExempt(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	s.member("client@example.com")
	s.clock.advance(time.Minute)
	s.mandate(admin, adminPhone, "0")
	client := s.browser()
	client.signIn("client@example.com")
	client.at("/security/setup/begin")

	admin.get(memberPath(s.idOf("client@example.com")))
	admin.sees("Required</dt><dd>yes")
	admin.role(s.idOf("client@example.com"), "client")
	admin.sees("Role changed.", "no, a client")
	admin.get("/admin/mandate")
	admin.sees("who only look at things (1)", "Everyone it applies to has a second factor.")
	client.signIn("client@example.com")
	client.at("/")
	client.get("/security/")
	client.lacks("is required")

	// Clients can be made to as well.
	s.mandate(admin, adminPhone, "0", "exempt", "")
	admin.sees("1 user it applies to has no second factor yet.")
	client.signIn("client@example.com")
	client.at("/security/setup/begin")
}

func TestMandateRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	root := s.browser()
	root.signUp(adminEmail)
	root.sees("you are an administrator")
	root.signIn(adminEmail)
	root.sees("an administrator")
	root.get("/admin/mandate")
	root.at("/security/")
	root.sees("Turn on two-factor authentication first")
	root.post("/admin/mandate", url.Values{"mandatory": {"yes"}, "days": {"0"}})
	root.at("/security/")

	p, _ := root.enable()
	root.get("/admin/mandate")
	root.askedForCode()
	root.post("/admin/mandate", url.Values{"mandatory": {"yes"}, "days": {"0"}})
	root.askedForCode()
	root.get("/admin/mandate")
	root.step(p.next())
	for _, days := range []string{"-1", "91", "many", ""} {
		root.submit("/admin/mandate", "mandatory", "yes", "days", days)
		if root.page.status != http.StatusUnprocessableEntity {
			t.Errorf("%q days: status %d", days, root.page.status)
		}
		root.sees("Enter a number of days from 0 to 90.", "Users decide for themselves.")
		root.get("/admin/mandate")
	}

	// For other users the pages do not exist.
	bob := s.member("bob@example.com")
	bob.enable()
	for _, path := range []string{"/admin/mandate", memberPath(s.idOf(adminEmail))} {
		bob.get(path)
		if bob.page.status != http.StatusNotFound {
			t.Errorf("%s: status %d for somebody who is no administrator", path, bob.page.status)
		}
	}
	for _, path := range []string{"/admin/mandate", "/admin/member"} {
		bob.post(path, url.Values{"id": {s.idOf(adminEmail)}, "action": {"erase"}, "reason": {"because"}, "sure": {"yes"}})
		if bob.page.status != http.StatusNotFound {
			t.Errorf("%s: status %d for somebody who is no administrator", path, bob.page.status)
		}
	}
	root.get("/admin/mandate")
	root.sees("Users decide for themselves.")
}

func hasForm(body, action string) bool {
	for _, form := range formRE.FindAllStringSubmatch(body, -1) {
		if form[1] == action {
			return true
		}
	}
	return false
}
