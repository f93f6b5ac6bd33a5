package faults

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// unansweredOperations are those with challenges that nobody has answered, where the
// owner is to hear of them.
func unansweredOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
		C = context.Context
	)
	signIn := func(ctx C, _ S, g G) (result, error) {
		d, err := g.SignIn(enrollment.WithOrigin(ctx, states.Elsewhere), states.User, enrollment.SignInOptions{})
		if (err == nil) != (d.Next == enrollment.AskCode) || (err == nil) != !d.Challenge.IsZero() {
			err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
		}
		return result{}, err
	}
	// remembered: the owner is to hear of it in ten minutes, unless a right code comes
	// from there.
	remembered := func(ctx C, s S, g G, _ *result) error {
		if due, want := s.Record(states.User).Due, s.Now().Add(10*time.Minute); !due.Equal(want) {
			return fmt.Errorf("due %v, want %v", due, want)
		}
		_, err := g.Answer(enrollment.WithOrigin(ctx, states.Elsewhere), enrollment.PurposeSignIn, s.Challenge, s.Right())
		if due := s.Record(states.User).Due; err != nil || !due.IsZero() {
			return fmt.Errorf("due %v after a right code: %w", due, err)
		}
		return nil
	}
	// heard: the owner was told, once.
	heard := is(func(_ S, status enrollment.Status) bool {
		n := 0
		for _, e := range status.History {
			if e.Kind == enrollment.EventWrongCodes && e.Origin == states.Elsewhere && e.WrongCodes == 0 {
				n++
			}
		}
		return n == 1
	})
	challenge := func(s S) enrollment.Challenge { return s.Challenge }
	return []operation{
		{name: "SignIn that is remembered", state: "watched", run: signIn, writes: true, notify: true, unseen: true, held: remembered},
		{name: "SignIn that was remembered", state: "unheard", run: signIn, reads: true, notify: true},
		{name: "Answer that tells of a sign-in", state: "unheard", run: answer(challenge, S.Right), writes: true, once: true, notify: true, held: all(heard, used(S.Right, enrollment.ReasonReplayed))},
		{name: "Answer with wrong code that tells of a sign-in", state: "unheard", run: answer(challenge, S.Wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp", notify: true},
	}
}
