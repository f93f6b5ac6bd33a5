package races

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// Many who move an account to the same user id, while its owner signs in under
// both, move it once. The code works once.
func TestRaceOfMoves(t *testing.T, open proving.Open) {
	s := begin(t, open, "confirmed")
	const to = "alice.smith"
	move := func() error { return s.Guard.Admin("root", "x").Move(t.Context(), states.User, to) }
	granted := 0
	got := race(func(i int) error {
		if i%2 == 0 {
			return move()
		}
		for _, id := range []string{states.User, to} {
			d, err := s.Guard.SignIn(t.Context(), id, enrollment.SignInOptions{Enrolled: true})
			if err != nil || d.Next != enrollment.AskCode {
				continue
			}
			if _, err := s.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, s.Right()); err == nil {
				return nil
			}
		}
		return errors.New("not let in")
	})
	for i, r := range got {
		switch {
		case i%2 == 1 && r == "":
			granted++
		case i%2 == 0 && r != "" && r != proving.Fault: // busy is allowed
			t.Errorf("a move ended with %q", r)
		}
	}
	s.Must(move())
	if d, err := s.Guard.SignIn(t.Context(), to, enrollment.SignInOptions{}); err != nil {
		t.Error(err)
	} else if _, err := s.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, s.Right()); err == nil {
		granted++
	}
	if granted != 1 {
		t.Errorf("the code worked %d times", granted)
	}
	moves := 0
	for _, e := range s.Status(to).History {
		if e.Kind == enrollment.EventMoved {
			moves++
		}
	}
	if moves != 1 {
		t.Errorf("it was moved %d times", moves)
	}
}

// Many sign in at once who are not moved in yet. One of them moves in, all are asked
// for a code, and each of their challenges is good until one of them is answered.
func TestRaceOfMovingIn(t *testing.T, open proving.Open) {
	s := begin(t, open, "none")
	im := s.Imported(false)
	decisions := make([]enrollment.Decision, racers)
	for _, reason := range race(func(i int) (err error) {
		decisions[i], err = s.Guard.SignIn(t.Context(), states.User, enrollment.SignInOptions{Import: &im})
		return err
	}) {
		if reason != "" {
			t.Errorf("a sign-in ended with %q", reason)
		}
	}
	took := 0
	for _, d := range decisions {
		if d.Next != enrollment.AskCode || !d.NextCode.Equal(decisions[0].NextCode) {
			t.Errorf("%+v", d)
		}
		if d.NotImported == "" {
			took++
		}
	}
	events := 0
	for _, e := range s.Status(states.User).History {
		if e.Kind == enrollment.EventImported {
			events++
		}
	}
	if took != 1 || events != 1 {
		t.Errorf("moved in by %d sign-ins, with %d events", took, events)
	}
	s.Pass(decisions[0].NextCode.Sub(s.Now()))
	one(t, race(func(i int) error {
		_, err := s.Guard.Answer(t.Context(), enrollment.PurposeSignIn, decisions[i].Challenge, s.Right())
		return err
	}), enrollment.ReasonReplayed)
}

// Moves of one account to two user ids, and of two accounts to one, end with each
// account in one place.
func TestRaceOfMovesApart(t *testing.T, open proving.Open) {
	s := begin(t, open, "confirmed")
	s.Enroll("carol")
	admin := s.Guard.Admin("root", "x")
	pairs := [][2]string{{states.User, "dora"}, {states.User, "emma"}, {"carol", "emma"}, {"carol", states.User}}
	race(func(i int) error { return admin.Move(t.Context(), pairs[i%len(pairs)][0], pairs[i%len(pairs)][1]) })
	for range 3 { // whatever was interrupted goes on
		for _, p := range pairs[:3] {
			_ = admin.Move(t.Context(), p[0], p[1])
		}
	}
	enabled := 0
	for _, id := range []string{states.User, "carol", "dora", "emma"} {
		status, err := s.Guard.Status(t.Context(), id)
		switch {
		case err != nil && !errors.Is(err, enrollment.ErrMoved):
			t.Errorf("%s: %v", id, err)
		case err == nil && status.Enabled():
			enabled++
		}
	}
	if enabled != 2 {
		t.Errorf("%d accounts are there, want 2", enabled)
	}
}
