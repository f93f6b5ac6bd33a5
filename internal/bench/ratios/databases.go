package main

import (
	"context"
	"errors"
	"os"

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

func besideBare(ctx context.Context, d *bench.Database, b table.Bound) ([]table.Row, error) {
	p, err := d.NewPopulation(ctx, "answer", 64)
	if err != nil {
		return nil, err
	}
	stored, err := d.NewPopulation(ctx, "stored", 64)
	if err != nil {
		return nil, err
	}
	least, err := d.NewPopulation(ctx, "least", 64)
	if err != nil {
		return nil, err
	}
	floor, err := least.AnswerFloor(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := d.Bare(ctx, "bare", p.Users)
	if err != nil {
		return nil, err
	}
	timings, err := bench.Interleave(database(),
		p.AnswerWrong(ctx, "wrong code"), bare.Answer(ctx), stored.LoadAndSave(ctx, "Load and Save alone"), floor)
	if err != nil {
		return nil, err
	}
	return []table.Row{
		table.Compare("`Answer`, "+d.Name, timings[0], timings[1], bench.Wall, b),
		table.Compare("the same, the store's part", timings[2], timings[1], bench.Wall, table.None),
		table.Compare("the same, what can't be left out", timings[3], timings[1], bench.Wall, table.None),
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
