package enrollment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// broken is an office whose clock ran two days ahead while alice signed in, and
// is right again.
func broken(t *testing.T) (*office, *client) {
	t.Helper()
	o := newOffice(t)
	alice := o.enroll("alice")
	o.pass(48 * time.Hour)
	d := o.signIn("alice", enrollment.SignInOptions{})
	_, err := o.guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.code())
	granted(t, err)
	o.pass(-47 * time.Hour)
	o.take()
	return o, alice
}

// What a broken clock has left behind is repaired before a challenge is minted:
// the repair voids all of those that are out.
func TestChallengeAfterBrokenClock(t *testing.T) {
	t.Parallel()
	o, alice := broken(t)
	before, err := o.store.Load(t.Context(), "alice")
	granted(t, err)
	d := o.signIn("alice", enrollment.SignInOptions{})
	after, err := o.store.Load(t.Context(), "alice")
	granted(t, err)
	if after.Version == before.Version {
		t.Error("the repair was not stored")
	}
	o.wantTold()
	o.unchanged("alice", func() { o.signIn("alice", enrollment.SignInOptions{}) }) // once is enough
	// The step that was used under the broken clock is taken for one of now.
	o.pass(2 * alice.app.Period())
	_, err = o.guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.code())
	granted(t, err)
}

// Where the repair can't be stored there is no challenge, and no sign-in either.
func TestChallengeNeedsTheRepair(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	for name, x := range map[string]struct {
		save func(o *office) func(store.Record, int64) error
		want error
	}{
		"Save fails": {func(*office) func(store.Record, int64) error {
			return func(store.Record, int64) error { return down }
		}, down},
		"Save says conflict without an end": {func(*office) func(store.Record, int64) error {
			return func(store.Record, int64) error { return store.ErrConflict }
		}, enrollment.ErrBusy},
		"Save says conflict once": {func(o *office) func(store.Record, int64) error {
			return func(store.Record, int64) error { o.store.save = nil; return store.ErrConflict }
		}, nil},
		"Save loses its reply": {func(o *office) func(store.Record, int64) error {
			return func(rec store.Record, prev int64) error {
				o.store.save = nil
				granted(t, o.store.Store.Save(t.Context(), rec, prev))
				return down
			}
		}, nil},
	} {
		for _, purpose := range []enrollment.Purpose{enrollment.PurposeSignIn, "delete-project"} {
			o, alice := broken(t)
			o.store.save = x.save(o)
			d, err := o.guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: purpose})
			if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, x.want)
			}
			if err != nil {
				if d.Next != enrollment.Refuse || d.Challenge != "" {
					t.Errorf("%s: %+v with an error", name, d)
				}
				continue
			}
			o.pass(2 * alice.app.Period())
			if _, err := o.guard.Answer(t.Context(), purpose, d.Challenge, alice.code()); err != nil {
				t.Errorf("%s: the challenge can't be answered: %v", name, err)
			}
		}
	}
}
