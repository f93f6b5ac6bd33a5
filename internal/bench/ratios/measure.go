package main

import (
	"context"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
)

func measureTOTP(context.Context) ([]row, error) {
	t, err := bench.NewTOTP()
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(brief(), t.Check(), t.Pquerna(), t.BareHMAC())
	if err != nil {
		return nil, err
	}
	table := []row{
		compare("`totp` check, wrong code", timings[0], timings[1], bench.CPU, atLeast(2)),
		compare("the same, beside what it can't do without", timings[0], timings[2], bench.CPU, atMost(2)),
	}

	ours, err := t.Outcomes()
	if err != nil {
		return nil, err
	}
	theirs, err := t.PquernaOutcomes()
	if err != nil {
		return nil, err
	}
	for _, sides := range [][]*bench.Side{ours, theirs} {
		timings, err := bench.Interleave(brief(), sides...)
		if err != nil {
			return nil, err
		}
		slowest, fastest := timings[0], timings[0]
		for _, t := range timings {
			if t.Op(bench.CPU) > slowest.Op(bench.CPU) {
				slowest = t
			}
			if t.Op(bench.CPU) < fastest.Op(bench.CPU) {
				fastest = t
			}
		}
		// The budget has no number for "constant work": this one leaves room
		// for the noise of the machine.
		what, b := "`totp` check, slowest outcome beside fastest", atMost(1.1)
		if len(table) == 3 {
			what, b = "the same of pquerna", none
		}
		table = append(table, compare(what, slowest, fastest, bench.CPU, b))
	}
	return table, nil
}

func measureRecovery(ctx context.Context) ([]row, error) {
	r, err := bench.NewRecovery(ctx, bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	bare, err := r.Bare()
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(lengthy(), r.Derive(), r.Bcrypt(), bare)
	if err != nil {
		return nil, err
	}
	return []row{
		compare("recovery check, wrong code, 10 in the set", timings[0], timings[1], bench.CPU, atLeast(10)),
		compare("the same, beside one derivation", timings[0], timings[2], bench.CPU, none),
	}, nil
}

// measureCrowd runs each crowd in a process of its own, in turns.
func measureCrowd(ctx context.Context) ([]row, error) {
	crowd, err := bench.NewCrowd(ctx, bench.CrowdSize)
	if err != nil {
		return nil, err
	}
	const few = 2
	var peak int64
	var slots int
	var rates, fewRates, ratios []float64
	for range rounds(5) {
		one, err := crowd.Run(ctx, bench.CrowdSize, 2)
		if err != nil {
			return nil, err
		}
		other, err := crowd.Run(ctx, few, 2)
		if err != nil {
			return nil, err
		}
		peak, slots = max(peak, one.Peak), one.Slots
		rates, fewRates = append(rates, one.Rate()), append(fewRates, other.Rate())
		ratios = append(ratios, other.Rate()/one.Rate())
	}
	memory := int64(slots) * bench.DerivationSize
	return []row{
		{
			what:  fmt.Sprintf("%d concurrent recovery checks, peak memory", bench.CrowdSize),
			ours:  mebibytes(peak),
			peer:  fmt.Sprintf("%s in %d slots", mebibytes(memory), slots),
			ratio: float64(peak) / float64(memory),
			bound: atMost(4),
		},
		{
			what:  "the same, time for a check",
			ours:  fmt.Sprintf("%.1f checks/s", bench.Median(rates)),
			peer:  fmt.Sprintf("%.1f checks/s with %d callers", bench.Median(fewRates), few),
			ratio: bench.Median(ratios),
			// "No less than with 2 callers", within what two runs differ by.
			bound: atMost(1.05),
		},
	}, nil
}

func measureAnswer(ctx context.Context) ([]row, error) {
	t, err := bench.NewTOTP()
	if err != nil {
		return nil, err
	}
	// Sides that leave accounts in different states need accounts of their own.
	sides := []*bench.Side{t.Pquerna()}
	for _, side := range []func(*bench.Population) *bench.Side{
		func(p *bench.Population) *bench.Side { return p.AnswerWrong(ctx, "wrong code") },
		func(p *bench.Population) *bench.Side { return p.AnswerRight(ctx, "right code") },
		func(p *bench.Population) *bench.Side { return p.AnswerFifth(ctx, "wrong code that locks") },
		func(p *bench.Population) *bench.Side { return p.AnswerLocked(ctx, "while locked") },
	} {
		p, err := bench.NewPopulation(ctx, 256)
		if err != nil {
			return nil, err
		}
		sides = append(sides, side(p))
	}
	timings, err := bench.Interleave(brief(), sides...)
	if err != nil {
		return nil, err
	}
	table := []row{compare("`Answer`, memory store", timings[1], timings[0], bench.CPU, atMost(3))}
	for _, t := range timings[2:] {
		table = append(table, compare("the same", t, timings[0], bench.CPU, none))
	}
	return table, nil
}

func measureParts(ctx context.Context) ([]row, error) {
	p, err := bench.NewPopulation(ctx, 1)
	if err != nil {
		return nil, err
	}
	parts, err := bench.NewParts(ctx, p)
	if err != nil {
		return nil, err
	}
	encode, err := parts.Encode()
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(brief(), parts.Decode(), encode, parts.Open(ctx), parts.Seal(ctx))
	if err != nil {
		return nil, err
	}
	var table []row
	for _, t := range timings {
		table = append(table, row{what: fmt.Sprintf("%s, %d bytes", t.Name, parts.Size()), ours: duration(t.Op(bench.CPU))})
	}
	return table, nil
}

func measureQR(context.Context) ([]row, error) {
	p, err := bench.NewPicture()
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(lengthy(), p.Ours(), p.Pquerna())
	if err != nil {
		return nil, err
	}
	ours, theirs, err := p.Sizes()
	if err != nil {
		return nil, err
	}
	return []row{
		compare("QR as PNG", timings[0], timings[1], bench.CPU, atLeast(2)),
		{
			what:  "the same, size",
			ours:  fmt.Sprintf("%d bytes", ours),
			peer:  fmt.Sprintf("%d bytes", theirs),
			ratio: float64(ours) / float64(theirs),
			bound: atMost(1),
		},
	}, nil
}
