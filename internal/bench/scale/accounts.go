package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// measureAccounts fills a table and does what is done with many accounts.
func measureAccounts(ctx context.Context, d *bench.Database) error {
	hundredth := max(20, *rows/100)
	due := min(1_000, hundredth/2)
	small, err := d.NewCrew(ctx, "small", bench.CrewOptions{Size: hundredth, Due: due})
	if err != nil {
		return err
	}
	large, err := d.NewCrew(ctx, "large", bench.CrewOptions{Size: max(*rows, hundredth), Due: due})
	if err != nil {
		return err
	}
	table.Print(
		table.Row{
			What: fmt.Sprintf("load %d accounts, %s", large.Size, d.Name),
			Ours: fmt.Sprintf("%s, %.0f/s", table.Duration(large.Took), float64(large.Size)/large.Took.Seconds()),
		},
		table.Row{
			What:  "an account on disk, " + d.Name,
			Ours:  fmt.Sprintf("%d bytes", large.Bytes/int64(large.Size)),
			Peer:  fmt.Sprintf("%d bytes of data", large.RecordSize()),
			Ratio: float64(large.Bytes) / float64(large.Size*large.RecordSize()),
		},
		table.Row{What: "the same, its part of the indexes", Ours: fmt.Sprintf("%d bytes", large.Index/int64(large.Size))})
	for _, step := range []func(ctx context.Context, d *bench.Database, large, small *bench.Crew) error{
		measureSize, measureListings, measureSweep, measureReseal,
	} {
		if err := step(ctx, d, large, small); err != nil {
			return err
		}
	}
	return nil
}

// measureSize is Answer in the large table and in one of a thousand accounts.
func measureSize(ctx context.Context, d *bench.Database, large, _ *bench.Crew) error {
	thousand, err := d.NewCrew(ctx, "thousand", bench.CrewOptions{Size: 1_000})
	if err != nil {
		return err
	}
	many, err := large.Users(ctx, perTurn)
	if err != nil {
		return err
	}
	some, err := thousand.Users(ctx, perTurn)
	if err != nil {
		return err
	}
	effort := bench.Effort{Rounds: table.Rounds(2001), Turn: time.Millisecond}
	timings, err := bench.Interleave(effort, many.AnswerWrong(ctx, accounts(large)), some.AnswerWrong(ctx, accounts(thousand)))
	if err != nil {
		return err
	}
	table.Print(table.Compare("`Answer` by size, "+d.Name, timings[0], timings[1], bench.Wall, table.AtMost(1.2)))
	return nil
}

func accounts(c *bench.Crew) string { return fmt.Sprintf("%d accounts", c.Size) }

// measureListings lists all accounts, and those of a table with a hundredth of them, in
// turns.
func measureListings(ctx context.Context, d *bench.Database, large, small *bench.Crew) error {
	for _, by := range []struct {
		name string
		list func(*bench.Crew, context.Context) (bench.Listing, error)
	}{
		{"`Directory.All`", (*bench.Crew).List},
		{"`Directory.Members`, which asks `Statuses`", (*bench.Crew).ListMembers},
	} {
		// "Constant memory", at whatever moment of a page a collection comes. A table
		// of less than two pages does not take what a page takes.
		constant, comparable := table.AtMost(1.5), small.Size >= 2*store.MaxPage
		// The collector runs often while the peak is looked at, and as usual while
		// the time is.
		before := debug.SetGCPercent(20)
		many, some, err := listBoth(ctx, by.list, large, small, large.Size/small.Size)
		debug.SetGCPercent(before)
		if err != nil {
			return err
		}
		warm, warmSmall, err := listBoth(ctx, by.list, large, small, 1)
		if err != nil {
			return err
		}
		ratio := float64(many.Peak) / float64(max(1, some.Peak))
		if !comparable {
			constant, ratio = table.None, 0
		}
		table.Print(
			table.Row{
				What:  by.name + ", " + d.Name + ", peak of what is live",
				Ours:  table.Mebibytes(many.Peak) + " " + accounts(large),
				Peer:  table.Mebibytes(some.Peak) + " " + accounts(small),
				Ratio: ratio,
				Bound: constant,
			},
			table.Row{
				What:  "the same, time for an account",
				Ours:  table.Duration(warm.Each()) + " " + accounts(large),
				Peer:  table.Duration(warmSmall.Each()) + " " + accounts(small),
				Ratio: float64(warm.Each()) / float64(warmSmall.Each()),
			})
	}
	return nil
}

// listBoth lists the large table once and the small one several times, of which it
// returns the last, with the highest peak of all. Then both are looked at as often.
func listBoth(ctx context.Context, list func(*bench.Crew, context.Context) (bench.Listing, error), large, small *bench.Crew, times int) (many, some bench.Listing, err error) {
	for range times {
		one, err := list(small, ctx)
		if err != nil {
			return many, some, err
		}
		one.Peak = max(one.Peak, some.Peak)
		some = one
	}
	many, err = list(large, ctx)
	return many, some, err
}

// measureSweep sweeps the accounts that are due, and then walks over all.
func measureSweep(ctx context.Context, d *bench.Database, large, small *bench.Crew) error {
	plan, err := large.SweepPlan(ctx)
	if err != nil {
		return err
	}
	how := "by the index"
	if !plan.Uses("large_due") {
		how = "NOT by the index"
	}
	if plan.Rows >= 0 {
		how = fmt.Sprintf("%d rows read %s", plan.Rows, how)
	}
	many, err := large.Sweep(ctx)
	if err != nil {
		return err
	}
	if _, err := small.SweepPlan(ctx); err != nil { // which has read what is due, as that of the large one
		return err
	}
	some, err := small.Sweep(ctx)
	if err != nil {
		return err
	}
	walk, err := large.Walk(ctx)
	if err != nil {
		return err
	}
	table.Print(
		table.Row{
			What:  fmt.Sprintf("`Sweep` of %d expired setups, %s, time for each", large.Due, d.Name),
			Ours:  table.Duration(many/time.Duration(large.Due)) + " of " + accounts(large),
			Peer:  table.Duration(some/time.Duration(small.Due)) + " of " + accounts(small),
			Ratio: float64(many) / float64(some),
		},
		table.Row{What: "the same, a page of them", Ours: how},
		table.Row{What: "the walk over all accounts, time for an account", Ours: table.Duration(walk / time.Duration(large.Size))},
	)
	return nil
}

// measureReseal seals all accounts under a new key, first beside sign-ins.
func measureReseal(ctx context.Context, d *bench.Database, large, _ *bench.Crew) error {
	r, err := large.Rotate(ctx, turns(), few, large.Members(perTurn), *reseal)
	if err != nil {
		return err
	}
	rate := func(moved int, took time.Duration) float64 { return float64(moved) / max(took.Seconds(), 1e-9) }
	table.Print(beside(fmt.Sprintf("`SignIn` and `Answer` of %s, %s, beside `Reseal`", many(few), d.Name), r.Beside, r.Quiet)...)
	alone := fmt.Sprintf("%.0f/s", rate(r.AloneMoved, r.AloneTook))
	if r.Done {
		alone += fmt.Sprintf(", all after %s", table.Duration(r.BesideTook+r.AloneTook))
	} else {
		alone += fmt.Sprintf(", %d of %d when it was ended", r.BesideMoved+r.AloneMoved, large.Size)
	}
	table.Print(
		table.Row{
			What: fmt.Sprintf("`Reseal`, %s, interrupted and resumed %d times", d.Name, r.Resumed),
			Ours: alone,
			Peer: fmt.Sprintf("%.0f/s beside sign-ins", rate(r.BesideMoved, r.BesideTook)),
		})
	if r.Done {
		table.Print(table.Row{What: "the same again, which finds nothing to move", Ours: fmt.Sprintf("%.0f/s", rate(large.Size, r.CheckTook))})
	}
	return nil
}
