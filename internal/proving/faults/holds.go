package faults

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What operations do, and what has to hold after them.

type (
	doing func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error)
	holds func(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error
)

// all holds if all of them do.
func all(held ...holds) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
		for _, h := range held {
			if err := h(ctx, s, g, out); err != nil {
				return err
			}
		}
		return nil
	}
}

// is holds if Status says so.
func is(ok func(s *states.State, status enrollment.Status) bool) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		status, text := statusOf(ctx, g)
		if !ok(s, status) {
			return errors.New(text)
		}
		return nil
	}
}

// used holds if the code is refused for that reason.
func used(code func(s *states.State) string, reason enrollment.Reason) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		_, err := g.Verify(ctx, states.User, "x", code(s))
		return expect(err, reason)
	}
}

// resumes holds if the token that was returned leads to the setup.
func resumes(ctx context.Context, _ *states.State, g *enrollment.Guard, out *result) error {
	if out == nil {
		return nil
	}
	_, err := g.Resume(ctx, states.User, enrollment.SetupTokenOf(out.token))
	return err
}

// waived runs a sign-in for which no code is asked.
func waived(l func(s *states.State) enrollment.SignInOptions, by enrollment.Factor) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		d, err := g.SignIn(ctx, states.User, l(s))
		if err == nil && by == "" && d.Next == enrollment.AskCode {
			// By an old record the account has a factor. That grants nothing.
			return result{}, &enrollment.Denied{Reason: enrollment.ReasonProofRequired}
		}
		want := enrollment.Proceed
		if err != nil {
			want = enrollment.Refuse
		} else if d.Waived != by {
			err = fmt.Errorf("%q replaced the code", d.Waived)
		}
		if d.Next != want || !d.Challenge.IsZero() {
			err = fmt.Errorf("SignIn says %v with %w", d.Next, err)
		}
		return result{}, err
	}
}

// signsIn holds if the last sign-in was that one.
func signsIn(by enrollment.Factor) holds {
	return is(func(s *states.State, status enrollment.Status) bool {
		return status.LastFactor == by && status.LastSignIn.Equal(s.Now())
	})
}

// verify runs Verify, and what comes of a code that is replaced at once.
func verify(code func(s *states.State) string) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		ok, err := g.Verify(ctx, states.User, "x", code(s))
		return success(ok, err)
	}
}

func answer(challenge func(s *states.State) enrollment.Challenge, code func(s *states.State) string) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		ok, err := g.Answer(ctx, enrollment.PurposeSignIn, challenge(s), code(s))
		return success(ok, err)
	}
}

func success(ok enrollment.Success, err error) (result, error) {
	if err != nil {
		if !reflect.DeepEqual(ok, enrollment.Success{}) {
			err = errors.New("an error that comes with a result")
		}
		return result{}, err
	}
	out := result{receipt: ok.Receipt}
	if !ok.NewCode.IsZero() {
		out.codes = []string{ok.NewCode.Reveal()}
	}
	return out, nil
}

// newCodeShown holds if the code that came for the used one is shown once more, also if the
// answer was lost.
func newCodeShown(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	_, code, err := g.NewCode(ctx, enrollment.PurposeSignIn, s.Challenge, s.Codes[1])
	if err != nil || out != nil && !slices.Equal(out.codes, []string{code.Reveal()}) {
		return fmt.Errorf("the new code is not shown again: %w", err)
	}
	return nil
}

// replaced holds if the code is void, and the one that came for it is
// right.
func replaced(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	status, text := statusOf(ctx, g)
	if status.CodesLeft != recovery.MinCount {
		return errors.New(text)
	}
	_, err := g.Verify(ctx, states.User, "x", s.Codes[1])
	if err := expect(err, enrollment.ReasonWrongCode); err != nil || out == nil {
		return err
	}
	if len(out.codes) != 1 {
		return fmt.Errorf("%d new codes", len(out.codes))
	}
	ok, err := g.Verify(ctx, states.User, "x", out.codes[0])
	if err != nil || ok.NewCode.IsZero() {
		return fmt.Errorf("the new code: %w", err)
	}
	codes, err := g.RecoveryCodes(ctx, states.User, enrollment.ByCode(s.Right()))
	if err != nil || !slices.Contains(codes.Reveal(), ok.NewCode.Reveal()) {
		return fmt.Errorf("the codes that are kept: %w", err)
	}
	return nil
}

// shown holds if the codes that were shown are the unspent ones.
func shown(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	status, text := statusOf(ctx, g)
	if status.History[0].Kind != enrollment.EventCodesShown {
		return errors.New(text)
	}
	if out != nil && !slices.Equal(out.codes, s.Codes[1:]) {
		return fmt.Errorf("%d codes were shown", len(out.codes))
	}
	return nil
}

// confirms holds if the setup can be resumed and confirmed, and the codes that
// it has shown become valid with it.
func confirms(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	if out == nil {
		return nil
	}
	setup, err := g.Resume(ctx, states.User, enrollment.SetupTokenOf(out.token))
	if err != nil || setup.URI() != out.uri || !slices.Equal(setup.Codes().Reveal(), out.codes) {
		return fmt.Errorf("resuming: %w", err)
	}
	key, _, err := totp.ParseURI(out.uri)
	if err != nil {
		return err
	}
	done, err := g.Confirm(ctx, states.User, enrollment.SetupTokenOf(out.token), s.Code(key))
	if err != nil || len(out.codes) > 0 && !slices.Equal(done.Codes.Reveal(), out.codes) {
		return fmt.Errorf("confirming: %w", err)
	}
	return codesWork(ctx, g, &result{codes: done.Codes.Reveal()})
}

func begin(ticket func(s *states.State) enrollment.Ticket) doing {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard) (result, error) {
		setup, err := g.Begin(ctx, states.User, enrollment.BeginOptions{Account: "a", Ticket: ticket(s), Proof: enrollment.ByReauth("password")})
		if err != nil && (!setup.Token.IsZero() || setup.URI() != "" || setup.Codes().Len() > 0) {
			err = errors.New("an error that comes with a result")
		}
		return result{token: setup.Token.Reveal(), uri: setup.URI(), codes: setup.Codes().Reveal()}, err
	}
}

// trusts holds if there are that many trusted devices, of which the one that
// was returned signs in.
func trusts(ctx context.Context, _ *states.State, g *enrollment.Guard, out *result) error {
	list, err := g.Devices().List(ctx, states.User)
	if err != nil || len(list) == 0 {
		return fmt.Errorf("%d devices: %w", len(list), err)
	}
	if out == nil {
		return nil
	}
	d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Device: enrollment.DeviceTokenOf(out.token)})
	if err != nil || d.Waived != enrollment.FactorTrustedDevice {
		return fmt.Errorf("SignIn says %v: %w", d.Next, err)
	}
	return nil
}

// revoked holds if the device has to give a code, and that many are left.
func revoked(left int) holds {
	return func(ctx context.Context, s *states.State, g *enrollment.Guard, _ *result) error {
		list, err := g.Devices().List(ctx, states.User)
		if err != nil || len(list) != left {
			return fmt.Errorf("%d devices: %w", len(list), err)
		}
		d, err := g.SignIn(ctx, states.User, enrollment.SignInOptions{Device: s.Device.Token})
		if err != nil || d.Next != enrollment.AskCode {
			return fmt.Errorf("SignIn says %v: %w", d.Next, err)
		}
		return nil
	}
}

// leadsTo holds in that state, with so many apps and no setup.
func leadsTo(want store.State, apps int) holds {
	return is(func(_ *states.State, status enrollment.Status) bool {
		return status.State == want && len(status.Authenticators) == apps && status.SetupExpires.IsZero()
	})
}
