package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// open opens the page of a user as an administrator, and enters a code if the last
// one has expired.
func (b *browser) open(email string, p *phone) {
	b.t.Helper()
	path := memberPath(b.site.idOf(email))
	b.get(path)
	if hasForm(b.page.body, "/admin/code") {
		b.submit("/admin/code", "code", p.next())
	}
	b.at(path)
}

var ticketRE = regexp.MustCompile(`<code class="ticket" translate="no">([^<]*)</code>`)

// TestAdminReset turns off the second factor of a user, without and with a ticket
// for the next setup.
func TestAdminReset(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	bob.enable()
	bob.get("/security")
	admin.open(email, adminPhone)
	admin.sees("on", "Authenticator", "10 of 10")
	admin.submit("/admin/reset", "reason", " ")
	admin.sees("Enter a reason.")
	admin.submit("/admin/reset", "reason", "lost the\x00 phone, called in")
	admin.sees("Two-factor authentication is now off for this user.", "turned off by an administrator. The reason given was “lost the phone, called in”.")
	s.received(email, "The reason given was “lost the phone, called in”.\n\nThis happened on 2 March 2026, ")
	bob.get("/security")
	bob.at("/sign-in") // a reset ends the user's sessions
	bob.signIn(email)
	bob.at("/")
	bob.get("/security")
	bob.sees("off", "turned off by an administrator. The reason given was “lost the phone, called in”.")
	admin.submit("/admin/reset", "reason", "once more")
	admin.sees("Two-factor authentication is not on.")

	// With a ticket, the password alone is not enough to set up a new factor.
	admin.submit("/admin/reset", "reason", "suspicious", "ticket", "yes")
	m := ticketRE.FindStringSubmatch(admin.page.body)
	if m == nil {
		t.Fatalf("no ticket:\n%s", admin.page.body)
	}
	admin.sees("only once")
	admin.open(email, adminPhone)
	admin.lacks(m[1])
	if strings.Contains(s.log.String(), m[1]) {
		t.Error("the log holds the ticket")
	}
	bob.signIn(email)
	bob.get("/security/begin")
	bob.submit("/security/begin")
	bob.sees("Ticket", "Your administrator gave you a ticket")
	bob.submit("/security/begin", "ticket", "0000-0000-0000-0000")
	bob.sees("That is not the ticket")
	if bob.page.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong ticket: status %d", bob.page.status)
	}
	bob.submit("/security/begin", "ticket", strings.ToLower(m[1]))
	bob.submit("/security/setup", "code", bob.scan().next())
	bob.codes()
}

// TestPass lets a user sign in without a code for a day. After that, a second
// factor is required again.
func TestPass(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	phone, _ := bob.enable()
	bob.get("/")
	bob.signOut()
	admin.open(email, adminPhone)
	admin.submit("/admin/pass", "reason", "phone at home")
	admin.sees("The user can sign in without a code for 24 hours.", "Pass", "3 March 2026, 10:0")
	bob.signIn(email)
	bob.at("/")
	bob.sees("You signed in with the pass")
	bob.get("/security")
	bob.sees("You can sign in without a code until 3 March 2026", "(administrator’s pass)")
	bob.get("/data") // the pass is valid for the sign-in only
	bob.sees("Confirm it’s you")
	admin.open(email, adminPhone)
	admin.sees("administrator’s pass")

	// A right code ends the pass.
	bob.submit("/data", "code", phone.next())
	bob.signOut()
	bob.signIn(email)
	bob.at("/sign-in/code")

	// If the user has no factor, a new setup is required after the pass.
	admin.open(email, adminPhone)
	admin.submit("/admin/reset", "reason", "phone is broken")
	admin.submit("/admin/pass", "reason", "until the new one is here")
	bob.signIn(email)
	bob.at("/")
	s.clock.advance(24*time.Hour + time.Minute)
	admin.open(email, adminPhone)
	admin.sees("the user must set up two-factor authentication at the next sign-in")
	bob.get("/")
	bob.signOut()
	bob.signIn(email)
	bob.at("/security/begin")
	bob.submit("/security/begin")
	bob.submit("/security/setup", "code", bob.scan().next())
	bob.codes()
	bob.get("/security")
	bob.at("/security")
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	phone, _ := bob.enable()
	bob.get("/")
	bob.signOut()
	admin.open(email, adminPhone)
	admin.lacks("/admin/unlock")
	bob.signIn(email)
	for range 5 {
		bob.submit("/sign-in/code", "code", phone.wrong())
	}
	bob.submit("/sign-in/code", "code", phone.next())
	bob.denied(http.StatusTooManyRequests, "Too many wrong codes")
	admin.open(email, adminPhone)
	admin.sees("Too many wrong codes. Wait ")
	admin.submit("/admin/unlock", "reason", "used the wrong app")
	admin.sees("The user can try again.")
	bob.submit("/sign-in/code", "code", phone.shows())
	bob.at("/")
}

// TestResetRequest has a request refused, and a second one approved.
func TestResetRequest(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	bob.enable()
	ask := func() {
		bob.signIn(email)
		bob.get("/sign-in/lost")
		bob.submit("/sign-in/lost")
		bob.sees("We have your request")
	}
	ask()
	admin.open(email, adminPhone)
	admin.sees("Reset requested", "from 5 March 2026")
	admin.lacks("Approve")
	admin.post("/admin/approve", url.Values{"id": {s.idOf(email)}, "reason": {"in a hurry"}})
	admin.sees("You can’t approve the request yet.", "Wait 3 days.")
	admin.submit("/admin/refuse", "reason", "was not you on the phone")
	admin.sees("Request refused.")
	s.received(email, "refused by an administrator. The reason given was “was not you on the phone”.")

	s.clock.advance(24 * time.Hour)
	ask()
	s.clock.advance(3*24*time.Hour + time.Minute)
	admin.open(email, adminPhone)
	admin.submit("/admin/approve", "reason", "came by in person")
	admin.sees("Two-factor authentication is now off for this user.")
	bob.signIn(email)
	bob.at("/")
	admin.post("/admin/approve", url.Values{"id": {s.idOf(email)}, "reason": {"again"}})
	admin.sees("There is no open request")
}

func TestErase(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	bob.enable()
	id := s.idOf(email)
	admin.open(email, adminPhone)
	admin.submit("/admin/erase", "reason", "has left")
	admin.sees("Tick the box if you are sure.")
	admin.submit("/admin/erase", "reason", "has left", "sure", "yes")
	admin.sees("User deleted.")
	s.received(email, "was deleted by an administrator. The reason given was “has left”.")
	bob.get("/security")
	bob.at("/sign-in")
	bob.signIn(email)
	bob.sees("Wrong e-mail address or password.")
	admin.get(memberPath(id))
	if admin.page.status != http.StatusNotFound {
		t.Errorf("the page of somebody who is gone: status %d", admin.page.status)
	}
	var left int
	row := s.app.db.QueryRow(`SELECT (SELECT count(*) FROM twofactor_accounts WHERE user_id = ?1) + (SELECT count(*) FROM users WHERE id = ?1)`, id)
	if err := row.Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	b := s.member(email) // a new user
	b.get("/security")
	b.sees("Nothing yet.")
}

// TestAdminBounds checks what administrators can't do, and how long a code counts.
func TestAdminBounds(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	bobPhone, _ := bob.enable()

	// Administrators can't change their own accounts, even with a forged form.
	admin.open(adminEmail, adminPhone)
	admin.sees("This is your own account.")
	own := s.idOf(adminEmail)
	for _, path := range []string{"/admin/reset", "/admin/pass", "/admin/unlock", "/admin/refuse", "/admin/approve", "/admin/erase", "/admin/rights"} {
		admin.lacks(path)
		admin.post(path, url.Values{"id": {own}, "reason": {"because"}, "sure": {"yes"}})
		admin.at(memberPath(own))
		admin.sees("Another administrator must do it for you.")
	}
	for _, path := range []string{"/admin/reset", "/admin/pass", "/admin/erase"} {
		admin.post(path, url.Values{"id": {"nobody"}, "reason": {"because"}, "sure": {"yes"}})
		if admin.page.status != http.StatusNotFound {
			t.Errorf("%s for a user who is none: status %d", path, admin.page.status)
		}
	}

	// The code counts for a while. A form that was open longer does nothing.
	admin.open(email, adminPhone)
	form := admin.page
	s.clock.advance(16 * time.Minute)
	admin.page = form
	admin.submit("/admin/reset", "reason", "late")
	admin.sees("Confirm it’s you")
	admin.submit("/admin/code", "code", adminPhone.next())
	admin.at(memberPath(s.idOf(email)))
	admin.sees("on", "10 of 10")
	admin.get("/data") // another purpose
	admin.sees("Confirm it’s you")

	// After the code, the user is sent only to pages of this site.
	s.clock.advance(16 * time.Minute)
	admin.get("/admin/mandate?next=//evil.example")
	admin.submit("/admin/code", "code", adminPhone.next())
	admin.at("/admin/mandate?next=//evil.example")

	// A second administrator can help the first and remove the right.
	admin.open(email, adminPhone)
	admin.submit("/admin/rights", "admin", "yes")
	admin.sees("Role</dt><dd>administrator")
	bob.open(adminEmail, bobPhone)
	bob.post("/admin/rights", url.Values{"id": {own}}) // no box is ticked
	bob.sees("Rights changed.")
	admin.get("/admin/mandate")
	if admin.page.status != http.StatusNotFound {
		t.Errorf("a right that was taken away: status %d", admin.page.status)
	}
}
