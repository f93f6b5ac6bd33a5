package main

import (
	"context"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
)

func measureTOTP(context.Context) ([]table.Row, error) {
	t, err := bench.NewTOTP()
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(brief(), t.Check(), t.Pquerna(), t.BareHMAC())
	if err != nil {
		return nil, err
	}
	all := []table.Row{
		table.Compare("`totp` check, wrong code", timings[0], timings[1], bench.CPU, table.AtLeast(2)),
		table.Compare("the same, beside what it can't do without", timings[0], timings[2], bench.CPU, table.AtMost(2)),
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
		what, b := "`totp` check, slowest outcome beside fastest", table.AtMost(1.1)
		if len(all) == 3 {
			what, b = "the same of pquerna", table.None
		}
		all = append(all, table.Compare(what, slowest, fastest, bench.CPU, b))
	}
	return all, nil
}

func measureRecovery(ctx context.Context) ([]table.Row, error) {
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
	return []table.Row{
		table.Compare("recovery check, wrong code, 10 in the set", timings[0], timings[1], bench.CPU, table.AtLeast(10)),
		table.Compare("the same, beside one derivation", timings[0], timings[2], bench.CPU, table.None),
	}, nil
}

// measureCrowd runs each crowd in a process of its own, in turns.
func measureCrowd(ctx context.Context) ([]table.Row, error) {
	crowd, err := bench.NewCrowd(ctx, bench.CrowdSize)
	if err != nil {
		return nil, err
	}
	const few = 2
	var peak int64
	var slots int
	var rates, fewRates, ratios []float64
	for range table.Rounds(5) {
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
	return []table.Row{
		{
			What:  fmt.Sprintf("%d concurrent recovery checks, peak memory", bench.CrowdSize),
			Ours:  table.Mebibytes(peak),
			Peer:  fmt.Sprintf("%s in %d slots", table.Mebibytes(memory), slots),
			Ratio: float64(peak) / float64(memory),
			Bound: table.AtMost(4),
		},
		{
			What:  "the same, time for a check",
			Ours:  fmt.Sprintf("%.1f checks/s", bench.Median(rates)),
			Peer:  fmt.Sprintf("%.1f checks/s with %d callers", bench.Median(fewRates), few),
			Ratio: bench.Median(ratios),
			// "No less than with 2 callers", within what two runs differ by.
			Bound: table.AtMost(1.05),
		},
	}, nil
}

func measureAnswer(ctx context.Context) ([]table.Row, error) {
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
	p, err := bench.NewPopulation(ctx, 256)
	if err != nil {
		return nil, err
	}
	floor, err := p.AnswerFloor(ctx)
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(brief(), append(sides, floor)...)
	if err != nil {
		return nil, err
	}
	last := len(sides)
	all := []table.Row{
		table.Compare("`Answer`, memory store", timings[1], timings[0], bench.CPU, table.AtMost(3)),
		table.Compare("the same, what can't be left out", timings[last], timings[0], bench.CPU, table.None),
	}
	for _, t := range timings[2:last] {
		all = append(all, table.Compare("the same", t, timings[0], bench.CPU, table.None))
	}
	return all, nil
}

func measureParts(ctx context.Context) ([]table.Row, error) {
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
	timings, err := bench.Interleave(brief(), parts.Decode(), encode, parts.Open(ctx), parts.Seal(ctx), parts.Derive(ctx))
	if err != nil {
		return nil, err
	}
	var all []table.Row
	for _, t := range timings {
		all = append(all, table.Row{What: fmt.Sprintf("%s, %d bytes", t.Name, parts.Size()), Ours: table.Duration(t.Op(bench.CPU))})
	}
	return all, nil
}

func measureQR(context.Context) ([]table.Row, error) {
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
	return []table.Row{
		table.Compare("QR as PNG", timings[0], timings[1], bench.CPU, table.AtLeast(2)),
		{
			What:  "the same, size",
			Ours:  fmt.Sprintf("%d bytes", ours),
			Peer:  fmt.Sprintf("%d bytes", theirs),
			Ratio: float64(ours) / float64(theirs),
			Bound: table.AtMost(1),
		},
	}, nil
}
