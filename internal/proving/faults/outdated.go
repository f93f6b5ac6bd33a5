package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// outdatedOperations are those with a key that is too short, and whose time is over: the
// answer that leads to its replacement, and the replacement.
func outdatedOperations() []operation {
	type (
		S = *states.State
		G = *enrollment.Guard
		C = context.Context
	)
	// lead answers with a right code, which has to lead to the replacement.
	lead := func(ctx C, g G, s S, code string) (result, error) {
		_, err := g.Answer(ctx, enrollment.PurposeSignIn, s.Challenge, code)
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || denied.Reason != enrollment.ReasonMustReplace {
			if err == nil {
				err = errors.New("an answer that signs in")
			}
			return result{}, err
		}
		if denied.Replace == nil || denied.Replace.UserID != states.User {
			return result{}, errors.New("a denial that leads nowhere")
		}
		s.Replace = *denied.Replace
		return result{token: denied.Replace.EnrollToken.Reveal()}, nil
	}
	// leads: the code and the challenge are used up, nobody is signed in, and the token
	// begins the replacement.
	leads := func(code func(s S) string) holds {
		return all(used(code, enrollment.ReasonReplayed), is(func(_ S, status enrollment.Status) bool { return status.LastSignIn.IsZero() }),
			func(ctx C, s S, g G, out *result) error {
				_, err := g.Answer(ctx, enrollment.PurposeSignIn, s.Challenge, s.Next())
				if err := expect(err, enrollment.ReasonChallengeSpent); err != nil || out == nil {
					return err
				}
				_, err = g.Begin(ctx, states.User, s.Replacing())
				return err
			})
	}
	begin := func(ctx C, s S, g G) (result, error) {
		setup, err := g.Begin(ctx, states.User, s.Replacing())
		return result{token: setup.Token.Reveal()}, err
	}
	confirm := func(ctx C, s S, g G) (result, error) {
		done, err := g.Confirm(ctx, states.User, s.Token, s.Code(s.Waits))
		if err == nil && done.Success.Purpose != enrollment.PurposeSignIn {
			err = fmt.Errorf("a Success of %q", done.Success.Purpose)
		}
		return result{}, err
	}
	// mended: the new key signs in, and the old one does not.
	mended := func(ctx C, s S, g G, _ *result) error {
		_, err := g.Verify(ctx, states.User, "x", s.Code(s.Waits, 1))
		if err != nil {
			return err
		}
		_, err = g.Verify(ctx, states.User, "x", s.Right())
		return expect(err, enrollment.ReasonWrongCode)
	}
	system := func(s S) string { return s.System[1] }
	return []operation{
		{name: "Answer that must replace", state: "outdated", writes: true, once: true, quiet: true, seen: "must_replace", held: leads(S.Right),
			run: func(ctx C, s S, g G) (result, error) { return lead(ctx, g, s, s.Right()) }},
		{name: "Answer with recovery code that must replace", state: "outdated", writes: true, once: true, seen: "must_replace", held: leads(system),
			run: func(ctx C, s S, g G) (result, error) { return lead(ctx, g, s, system(s)) }},
		{name: "Answer with wrong code before the replacement", state: "outdated", run: answer(func(s S) enrollment.Challenge { return s.Challenge }, S.Wrong), want: enrollment.ReasonWrongCode, writes: true, counts: "totp"},
		{name: "Begin the replacement", state: "mending", run: begin, writes: true, held: resumes},
		{name: "Confirm the replacement", state: "mending", run: confirm, writes: true, once: true, held: all(signsIn(enrollment.FactorTOTP), leadsTo(store.Confirmed, 1), mended)},
	}
}
