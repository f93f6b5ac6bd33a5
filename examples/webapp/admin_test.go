package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// open opens the page of a user as an administrator, and enters a code if the last
// one has expired.
func (b *browser) open(email string, p *phone) {
	b.t.Helper()
	path := memberPath(b.site.idOf(email))
	b.get(path)
	if hasForm(b.page.body, "/security/step") {
		b.step(p.next())
	}
	b.at(path)
}

// help does something for the user whose page it is.
func (b *browser) help(action, reason string, more ...string) {
	b.t.Helper()
	b.submit("/admin/member", append([]string{"action", action, "reason", reason}, more...)...)
}

// force sends the form that the page does not have.
func (b *browser) force(id, action string) {
	b.t.Helper()
	b.post("/admin/member", url.Values{"id": {id}, "action": {action}, "reason": {"because"}, "sure": {"yes"}})
}

func (b *browser) role(id, role string) {
	b.t.Helper()
	b.post("/admin/member", url.Values{"id": {id}, "action": {"role"}, "role": {role}})
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
	bob.get("/security/")
	admin.open(email, adminPhone)
	admin.sees("on", "Authenticator", "10 of 10")
	admin.help("reset", " ")
	admin.sees("Enter a reason.")
	admin.help("reset", "lost the\x00 phone, called in")
	admin.sees("Two-factor authentication is now off for this user.", "turned off by an administrator. The reason given was “lost the phone, called in”.")
	s.received(email, "The reason given was “lost the phone, called in”.\n\nThis happened on 2 March 2026, ")
	bob.get("/security/")
	bob.signedOut() // a reset ends the user's sessions
	bob.signIn(email)
	bob.at("/")
	bob.get("/security/")
	bob.sees("off", "turned off by an administrator. The reason given was “lost the phone, called in”.")
	admin.lacks(`value="reset"`)
	admin.force(s.idOf(email), "reset")
	admin.sees("Two-factor authentication is not on.")
	admin.get(memberPath(s.idOf(email)))

	// With a ticket, the password alone is not enough to set up a new factor.
	admin.help("ticket", "suspicious")
	m := ticketRE.FindStringSubmatch(admin.page.body)
	if m == nil {
		t.Fatalf("no ticket:\n%s", admin.page.body)
	}
	admin.get(memberPath(s.idOf(email))) // a reload shows it again, and makes no other
	admin.sees(m[1])
	admin.get(memberPath(s.idOf(adminEmail)))
	admin.lacks(m[1])
	if strings.Contains(s.log.String(), m[1]) {
		t.Error("the log holds the ticket")
	}
	bob.signIn(email)
	bob.get("/security/setup/begin")
	bob.sees("Ticket")
	bob.submit("/security/setup/begin", "ticket", "0000-0000-0000-0000")
	bob.denied("That is not the ticket")
	bob.submit("/security/setup/begin", "ticket", strings.ToLower(m[1]))
	bob.submit("/security/setup", "code", bob.scan().next())
	bob.saved()
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
	admin.help("pass", "phone at home")
	admin.sees("The user can sign in without a code for 24 hours.", "Pass", "3 March 2026, 10:0")
	bob.signIn(email)
	bob.at("/")
	bob.sees("You signed in with the pass")
	bob.get("/security/")
	bob.sees("You can sign in without a code until 3 March 2026", "("+languages["en"].Factor(enrollment.FactorBypass)+")")
	bob.get("/data") // the pass is valid for the sign-in only
	bob.askedForCode()
	admin.open(email, adminPhone)
	admin.sees(languages["en"].Factor(enrollment.FactorBypass))

	// A right code ends the pass.
	bob.get("/data")
	bob.step(phone.next())
	bob.signOut()
	bob.signIn(email)
	bob.at("/security/sign-in")

	// If the user has no factor, a new setup is required after the pass.
	admin.open(email, adminPhone)
	admin.help("reset", "phone is broken")
	admin.help("pass", "until the new one is here")
	bob.signIn(email)
	bob.at("/")
	bob.get("/password") // which does not make the session longer
	bob.submit("/password", "old", password, "password", password)
	bob.sees("Password changed.")
	s.clock.advance(24*time.Hour + time.Minute)
	admin.open(email, adminPhone)
	admin.sees("the user must set up two-factor authentication at the next sign-in")
	bob.get("/data")
	bob.signedOut() // the session has ended with the pass
	bob.signIn(email)
	bob.at("/security/setup/begin")
	bob.submit("/security/setup/begin")
	bob.submit("/security/setup", "code", bob.scan().next())
	bob.saved()
	bob.get("/security/")
	bob.at("/security/")
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
	admin.lacks(`value="unlock"`)
	bob.signIn(email)
	for range 5 {
		bob.code(phone.wrong())
	}
	bob.code(phone.next())
	bob.denied("Too many wrong codes")
	admin.open(email, adminPhone)
	admin.sees("Locked. Too many wrong codes were entered (authenticator app). The user can try again on 2 March 2026, ")
	admin.help("unlock", "used the wrong app")
	admin.sees("The user can try again.")
	bob.code(phone.shows())
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
		bob.submit("/security/sign-in/reset")
		bob.sees("We have your request")
	}
	ask()
	bob.signIn(email)
	bob.sees("Someone has asked to turn off your two-factor authentication.", "5 March 2026") // the sign-in says so
	admin.open(email, adminPhone)
	admin.sees("Reset requested", "from 5 March 2026")
	admin.lacks(`value="approve"`)
	admin.force(s.idOf(email), "approve")
	admin.sees("You can’t approve the request yet.", "Wait 3 days.")
	admin.help("refuse", "was not you on the phone")
	admin.sees("Request refused.")
	s.received(email, "refused by an administrator. The reason given was “was not you on the phone”.")

	s.clock.advance(24 * time.Hour)
	ask()
	s.clock.advance(3*24*time.Hour + time.Minute)
	admin.open(email, adminPhone)
	admin.help("approve", "came by in person")
	admin.sees("Two-factor authentication is now off for this user.")
	bob.signIn(email)
	bob.at("/")
	admin.force(s.idOf(email), "approve")
	admin.sees("There is no open request")
}

// A user who needs no code hears of a request for a reset as well.
func TestResetRequestWithoutCode(t *testing.T) {
	t.Parallel()
	const email, asked = "bob@example.com", "Someone has asked to turn off your two-factor authentication."
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member(email)
	phone, _ := bob.enable()
	bob.signOutNow()
	bob.trusting(email, phone.next())
	bob.lacks(asked)
	bob.signOutNow()
	thief := s.browser()
	thief.signIn(email)
	thief.submit("/security/sign-in/reset")
	bob.signIn(email) // in a browser that is trusted
	bob.at("/")
	bob.sees(asked, "5 March 2026")
	admin.open(email, adminPhone)
	admin.help("pass", "phone at home")
	other := s.browser()
	other.signIn(email)
	other.at("/")
	other.sees("You signed in with the pass", asked)
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
	admin.help("erase", "has left")
	admin.sees("Tick the box if you are sure.")
	admin.help("erase", "has left", "sure", "yes")
	admin.sees("User deleted.")
	s.received(email, "was deleted by an administrator. The reason given was “has left”.")
	bob.get("/security/")
	bob.signedOut()
	bob.signIn(email)
	bob.sees("Wrong e-mail address or password.")
	admin.get(memberPath(id))
	if admin.page.status != http.StatusNotFound {
		t.Errorf("the page of somebody who is gone: status %d", admin.page.status)
	}
	var left int
	row := s.app.accounts.SQL.QueryRow(`SELECT (SELECT count(*) FROM twofactor_accounts WHERE user_id = ?1) + (SELECT count(*) FROM users WHERE id = ?1)`, id)
	if err := row.Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	b := s.member(email) // a new user
	b.get("/security/")
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
	admin.lacks("/admin/member\"")
	for _, x := range actions {
		admin.force(own, x.Name)
		admin.at(memberPath(own))
		admin.sees("Ask another administrator.")
		admin.force("nobody", x.Name)
		if admin.page.status != http.StatusNotFound {
			t.Errorf("%s for a user who is none: status %d", x.Name, admin.page.status)
		}
	}
	admin.role(own, "member")
	admin.sees("Ask another administrator.")

	// The code counts for a while. A form that was open longer does nothing, and what was
	// typed is still there.
	admin.open(email, adminPhone)
	form := admin.page
	s.clock.advance(16 * time.Minute)
	admin.page = form
	admin.help("reset", "late and long")
	admin.askedForCode()
	admin.get(memberPath(s.idOf(email)))
	admin.step(adminPhone.next())
	admin.at(memberPath(s.idOf(email)))
	admin.sees("on", "10 of 10", `value="late and long"`)
	admin.help("nothing", "late and long")
	admin.sees("Choose what to do.")
	admin.get("/data") // another purpose
	admin.askedForCode()

	// After the code, the user is sent only to pages of this site.
	s.clock.advance(16 * time.Minute)
	admin.get("/admin/mandate?next=//evil.example")
	admin.step(adminPhone.next())
	admin.at("/admin/mandate?next=//evil.example")

	// A second administrator can help the first and remove the right.
	admin.open(email, adminPhone)
	admin.role(s.idOf(email), "owner")
	admin.sees("Choose a role.")
	admin.role(s.idOf(email), "admin")
	bob.open(adminEmail, bobPhone)
	bob.role(own, "member")
	bob.sees("Role changed.")
	admin.get("/admin/mandate")
	if admin.page.status != http.StatusNotFound {
		t.Errorf("a right that was taken away: status %d", admin.page.status)
	}
}
