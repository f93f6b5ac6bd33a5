package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// mandate makes a second factor mandatory.
func (s *site) mandate(admin *browser, p *phone, days string) {
	s.t.Helper()
	admin.get("/admin/mandate")
	if !hasForm(admin.page.body, "/admin/mandate") { // the last code has expired
		admin.submit("/admin/code", "code", p.next())
	}
	admin.submit("/admin/mandate", "mandatory", "yes", "days", days)
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

	bob.get("/security")
	bob.at("/security") // the mandate applies at the next sign-in
	bob.sees("It is required here.")
	bob.signOut()
	bob.signIn("bob@example.com")
	bob.at("/security/begin")
	bob.sees("Two-factor authentication is required here.")
	for _, path := range []string{"/security", "/data", "/security/codes", "/security/password", "/admin/mandate"} {
		bob.get(path)
		bob.at("/sign-in")
	}
	bob.get("/security/begin")
	bob.submit("/security/begin")
	phone := bob.scan()
	bob.submit("/security/setup", "code", phone.wrong())
	bob.denied(http.StatusUnprocessableEntity, "That code is wrong.")
	bob.submit("/security/setup", "code", phone.shows())
	bob.codes()
	bob.get("/")
	bob.sees("You are signed in as", "bob@example.com")
	bob.signOut()
	bob.signIn("bob@example.com")
	bob.at("/sign-in/code")

	// Sign-up leads straight to the setup. There is no session before it, and after
	// a while the password is needed again.
	carol := s.browser()
	carol.get("/sign-up")
	carol.submit("/sign-up", "email", "carol@example.com", "password", password)
	carol.at("/security/begin")
	carol.get("/")
	carol.lacks("carol@example.com", "Sign out")
	s.clock.advance(31 * time.Minute)
	carol.get("/security/begin")
	carol.at("/sign-in")
	carol.signIn("carol@example.com")
	carol.at("/security/begin")
	carol.submit("/security/begin")
	carol.submit("/security/cancel")
	carol.at("/sign-in")
	carol.get("/security/begin")
	carol.submit("/security/begin")
	other := s.browser()
	other.signIn("carol@example.com")
	other.submit("/security/begin") // supersedes the first
	first := carol.scan()
	carol.submit("/security/setup", "code", first.shows())
	carol.at("/security/begin")
	carol.sees("You have started another setup")
	other.submit("/security/setup", "code", other.scan().shows())
	other.codes()
	carol.get("/security/begin") // the user has a second factor now and must sign in with it
	carol.at("/sign-in")

	// The same if the second factor was imported.
	dave := s.browser()
	dave.get("/sign-up")
	dave.submit("/sign-up", "email", "dave@example.com", "password", password)
	dave.at("/security/begin")
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: phone.key}}}
	if err := s.app.guard.Admin("migration", "taken over").Import(t.Context(), s.idOf("dave@example.com"), im); err != nil {
		t.Fatal(err)
	}
	dave.get("/security/begin")
	dave.at("/sign-in")

	// The mandate is turned off again.
	admin.get("/admin/mandate")
	admin.submit("/admin/code", "code", adminPhone.next())
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
	carol.at("/security/begin")

	bob := s.browser()
	s.clock.advance(6 * 24 * time.Hour)
	bob.signIn("bob@example.com")
	bob.at("/")
	bob.sees("Set it up by 10 March 2026, 10:")
	bob.get("/security")
	bob.at("/security")

	// A new number of days counts from the day it was turned on.
	s.mandate(admin, adminPhone, "8")
	admin.sees("have until 11 March 2026")
	s.clock.advance(26 * time.Hour)
	bob.signIn("bob@example.com")
	bob.sees("Set it up by 11 March 2026, 10:")
	late := s.browser()
	s.clock.advance(24 * time.Hour)
	late.signIn("bob@example.com")
	late.at("/security/begin")

	// After the setup, the home page shows no deadline.
	bob.get("/")
	bob.follow("Set it up now")
	bob.submit("/security/begin")
	bob.submit("/security/setup", "code", bob.scan().shows())
	bob.codes()
	bob.get("/")
	bob.lacks("Set it up by")
	late.get("/security/begin")
	late.at("/sign-in")
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
	client.at("/security/begin")

	admin.get(memberPath(s.idOf("client@example.com")))
	admin.sees("Required</dt><dd>yes")
	admin.submit("/admin/rights", "exempt", "yes")
	admin.sees("Rights changed.", "no, exempt")
	admin.get("/admin/mandate")
	admin.sees("client@example.com")
	client.signIn("client@example.com")
	client.at("/")
	client.get("/security")
	client.lacks("is required")
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
	root.at("/security")
	root.sees("Turn on two-factor authentication first")
	root.post("/admin/mandate", url.Values{"mandatory": {"yes"}, "days": {"0"}})
	root.at("/security")

	p, _ := root.enable()
	root.get("/admin/mandate")
	root.sees("Confirm it’s you")
	root.post("/admin/mandate", url.Values{"mandatory": {"yes"}, "days": {"0"}})
	root.sees("Confirm it’s you")
	root.submit("/admin/code", "code", p.next())
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
	for _, path := range []string{"/admin/mandate", "/admin/code", "/admin/reset", "/admin/approve", "/admin/refuse", "/admin/unlock", "/admin/pass", "/admin/rights", "/admin/erase"} {
		bob.post(path, url.Values{"id": {s.idOf(adminEmail)}, "reason": {"because"}, "admin": {"yes"}, "sure": {"yes"}})
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
