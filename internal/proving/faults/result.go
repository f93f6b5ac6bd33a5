package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// A result is what an operation returned.
type result struct {
	token   string // of a setup, an address or a device, a challenge, or a ticket
	receipt enrollment.Receipt
	codes   []string
	code    string // in the message that was sent
	earlier bool   // whether the message is one that somebody else had sent
	uri     string // of a setup
}

// expect returns an error unless err denies for that reason.
func expect(err error, want enrollment.Reason) error {
	if got := proving.ReasonOf(err); got != want {
		return fmt.Errorf("got %q (%w), want %q", got, errors.Join(err, errors.New("…")), want)
	}
	return nil
}

func statusOf(ctx context.Context, g *enrollment.Guard) (enrollment.Status, string) {
	s, err := g.Status(ctx, states.User)
	if err != nil {
		return s, err.Error()
	}
	var kinds []string
	for _, e := range s.History {
		kinds = append(kinds, string(e.Kind))
	}
	return s, fmt.Sprintf("%v, %d apps, %d of %d codes, setup %t, %d devices, bypass %t, reset %t, address %t, last %q, %v",
		s.State, len(s.Authenticators), s.CodesLeft, s.CodesTotal, !s.SetupExpires.IsZero(),
		s.Devices, !s.BypassUntil.IsZero(), s.Reset != nil, s.Address != nil, s.LastFactor, kinds)
}

// codesWork returns an error unless the first of the codes is right, once.
func codesWork(ctx context.Context, g *enrollment.Guard, out *result) error {
	if out == nil {
		return nil
	}
	if len(out.codes) == 0 {
		return errors.New("no recovery codes were returned")
	}
	if _, err := g.Verify(ctx, states.User, "x", out.codes[0]); err != nil {
		return fmt.Errorf("a returned recovery code: %w", err)
	}
	_, err := g.Verify(ctx, states.User, "x", out.codes[0])
	return expect(err, enrollment.ReasonReplayed)
}

// importedOnce returns an error unless the account was moved in once.
func importedOnce(ctx context.Context, _ *states.State, g *enrollment.Guard, _ *result) error {
	s, text := statusOf(ctx, g)
	n := 0
	for _, e := range s.History {
		if e.Kind == enrollment.EventImported {
			n++
		}
	}
	if n != 1 {
		return errors.New(text)
	}
	return nil
}
