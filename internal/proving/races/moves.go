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
