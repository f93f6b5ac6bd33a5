package enrollment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Erasing is no way of keeping the owner from hearing what was done before: all
// that waits is handed over first, also what somebody else is delivering, and
// the end of the account comes last.
func TestEraseTellsWhatWaits(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Told()
	mallory := k.Guard.Admin("mallory", "x")
	k.FailNotify(errors.New("the queue is full"))
	_, err := mallory.Export(t.Context(), "alice")
	k.Must(err)
	k.Must(mallory.Bypass(t.Context(), "alice", k.Now().Add(time.Hour)))
	k.Pass(time.Second) // their leases have not run out

	for range 2 { // nothing is taken: nothing is deleted
		if err := mallory.Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
			t.Fatalf("%v, want ErrUndelivered", err)
		}
		if s := k.Status("alice"); !s.Enabled() || s.History[0].Kind != enrollment.EventErased {
			t.Fatalf("%+v", s)
		}
	}
	k.FailNotify(nil)
	k.Must(mallory.Erase(t.Context(), "alice"))
	kinds := proving.Kinds(k.Told())
	if len(kinds) < 3 || kinds[0] != enrollment.EventExported || kinds[1] != enrollment.EventBypassGranted || kinds[len(kinds)-1] != enrollment.EventErased {
		t.Errorf("told %v", kinds)
	}
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// Nor is it one of hiding wrong codes: the alert is not due yet, and never would be. A
// Guard that tells nobody leaves it to the one that has opened it.
func TestEraseTellsOfWrongCodes(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	guess(t, k, k.Enroll("alice"), laptop)
	k.Told()
	quiet := k.Node(func(c *enrollment.Config) { c.Notify = nil })
	if err := quiet.Admin("mallory", "x").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
		t.Errorf("%v, want ErrUndelivered", err)
	}
	k.Must(k.Guard.Admin("mallory", "x").Erase(t.Context(), "alice"))
	k.WantTold(
		enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 1, Origin: laptop},
		enrollment.Event{Kind: enrollment.EventErased, Actor: "mallory", Note: "x"},
	)
}

// It is the same for a challenge that nobody has answered yet.
func TestEraseTellsOfNoCode(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.AlertUnanswered = true })
	k.Enroll("alice")
	k.Told()
	_, err := k.Guard.SignIn(enrollment.WithOrigin(t.Context(), laptop), "alice", enrollment.SignInOptions{})
	k.Must(err)
	quiet := k.Node(func(c *enrollment.Config) { c.Notify, c.AlertUnanswered = nil, false })
	if err := quiet.Admin("mallory", "x").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
		t.Errorf("%v, want ErrUndelivered", err)
	}
	k.Must(k.Guard.Admin("mallory", "x").Erase(t.Context(), "alice"))
	k.WantTold(
		enrollment.Event{Kind: enrollment.EventWrongCodes, Origin: laptop},
		enrollment.Event{Kind: enrollment.EventErased, Actor: "mallory", Note: "x"},
	)
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
		k := proving.New(t, func(c *enrollment.Config) {
			c.Notify = func(_ context.Context, e enrollment.Event) error {
				if down || some && e.Kind == refused {
					return errors.New("the queue is full")
				}
				told = append(told, e.Kind)
				return nil
			}
		})
		k.Enroll("alice")
		admin := k.Guard.Admin("root", "left")
		down = true
		_, err := admin.Export(t.Context(), "alice")
		k.Must(err)
		down, some, told = false, true, nil
		if err := admin.Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) || !k.Status("alice").Enabled() {
			t.Errorf("%s is refused: %v", refused, err)
		}
		if !slices.Equal(told, x.first) {
			t.Errorf("%s is refused: told %v", refused, told)
		}
		some, told = false, nil
		k.Must(admin.Erase(t.Context(), "alice"))
		if !slices.Equal(told, x.second) {
			t.Errorf("%s was refused: told %v", refused, told)
		}
	}
}

// A tool that can tell nobody deletes nothing that others have still to tell.
func TestEraseWithoutNotifyLeavesWhatWaits(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.FailNotify(errors.New("the queue is full"))
	k.Enroll("alice")
	tool, err := enrollment.New(k.Store, k.Keys, enrollment.Config{
		Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: k.Now,
	})
	k.Must(err)
	k.Pass(time.Hour)
	if err := tool.Admin("root", "left").Erase(t.Context(), "alice"); !errors.Is(err, enrollment.ErrUndelivered) {
		t.Errorf("%v, want ErrUndelivered", err)
	}
	if s := k.Status("alice"); !s.Enabled() || s.History[0].Kind != enrollment.EventEnabled {
		t.Errorf("%+v", s)
	}
	k.FailNotify(nil)
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventEnabled, Factor: enrollment.FactorTOTP, Name: "Authenticator"})
	k.Must(tool.Admin("root", "left").Erase(t.Context(), "alice"))
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A host that hears of no events erases at once.
func TestEraseWithoutNotify(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.Notify = nil })
	k.Enroll("alice")
	admin := k.Guard.Admin("root", "left")
	_, err := admin.Export(t.Context(), "alice")
	k.Must(err)
	k.Must(admin.Erase(t.Context(), "alice"))
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// What can't be opened is erased all the same, and the log says so.
func TestEraseOfDamageIsLogged(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	k.Damage("alice")
	k.Must(k.Guard.Admin("root", "left").Erase(t.Context(), "alice"))
	if log := k.Log(); !strings.Contains(log, "user=alice event=erased") {
		t.Errorf("the log is %q", log)
	}
	if told := k.EventsOf("alice", enrollment.EventErased); len(told) != 1 {
		t.Errorf("told %+v", told)
	}
}
