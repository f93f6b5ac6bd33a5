package faults

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// shownAgain returns an error unless the codes are those that were returned. Codes
// whose answer was lost are shown all the same.
func shownAgain(codes recovery.Codes, err error, out *result) error {
	switch {
	case err != nil:
		return fmt.Errorf("the codes are not shown again: %w", err)
	case codes.Len() != recovery.MinCount, out != nil && !slices.Equal(codes.Reveal(), out.codes):
		return fmt.Errorf("%d other codes are shown again", codes.Len())
	}
	return nil
}

// setupShownAgain is shownAgain for the codes of a setup.
func setupShownAgain(ctx context.Context, s *states.State, g *enrollment.Guard, out *result) error {
	codes, err := g.SetupCodes(ctx, states.User, s.Token)
	return shownAgain(codes, err, out)
}

// againOperations are those with requests that come twice.
func againOperations() []operation {
	type (
		C = context.Context
		S = *states.State
		G = *enrollment.Guard
	)
	renew := func(ctx C, s S, g G) (result, error) {
		done, err := g.RenewCodesOnce(ctx, states.User, s.Renewal, enrollment.ByReceipt(s.Receipt))
		return result{codes: done.Codes.Reveal(), receipt: done.Receipt}, err
	}
	// The same answer again is a denial, and the codes are shown again and work.
	renewed := func(ctx C, s S, g G, out *result) error {
		_, err := renew(ctx, s, g)
		if err := expect(err, enrollment.ReasonAlreadyRenewed); err != nil {
			return err
		}
		codes, err := g.RenewalCodes(ctx, states.User, s.Renewal)
		if err := shownAgain(codes, err, out); err != nil {
			return err
		}
		return codesWork(ctx, g, out)
	}
	return []operation{
		{name: "PrepareRenewal", state: "confirmed", reads: true, run: func(ctx C, _ S, g G) (result, error) {
			_, err := g.PrepareRenewal(ctx, states.User)
			return result{}, err
		}},
		{name: "RenewCodesOnce", state: "shown", run: renew, writes: true, once: true, held: renewed},
		{name: "RenewCodesOnce again", state: "renewed", run: renew, want: enrollment.ReasonAlreadyRenewed},
		{name: "RenewalCodes", state: "renewed", reads: true, counted: true, run: func(ctx C, s S, g G) (result, error) {
			codes, err := g.RenewalCodes(ctx, states.User, s.Renewal)
			return result{codes: codes.Reveal()}, err
		}},
		{name: "SetupCodes", state: "shown", reads: true, counted: true, run: func(ctx C, s S, g G) (result, error) {
			codes, err := g.SetupCodes(ctx, states.User, s.Shown)
			return result{codes: codes.Reveal()}, err
		}},
		{name: "Confirm again", state: "shown", want: enrollment.ReasonAlreadyConfirmed, run: func(ctx C, s S, g G) (result, error) {
			_, err := g.Confirm(ctx, states.User, s.Shown, s.Right())
			return result{}, err
		}},
	}
}
