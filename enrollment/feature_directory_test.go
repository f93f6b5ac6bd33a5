package enrollment_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func (s *story) directory() *enrollment.Directory {
	s.t.Helper()
	d, err := enrollment.NewDirectory(s.Guard, s.Store)
	s.must(err)
	return d
}

// sweep does what a host has done every few minutes.
func (s *story) sweep() enrollment.Swept {
	s.t.Helper()
	swept, err := s.directory().Sweep(s.t.Context())
	s.must(err)
	return swept
}

// T4: owners and admins see who has it, and export the members as CSV.
func TestFeatureT4_MembersAsCSV(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	s.begin("bob", enrollment.BeginOptions{})
	names := map[string]string{"alice": "Alice, of Accounting", "bob": `=HYPERLINK("https://example.com")`, "carol": "Carol"}
	members := s.directory().Members(t.Context(), slices.Values([]string{"alice", "bob", "carol"})) // of the host's table

	var file bytes.Buffer
	written, err := report.WriteCSV(&file, members, report.Column{
		Header: "name", Value: func(m enrollment.Member) string { return names[m.UserID] },
	})
	s.must(err)
	if written.Rows != 3 || written.Unreadable.Total != 0 {
		t.Errorf("%+v", written)
	}
	rows, err := csv.NewReader(&file).ReadAll()
	s.must(err)
	at := func(row []string, column string) string { return row[slices.Index(rows[0], column)] }
	for i, want := range []struct{ user, enabled, name string }{
		{"alice", "true", "Alice, of Accounting"},
		{"bob", "false", `'=HYPERLINK("https://example.com")`}, // no formula
		{"carol", "false", "Carol"},                            // who never heard of it
	} {
		row := rows[i+1]
		if at(row, "user_id") != want.user || at(row, "enabled") != want.enabled || at(row, "name") != want.name {
			t.Errorf("row %d is %q", i+1, row)
		}
	}
}

// A7: administrators filter users by 2FA on or off, see it on a user's page, and
// see whether the last sign-in went through the second step.
func TestFeatureA7_AdministratorsSee(t *testing.T) {
	s := tell(t)
	alice, bob, carol, dave := s.Enroll("alice"), s.Enroll("bob"), s.Enroll("carol"), s.Enroll("dave")
	s.must(s.Guard.Disable(t.Context(), "dave", enrollment.ByCode(dave.Code())))

	s.in(s.asked("alice"), alice.Code())
	device, err := s.Guard.Devices().Trust(t.Context(), "bob", s.receipt(bob), "laptop")
	s.must(err)
	s.signIn("bob", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	s.must(s.Guard.Admin("root", "phone at home").Bypass(t.Context(), "carol", s.Clock.Now().Add(time.Hour)))
	s.signIn(carol.ID, enrollment.SignInOptions{}, enrollment.Proceed)

	for _, filter := range []struct {
		name   string
		states []store.State
		want   []string
	}{
		{"on", []store.State{store.Confirmed}, []string{"alice", "bob", "carol"}},
		{"off", []store.State{store.None, store.Pending, store.Disabled}, []string{"dave"}},
	} {
		var got []string
		for m, err := range s.directory().All(t.Context(), enrollment.Filter{States: filter.states}) {
			s.must(err)
			got = append(got, m.UserID)
		}
		if !slices.Equal(got, filter.want) {
			t.Errorf("%s: %q, want %q", filter.name, got, filter.want)
		}
	}
	for user, want := range map[string]enrollment.Factor{
		"alice": enrollment.FactorTOTP, "bob": enrollment.FactorTrustedDevice, "carol": enrollment.FactorBypass, "dave": "",
	} {
		page := s.status(user)
		if page.LastFactor != want || page.LastSignIn.IsZero() != (want == "") || page.Enabled() != (user != "dave") {
			t.Errorf("the page of %s says %q at %v, enabled %v", user, page.LastFactor, page.LastSignIn, page.Enabled())
		}
	}
}

// A countingLister counts what is asked of the store.
type countingLister struct {
	store.Lister
	lists int
}

func (c *countingLister) List(ctx context.Context, q store.Query) (store.Page, error) {
	c.lists++
	return c.Lister.List(ctx, q)
}

// X10: bulk status.
func TestFeatureX10_BulkStatus(t *testing.T) {
	s := tell(t)
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("user-%03d", i))
		if i%2 == 0 {
			s.Enroll(ids[i])
		}
	}
	counting := &countingLister{Lister: s.Store}
	directory, err := enrollment.NewDirectory(s.Guard, counting)
	s.must(err)
	all, err := directory.Statuses(t.Context(), ids)
	s.must(err)
	if len(all) != 100 || counting.lists != 1 {
		t.Errorf("%d users by %d calls of the store", len(all), counting.lists)
	}
	for i, id := range ids {
		if status, ok := all[id]; !ok || status.Enabled() != (i%2 == 0) {
			t.Errorf("%s: %v, enabled %v", id, ok, status.Enabled())
		}
	}
}

// T6 and N7: the owner is told of a request every day, and when it has matured;
// nothing happens without an approval.
func TestFeatureT6_OwnerIsReminded(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	resets, err := enrollment.NewResets(s.Guard, enrollment.ResetsConfig{Wait: 3 * 24 * time.Hour})
	s.must(err)
	_, err = resets.Open(t.Context(), s.asked("alice"))
	s.must(err)
	for range 4 * 24 {
		s.pass(time.Hour)
		s.sweep()
	}
	if n := len(s.told("alice", enrollment.EventResetReminder)); n < 2 || n > 3 {
		t.Errorf("reminded %d times in the three days", n)
	}
	if n := len(s.told("alice", enrollment.EventResetMatured)); n != 1 {
		t.Errorf("told %d times that it has matured", n)
	}
	s.asked("alice")
	s.must(resets.Cancel(t.Context(), "alice")) // still possible
	s.asked("alice")
}

// N7, with ResetsConfig.Auto: a request that nobody has cancelled is carried out
// by itself.
func TestFeatureN7_CarriedOutByItself(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	s.Enroll("bob")
	resets, err := enrollment.NewResets(s.Guard, enrollment.ResetsConfig{Auto: true})
	s.must(err)
	for _, user := range []string{"alice", "bob"} {
		_, err = resets.Open(t.Context(), s.asked(user))
		s.must(err)
	}
	s.must(resets.Cancel(t.Context(), "bob"))
	s.pass(enrollment.DefaultResetWait - time.Second)
	s.sweep()
	s.asked("alice")
	s.pass(24 * time.Hour)
	s.sweep()
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if told := s.told("alice", enrollment.EventReset); len(told) != 1 || told[0].Method != "self-service" || told[0].Actor != "" {
		t.Errorf("alice was told %+v", told)
	}
	s.asked("bob")
}

// N4: what a crash has left behind is delivered although nothing else happens
// with the account.
func TestFeatureN4_SweptAfterACrash(t *testing.T) {
	crashed := true
	var told []enrollment.Event
	s := tell(t, func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if crashed {
				return errors.New("the queue is down")
			}
			told = append(told, e)
			return nil
		}
	})
	s.Enroll("alice")
	enabled := s.status("alice").History[0]
	crashed = false
	for range 5 {
		s.pass(time.Hour)
		s.sweep()
	}
	if len(told) != 1 || told[0].ID != enabled.ID {
		t.Errorf("told %+v, want %+v once", told, enabled)
	}
}

// X7: after a rotation every account is moved to the new key, so that the old
// one can be dropped.
func TestFeatureX7_OldKeyDropped(t *testing.T) {
	s := tell(t)
	open := func(keys *keyring.Ring) *enrollment.Guard {
		g, err := enrollment.New(s.Store, keys, enrollment.Config{
			Issuer: "Acme", Now: s.Clock.Now, RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(),
		})
		s.must(err)
		return g
	}
	before, err := keyring.Generate("2025")
	s.must(err)
	s.Guard = open(before)
	alice, bob := s.Enroll("alice"), s.Enroll("bob")
	after, err := before.Rotate("2026")
	s.must(err)
	s.Guard = open(after)
	done, err := s.directory().Reseal(t.Context(), enrollment.ResealOptions{})
	s.must(err)
	if !done.Done || done.Moved != 2 || done.Failed.Total != 0 {
		t.Errorf("%+v", done)
	}

	text, _, _ := strings.Cut(after.Format(), ",") // the new key alone
	dropped, err := keyring.Parse(text)
	s.must(err)
	s.Guard = open(dropped)
	s.in(s.asked("alice"), alice.Code())
	s.in(s.asked("bob"), bob.Code())
}
