package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestMembers lists the users, their second factors and last sign-ins.
func TestMembers(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, adminPhone := s.admin()
	bob := s.member("bob@example.com")
	phone, codes := bob.enable()
	bob.get("/")
	bob.signOut()
	s.member("-carol@example.com")
	admin.get("/admin/members")
	admin.sees("bob@example.com", "-carol@example.com", adminEmail, "<td>admin</td>", "none yet", "All 3", "on 2", "off 1")
	admin.follow("Two-factor on")
	admin.sees("bob@example.com", adminEmail)
	admin.lacks("carol")
	admin.follow("Two-factor off")
	admin.sees("-carol@example.com")
	admin.lacks("bob")
	admin.get("/admin/members?search=BOB%40")
	admin.sees("bob@example.com", "All 1", "off 0", `value="bob@"`)
	admin.lacks("carol", "root@")
	admin.get("/admin/members?search=%25")
	admin.sees("No members.")

	for _, c := range []struct{ code, says string }{
		{phone.next(), "authenticator app"}, // the recovery code ends the trust
		{codes[0], "recovery code"},
	} {
		bob.setCookies([]*http.Cookie{{Name: "twofactor-device%2Fsecurity", MaxAge: -1}})
		bob.signIn("bob@example.com")
		bob.code(c.code, "trust", "1")
		admin.get("/admin/members")
		admin.sees("2 March 2026, 10:02 UTC" + c.says)
		bob.get("/")
		bob.signOut()
	}
	bob.signIn("bob@example.com")
	bob.at("/")
	admin.get("/admin/members")
	admin.sees("UTCtrusted device")

	admin.follow("Download as CSV")
	if got := admin.page.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	if got := admin.page.header.Get("Content-Disposition"); got != `attachment; filename="members.csv"` {
		t.Errorf("Content-Disposition is %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(admin.page.body)).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v:\n%s", len(rows), err, admin.page.body)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	for i, want := range [][]string{
		{"'-carol@example.com", "false", ""},
		{"bob@example.com", "true", "trusted_device"},
		{adminEmail, "true", ""},
	} {
		row := rows[i+1]
		got := []string{row[column("email")], row[column("enabled")], row[column("last_factor")]}
		if !slices.Equal(got, want) {
			t.Errorf("row %d: %v, want %v", i+1, got, want)
		}
	}
	admin.get("/admin/members.csv?factor=off")
	if strings.Contains(admin.page.body, "bob") {
		t.Error("the file does not follow the filter")
	}

	// Only administrators can open the list.
	bob.get("/admin/members")
	if bob.page.status != http.StatusNotFound {
		t.Errorf("for somebody else: status %d", bob.page.status)
	}

	// An account that can't be opened does not hide others.
	if _, err := s.app.accounts.SQL.Exec(`UPDATE twofactor_accounts SET data = x'00' WHERE user_id = ?1`, s.idOf("bob@example.com")); err != nil {
		t.Fatal(err)
	}
	for _, factor := range []string{"", "on", "off"} {
		admin.get("/admin/members?factor=" + factor)
		admin.sees("can’t be read", "bob@example.com")
	}
	admin.get("/admin/members.csv")
	if rows, err := csv.NewReader(strings.NewReader(admin.page.body)).ReadAll(); err != nil || len(rows) != 4 {
		t.Errorf("with a damaged account: %d rows, %v", len(rows), err)
	}

	// The list needs a code.
	s.clock.advance(16 * time.Minute)
	admin.get("/admin/members.csv")
	admin.askedForCode()
	admin.lacks("bob")
	admin.step(adminPhone.next())
	admin.at("/admin/members.csv")
}

// TestManyMembers follows the links to the next pages.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, _ := s.admin()
	for i := range 2*memberRows + 1 {
		_, err := s.app.accounts.SQL.Exec(`INSERT INTO users (id, email, password, generation, joined, role, language) VALUES (?1, ?2, '', 1, 0, 'member', 'en')`,
			fmt.Sprint("u", i), fmt.Sprintf("m%03d@example.com", i))
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, filter := range []string{"", "?factor=off"} {
		admin.get("/admin/members" + filter)
		admin.sees("m000@example.com", "m049@example.com")
		admin.lacks("m050@example.com")
		admin.follow("More")
		admin.sees("m050@example.com", "m099@example.com")
		admin.follow("More")
		admin.sees("m100@example.com")
		admin.lacks(">More<")
	}
	admin.get("/admin/members.csv")
	if n := strings.Count(admin.page.body, "@example.com"); n != 2*memberRows+2 {
		t.Errorf("the file has %d members", n)
	}
}

// noList is a store that can't list.
type noList struct{}

func (noList) List(context.Context, store.Query) (store.Page, error) {
	return store.Page{}, errors.New("out of order")
}

// TestNoList checks that a failed listing is an error: it shows no user as without a
// second factor, and begins no file.
func TestNoList(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin, _ := s.admin()
	var err error
	if s.app.directory, err = enrollment.NewDirectory(s.app.guard, noList{}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/admin/members", "/admin/members.csv", "/admin/mandate"} {
		response, err := admin.client.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

// The navigation marks where one is, also on the page that asks for a code on the way there.
func TestNavigation(t *testing.T) {
	t.Parallel()
	s := newSite(t, fast)
	admin := s.member(adminEmail)
	phone, _ := admin.enable()
	s.member("bob@example.com")
	marked := regexp.MustCompile(`aria-current="(page|true)">([^<]*)<`)
	at := func(path string, want ...string) {
		t.Helper()
		admin.get(path)
		var got []string
		for _, m := range marked.FindAllStringSubmatch(admin.page.body, -1) {
			got = append(got, m[2]+": "+m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s marks %q, want %q", path, got, want)
		}
	}
	at("/")
	at("/security/", "Security: page")
	at("/security/disable", "Security: true")
	at("/security/setup/begin", "Security: true")
	at("/password", "Security: true")
	at("/messages")
	at("/data", "Your data: true")
	admin.step(phone.next())
	at("/data", "Your data: page")
	member := memberPath(s.idOf("bob@example.com"))
	at(member, "Admin: true")
	admin.step(phone.next())
	at(member, "Admin: true", "Members: true")
	at("/admin/members", "Admin: page", "Members: page", "All : page")
	at("/admin/mandate", "Admin: true", "Policy: page")
	at("/nowhere")
	admin.signOut()
	at("/sign-in", "Sign in: page")
	at("/sign-up", "Sign up: page")
}

// TestSweep reminds the owner of a request for a reset every day.
func TestSweep(t *testing.T) {
	t.Parallel()
	const email = "bob@example.com"
	s := newSite(t, fast)
	s.member(adminEmail)
	bob := s.member(email)
	bob.enable()
	bob.get("/")
	bob.signOut()
	bob.signIn(email)
	bob.submit("/security/sign-in/reset")
	sweep := func() { s.app.sweep(t.Context()) }
	sweep()
	s.clock.advance(25 * time.Hour)
	sweep()
	s.received(email, "If it was not you, cancel the request")
	s.clock.advance(48 * time.Hour)
	sweep()
	s.received(email, "can now be approved by an administrator")
}
