package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
)

func measureSQLite(ctx context.Context) (rows []table.Row, err error) {
	dir, err := os.MkdirTemp("", "twofactor-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := bench.OpenSQLite(dir)
	if err != nil {
		return nil, err
	}
	defer d.DB.Close()
	return besideBare(ctx, d, table.None)
}

func measurePostgres(ctx context.Context) ([]table.Row, error) {
	return withPostgres(ctx, func(d *bench.Database) ([]table.Row, error) {
		return besideBare(ctx, d, table.AtMost(1.1))
	})
}

func measureScale(ctx context.Context) ([]table.Row, error) {
	return withPostgres(ctx, func(d *bench.Database) ([]table.Row, error) {
		large, err := d.NewTown(ctx, "large", *rows, bench.Users)
		if err != nil {
			return nil, err
		}
		small, err := d.NewTown(ctx, "small", 1_000, bench.Users)
		if err != nil {
			return nil, err
		}
		timings, err := bench.Interleave(database(),
			large.AnswerWrong(ctx, fmt.Sprintf("%d accounts", *rows)), small.AnswerWrong(ctx, "1000 accounts"))
		if err != nil {
			return nil, err
		}
		return []table.Row{table.Compare("`Answer` by size, "+d.Name, timings[0], timings[1], bench.Wall, table.AtMost(1.2))}, nil
	})
}

// measureListing lists a hundredth of the accounts and all of them, in turns.
func measureListing(ctx context.Context) ([]table.Row, error) {
	return withPostgres(ctx, func(d *bench.Database) ([]table.Row, error) {
		few, err := d.NewCrew(ctx, "few", max(1, *rows/100))
		if err != nil {
			return nil, err
		}
		many, err := d.NewCrew(ctx, "many", *rows)
		if err != nil {
			return nil, err
		}
		var peak, fewPeak int64
		var each, fewEach []time.Duration
		var slower []float64
		for range rounds(3) {
			one, err := few.List(ctx)
			if err != nil {
				return nil, err
			}
			all, err := many.List(ctx)
			if err != nil {
				return nil, err
			}
			peak, fewPeak = max(peak, all.Peak), max(fewPeak, one.Peak)
			each, fewEach = append(each, all.Each()), append(fewEach, one.Each())
			slower = append(slower, float64(all.Each())/float64(one.Each()))
		}
		size, fewSize := fmt.Sprintf(" %d accounts", many.Size), fmt.Sprintf(" %d accounts", few.Size)
		return []table.Row{
			{
				What:  "`Directory.All`, " + d.Name + ", peak of the heap",
				Ours:  table.Mebibytes(peak) + size,
				Peer:  table.Mebibytes(fewPeak) + fewSize,
				Ratio: float64(peak) / float64(fewPeak),
				// "Constant memory", within what the collector's timing makes of it.
				Bound: table.AtMost(1.5),
			},
			{
				What:  "the same, time for an account",
				Ours:  table.Duration(bench.Median(each)) + size,
				Peer:  table.Duration(bench.Median(fewEach)) + fewSize,
				Ratio: bench.Median(slower),
			},
		}, nil
	})
}

func besideBare(ctx context.Context, d *bench.Database, b table.Bound) ([]table.Row, error) {
	p, err := d.NewPopulation(ctx, "answer", 64)
	if err != nil {
		return nil, err
	}
	stored, err := d.NewPopulation(ctx, "stored", 64)
	if err != nil {
		return nil, err
	}
	bare, err := d.Bare(ctx, "bare", p.Users)
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(database(),
		p.AnswerWrong(ctx, "wrong code"), bare.Answer(ctx), stored.LoadAndSave(ctx, "Load and Save alone"))
	if err != nil {
		return nil, err
	}
	return []table.Row{
		table.Compare("`Answer`, "+d.Name, timings[0], timings[1], bench.Wall, b),
		table.Compare("the same, the store's part", timings[2], timings[1], bench.Wall, table.None),
	}, nil
}

// withPostgres measures on a server of its own. Where there is none to start,
// it says so in the table.
func withPostgres(ctx context.Context, measure func(*bench.Database) ([]table.Row, error)) (rows []table.Row, err error) {
	server, err := postgres.Start(ctx)
	if errors.Is(err, postgres.ErrMissing) {
		return []table.Row{{What: "`Answer`, PostgreSQL: not measured, it is not installed"}}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	d, err := bench.OpenPostgres(server)
	if err != nil {
		return nil, err
	}
	defer d.DB.Close()
	return measure(d)
}
