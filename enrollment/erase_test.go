package enrollment_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

func (o *office) kinds() (kinds []enrollment.EventKind) {
	for _, e := range o.take() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// Erasing is no way of keeping the owner from hearing what was done before: all
// that waits is handed over first, also what somebody else is delivering, and
// the end of the account comes last.
func TestEraseTellsWhatWaits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enroll("alice")
	o.take()
	mallory := o.guard.Admin("mallory", "x")
	o.notify = errors.New("the queue is full")
	_, err := mallory.Export(t.Context(), "alice")
	granted(t, err)
	granted(t, mallory.Bypass(t.Context(), "alice", o.clock.Now().Add(time.Hour)))
	o.pass(time.Second) // their leases have not run out

	for range 2 { // nothing is taken: nothing is deleted
		if err := mallory.Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
			t.Fatalf("%v, want ErrUndelivered", err)
		}
		if s := o.status("alice"); !s.Enabled() || s.History[0].Kind != enrollment.EventErased {
			t.Fatalf("%+v", s)
		}
	}
	o.notify = nil
	granted(t, mallory.Erase(t.Context(), "alice"))
	kinds := o.kinds()
	if len(kinds) < 3 || kinds[0] != enrollment.EventExported || kinds[1] != enrollment.EventBypassGranted || kinds[len(kinds)-1] != enrollment.EventErased {
		t.Errorf("told %v", kinds)
	}
	if _, err := o.store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A host that takes some of it and not the rest is asked again for the rest.
func TestEraseWaitsForTheRest(t *testing.T) {
	t.Parallel()
	for refused, x := range map[enrollment.EventKind]struct{ first, second []enrollment.EventKind }{
		enrollment.EventExported: {
			[]enrollment.EventKind{enrollment.EventErased},
			[]enrollment.EventKind{enrollment.EventExported, enrollment.EventErased},
		},
		enrollment.EventErased: {
			[]enrollment.EventKind{enrollment.EventExported},
			[]enrollment.EventKind{enrollment.EventErased, enrollment.EventErased},
		},
	} {
		down, some := false, false
		var told []enrollment.EventKind
		o := newOffice(t, func(c *enrollment.Config) {
			c.Notify = func(_ context.Context, e enrollment.Event) error {
				if down || some && e.Kind == refused {
					return errors.New("the queue is full")
				}
				told = append(told, e.Kind)
				return nil
			}
		})
		o.enroll("alice")
		admin := o.guard.Admin("root", "left")
		down = true
		_, err := admin.Export(t.Context(), "alice")
		granted(t, err)
		down, some, told = false, true, nil
		if err := admin.Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) || !o.status("alice").Enabled() {
			t.Errorf("%s is refused: %v", refused, err)
		}
		if !slices.Equal(told, x.first) {
			t.Errorf("%s is refused: told %v", refused, told)
		}
		some, told = false, nil
		granted(t, admin.Erase(t.Context(), "alice"))
		if !slices.Equal(told, x.second) {
			t.Errorf("%s was refused: told %v", refused, told)
		}
	}
}

// A tool that can tell nobody deletes nothing that others have still to tell.
func TestEraseWithoutNotifyLeavesWhatWaits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.notify = errors.New("the queue is full")
	o.enroll("alice")
	tool, err := enrollment.New(o.store, o.ring, enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: o.clock.Now,
	})
	granted(t, err)
	o.pass(time.Hour)
	if err := tool.Admin("root", "left").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
		t.Errorf("%v, want ErrUndelivered", err)
	}
	if s := o.status("alice"); !s.Enabled() || s.History[0].Kind != enrollment.EventEnabled {
		t.Errorf("%+v", s)
	}
	o.notify = nil
	o.sweepNow()
	o.wantTold(enrollment.Event{Kind: enrollment.EventEnabled, Factor: enrollment.FactorTOTP, Name: "Authenticator"})
	granted(t, tool.Admin("root", "left").Erase(t.Context(), "alice"))
	if _, err := o.store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A host that hears of no events erases at once.
func TestEraseWithoutNotify(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(c *enrollment.Config) { c.Notify = nil })
	o.enroll("alice")
	admin := o.guard.Admin("root", "left")
	_, err := admin.Export(t.Context(), "alice")
	granted(t, err)
	granted(t, admin.Erase(t.Context(), "alice"))
	if _, err := o.store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
