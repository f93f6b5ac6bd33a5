package enrollment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// broken is a kit whose clock ran two days ahead while alice signed in, and
// is right again.
func broken(t *testing.T) (*proving.Kit, *proving.Person) {
	t.Helper()
	k := proving.New(t)
	alice := k.Enroll("alice")
	k.Pass(48 * time.Hour)
	d := k.SignIn("alice", enrollment.SignInOptions{})
	_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.Code())
	k.Must(err)
	k.Pass(-47 * time.Hour)
	k.Told()
	return k, alice
}

// What a broken clock has left behind is repaired before a challenge is minted:
// the repair voids all of those that are out.
func TestChallengeAfterBrokenClock(t *testing.T) {
	t.Parallel()
	k, alice := broken(t)
	before, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
	d := k.SignIn("alice", enrollment.SignInOptions{})
	after, err := k.Store.Load(t.Context(), "alice")
	k.Must(err)
	if after.Version == before.Version {
		t.Error("the repair was not stored")
	}
	k.WantTold()
	k.Unchanged("alice", func() { k.SignIn("alice", enrollment.SignInOptions{}) }) // once is enough
	// The step that was used under the broken clock is taken for one of now.
	k.Pass(2 * 30 * time.Second)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, alice.Code())
	k.Must(err)
}

// Where the repair can't be stored there is no challenge, and no sign-in either.
func TestChallengeNeedsTheRepair(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	for name, x := range map[string]struct {
		bend func(s *proving.Store)
		want error
	}{
		"Save fails":                        {func(s *proving.Store) { s.Fail(proving.Save, down) }, down},
		"Save says conflict without an end": {func(s *proving.Store) { s.Fail(proving.Save, store.ErrConflict) }, enrollment.ErrBusy},
		"Save says conflict once":           {func(s *proving.Store) { s.Nth(proving.Save, 1, proving.Fails(store.ErrConflict)) }, nil},
		"Save loses its reply":              {func(s *proving.Store) { s.LoseReply(proving.Save) }, nil},
	} {
		for _, purpose := range []enrollment.Purpose{enrollment.PurposeSignIn, "delete-project"} {
			k, alice := broken(t)
			x.bend(k.Store)
			d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: purpose})
			if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, x.want)
			}
			if err != nil {
				if d.Next != enrollment.Refuse || !d.Challenge.IsZero() {
					t.Errorf("%s: %+v with an error", name, d)
				}
				continue
			}
			k.Pass(2 * 30 * time.Second)
			if _, err := k.Guard.Answer(t.Context(), purpose, d.Challenge, alice.Code()); err != nil {
				t.Errorf("%s: the challenge can't be answered: %v", name, err)
			}
		}
	}
}
