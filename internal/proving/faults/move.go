package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

const (
	newID = "alice.smith"
	again = "comes after the same move by another"
)

// moveFaults are the ways in which a call of the store fails during a move.
func moveFaults() map[string]func(s *proving.Store, op proving.Op, n int, cancel context.CancelFunc) {
	type F = func(s *proving.Store, op proving.Op, n int, cancel context.CancelFunc)
	return map[string]F{
		"fails": func(s *proving.Store, op proving.Op, n int, _ context.CancelFunc) {
			s.Nth(op, n, proving.Fails(errFault))
		},
		"loses its reply": func(s *proving.Store, op proving.Op, n int, _ context.CancelFunc) {
			s.NthAfter(op, n, proving.Fails(errFault))
		},
		"is the last one": func(s *proving.Store, op proving.Op, n int, _ context.CancelFunc) {
			s.NthAfter(op, n, func(_ context.Context, c *proving.Call) {
				s.Fail(proving.Load, errFault)
				s.Fail(proving.Save, errFault)
				c.Err = errFault
			})
		},
		"hangs": func(s *proving.Store, op proving.Op, n int, _ context.CancelFunc) {
			s.Nth(op, n, func(ctx context.Context, c *proving.Call) {
				<-ctx.Done()
				c.Err = ctx.Err()
			})
		},
		"comes when the caller hangs up": func(s *proving.Store, op proving.Op, n int, cancel context.CancelFunc) {
			s.Nth(op, n, func(context.Context, *proving.Call) { cancel() })
		},
		again: nil,
	}
}

// Whatever fails during a move, at whichever call: neither id signs in without a
// code that it would not have signed in without before, no code works twice, and
// the same call again ends the move.
func TestFaultsOfMove(t *testing.T, open proving.Open) {
	if fips.Enforced() {
		t.Skip("the state is for SHA-1")
	}
	open = proving.Emptied(t, open)
	s := states.New(t, "confirmed", recovery.Fast)
	for how, bend := range moveFaults() {
		for _, op := range []proving.Op{proving.Load, proving.Save} {
			t.Run(fmt.Sprintf("%s %s", op, how), func(t *testing.T) {
				t.Parallel()
				proving.InBubble(t, open, func(t *testing.T, open proving.Open) {
					n := 1
					for ; moveOnce(t, s.On(t, open), op, n, how, bend); n++ {
					}
					if n < 5 {
						t.Errorf("only %d calls were bent", n-1)
					}
				})
			})
		}
	}
}

// moveOnce moves once while the nth call fails. It reports whether that came.
func moveOnce(t *testing.T, s *states.State, op proving.Op, n int, how string, bend func(*proving.Store, proving.Op, int, context.CancelFunc)) bool {
	t.Helper()
	where := fmt.Sprintf("%s %d %s", op, n, how)
	g := s.NodeOver(s.Store, s.Keys, func(c *enrollment.Config) { c.Notify = states.Taken })
	healthy := s.NodeOver(s.Store.Straight, s.Keys, func(c *enrollment.Config) { c.Notify = states.Taken })
	move := func(ctx context.Context, g *enrollment.Guard) error {
		return g.Admin("root", "married").Move(ctx, states.User, newID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	came := false
	if how == again {
		s.Store.Nth(op, n, func(context.Context, *proving.Call) {
			came = true
			if err := move(t.Context(), healthy); err != nil {
				t.Errorf("%s: the other: %v", where, err)
			}
		})
	} else {
		bend(s.Store, op, n, cancel)
	}
	err := move(ctx, g)
	came = came || s.Store.Calls(op) >= n
	s.Store.Straighten()
	if !came {
		return false
	}
	if err != nil && proving.ReasonOf(err) != proving.Fault {
		t.Errorf("%s: %v", where, err)
	}

	grants := 0
	try := func() {
		if _, err := healthy.Answer(t.Context(), enrollment.PurposeSignIn, s.Challenge, s.Right()); err == nil {
			grants++
		}
		for _, id := range []string{states.User, newID} {
			d, err := healthy.SignIn(t.Context(), id, enrollment.SignInOptions{})
			switch {
			case errors.Is(err, enrollment.ErrMoved):
			case err != nil:
				t.Errorf("%s: %s: %v", where, id, err)
			case d.Next == enrollment.AskCode:
				if _, err := healthy.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, s.Right()); err == nil {
					grants++
				}
			default: // as long as nothing is written, the new id has nothing
				if status, err := healthy.Status(t.Context(), states.User); id != newID || err != nil || !status.Enabled() {
					t.Errorf("%s: %s signs in without a code: %v", where, id, d.Next)
				}
			}
		}
	}
	try()
	if err := move(t.Context(), healthy); err != nil {
		t.Errorf("%s: once more: %v", where, err)
		return true
	}
	try()
	if grants != 1 {
		t.Errorf("%s: the code worked %d times, want once", where, grants)
	}
	status, err := healthy.Status(t.Context(), newID)
	if err != nil || len(status.Authenticators) != 2 || status.History[0].Kind != enrollment.EventMoved {
		t.Errorf("%s: %+v, %v", where, status, err)
	}
	if left := s.Record(states.User); len(left.Data) > 400 {
		t.Errorf("%s: %d bytes are left under the old id", where, len(left.Data))
	}
	return true
}
