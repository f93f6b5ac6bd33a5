package features

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
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// T4: owners and admins see who has it, and export the members as CSV.
func TestFeatureT4_MembersAsCSV(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	k.Begin("bob", enrollment.BeginOptions{})
	names := map[string]string{"alice": "Alice, of Accounting", "bob": `=HYPERLINK("https://example.com")`, "carol": "Carol"}
	members := k.Directory().Members(t.Context(), slices.Values([]string{"alice", "bob", "carol"})) // of the host's table

	var file bytes.Buffer
	written, err := report.WriteCSV(&file, members, report.Column{
		Header: "name", Value: func(m enrollment.Member) string { return names[m.UserID] },
	})
	k.Must(err)
	if written.Rows != 3 || written.Unreadable.Total != 0 {
		t.Errorf("%+v", written)
	}
	rows, err := csv.NewReader(&file).ReadAll()
	k.Must(err)
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
func TestFeatureA7_AdministratorsSee(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice, bob, carol, dave := k.Enroll("alice"), k.Enroll("bob"), k.Enroll("carol"), k.Enroll("dave")
	k.Must(k.Guard.Disable(t.Context(), "dave", enrollment.ByCode(dave.Code())))

	k.In(k.Challenge("alice"), alice.Code())
	device, err := k.Guard.Devices().Trust(t.Context(), "bob", bob.Receipt(), "laptop")
	k.Must(err)
	k.SignIn("bob", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	k.Must(k.Guard.Admin("root", "phone at home").Bypass(t.Context(), "carol", k.Now().Add(time.Hour)))
	k.SignIn(carol.ID, enrollment.SignInOptions{}, enrollment.Proceed)

	for _, filter := range []struct {
		name   string
		states []store.State
		want   []string
	}{
		{"on", []store.State{store.Confirmed}, []string{"alice", "bob", "carol"}},
		{"off", []store.State{store.None, store.Pending, store.Disabled}, []string{"dave"}},
	} {
		var got []string
		for m, err := range k.Directory().All(t.Context(), enrollment.Filter{States: filter.states}) {
			k.Must(err)
			got = append(got, m.UserID)
		}
		if !slices.Equal(got, filter.want) {
			t.Errorf("%s: %q, want %q", filter.name, got, filter.want)
		}
	}
	for user, want := range map[string]enrollment.Factor{
		"alice": enrollment.FactorTOTP, "bob": enrollment.FactorTrustedDevice, "carol": enrollment.FactorBypass, "dave": "",
	} {
		page := k.Status(user)
		if page.LastFactor != want || page.LastSignIn.IsZero() != (want == "") || page.Enabled() != (user != "dave") {
			t.Errorf("the page of %s says %q at %v, enabled %v", user, page.LastFactor, page.LastSignIn, page.Enabled())
		}
	}
}

// X10: bulk status.
func TestFeatureX10_BulkStatus(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("user-%03d", i))
		if i%2 == 0 {
			k.Enroll(ids[i])
		}
	}
	k.Store.Reset()
	all, err := k.Directory().Statuses(t.Context(), ids)
	k.Must(err)
	if len(all) != 100 || k.Store.Calls() != 1 {
		t.Errorf("%d users by %d calls of the store", len(all), k.Store.Calls())
	}
	for i, id := range ids {
		if status, ok := all[id]; !ok || status.Enabled() != (i%2 == 0) {
			t.Errorf("%s: %v, enabled %v", id, ok, status.Enabled())
		}
	}
}

// T6 and N7: the owner is told of a request every day, and when it has matured;
// nothing happens without an approval.
func TestFeatureT6_OwnerIsReminded(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	resets := k.Guard.ResetRequests()
	_, err := resets.Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	for range 4 * 24 {
		k.Pass(time.Hour)
		k.Sweep()
	}
	if n := len(k.EventsOf("alice", enrollment.EventResetReminder)); n < 2 || n > 3 {
		t.Errorf("reminded %d times in the three days", n)
	}
	if n := len(k.EventsOf("alice", enrollment.EventResetMatured)); n != 1 {
		t.Errorf("told %d times that it has matured", n)
	}
	k.Challenge("alice")
	k.Must(resets.Cancel(t.Context(), "alice")) // still possible
	k.Challenge("alice")
}

// N7, with Config.AutoReset: a request that nobody has cancelled is carried out
// by itself.
func TestFeatureN7_CarriedOutByItself(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.AutoReset = true })
	k.Enroll("alice")
	k.Enroll("bob")
	resets := k.Guard.ResetRequests()
	for _, user := range []string{"alice", "bob"} {
		_, err := resets.Open(t.Context(), k.Challenge(user))
		k.Must(err)
	}
	k.Must(resets.Cancel(t.Context(), "bob"))
	k.Pass(3*24*time.Hour - time.Second)
	k.Sweep()
	k.Challenge("alice")
	k.Pass(24 * time.Hour)
	k.Sweep()
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if told := k.EventsOf("alice", enrollment.EventReset); len(told) != 1 || told[0].Method != "self-service" || told[0].Actor != "" {
		t.Errorf("alice was told %+v", told)
	}
	k.Challenge("bob")
}

// N4: what a crash has left behind is delivered although nothing else happens
// with the account.
func TestFeatureN4_SweptAfterACrash(t *testing.T, open proving.Open) {
	crashed := true
	var told []enrollment.Event
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			if crashed {
				return errors.New("the queue is down")
			}
			told = append(told, e)
			return nil
		}
	})
	k.Enroll("alice")
	enabled := k.Status("alice").History[0]
	crashed = false
	for range 5 {
		k.Pass(time.Hour)
		k.Sweep()
	}
	if len(told) != 1 || told[0].ID != enabled.ID {
		t.Errorf("told %+v, want %+v once", told, enabled)
	}
}

// X7: after a rotation every account is moved to the new key, so that the old
// one can be dropped.
func TestFeatureX7_OldKeyDropped(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	on := func(keys *keyring.Ring) *enrollment.Guard { return k.NodeOver(k.Store, keys) }
	before, err := keyring.Generate("2025")
	k.Must(err)
	k.Guard = on(before)
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	after, err := before.Rotate("2026")
	k.Must(err)
	k.Guard = on(after)
	done, err := k.Directory().Reseal(t.Context(), enrollment.ResealOptions{})
	k.Must(err)
	if !done.Done || done.Moved != 2 || done.Failed.Total != 0 {
		t.Errorf("%+v", done)
	}

	text, _, _ := strings.Cut(after.Reveal(), ",") // the new key alone
	dropped, err := keyring.Parse(text)
	k.Must(err)
	k.Guard = on(dropped)
	k.In(k.Challenge("alice"), alice.Code())
	k.In(k.Challenge("bob"), bob.Code())
}
