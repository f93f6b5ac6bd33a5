package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// kindsIn are the kinds of the events in the history, oldest first.
func kindsIn(t *testing.T, a *account.Account) (all []account.EventKind) {
	t.Helper()
	history, err := a.History()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range history {
		all = append(all, e.Kind)
	}
	return all
}

// The history has at most three events of renaming, so that somebody with a stolen
// session can't drive out what the owner has to see.
func TestRenamingDrivesNothingOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.trust(1)
	before := len(kindsIn(t, w.a))
	app := w.a.Authenticators()[0]
	for i := range 40 {
		name := string(rune('a' + i%26))
		mustReason(t, w.a.Rename(w.moment(), app.ID, name), "")
		mustReason(t, w.a.RenameDevice(w.moment(), account.DeviceID{1}, name), "")
		w.reload()
	}
	if got := kindsIn(t, w.a); len(got) != before+3 || got[0] != account.EventEnabled {
		t.Errorf("the history is %v", got)
	}
	name := w.a.Authenticators()[0].Name
	mustReason(t, w.a.Rename(w.moment(), app.ID, "phone"), "")
	if e := w.a.Recorded(); len(e) != 1 || e[0].Kind != account.EventAuthenticatorRenamed || e[0].Name != name {
		t.Errorf("%+v, want the name before, %q", e, name)
	}
	w.reload()
	mustReason(t, w.a.Rename(w.moment(), app.ID, "phone"), "")
	if w.a.Changed() {
		t.Error("the same name was written")
	}
}

// The trust that a change of factor ends is told once, and only if there was some.
func TestDevicesForgotten(t *testing.T) {
	t.Parallel()
	count := func(a *account.Account) (n int) {
		for _, k := range kindsIn(t, a) {
			if k == account.EventDevicesForgotten {
				n++
			}
		}
		return n
	}
	w := newWorld(t)
	w.enroll(1)
	w.trust(1)
	w.trust(2)
	w.now = w.now.Add(91 * 24 * time.Hour)
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	if n := count(w.a); n != 0 {
		t.Errorf("%d events about trust that had expired", n)
	}
	w.enroll(2)
	w.trust(1)
	w.trust(2)
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	got := kindsIn(t, w.a)
	if count(w.a) != 1 || got[len(got)-1] != account.EventDevicesForgotten || got[len(got)-2] != account.EventReset {
		t.Errorf("the history is %v", got)
	}
}
