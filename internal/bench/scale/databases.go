package main

import (
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
)

// withPostgres measures on a server of its own. Where there is none to start,
// it says so in the table.
func withPostgres(ctx context.Context, measure func(d *bench.Database) error) (err error) {
	server, err := postgres.Start(ctx)
	if errors.Is(err, postgres.ErrMissing) {
		show(table.Row{What: "PostgreSQL: not measured, it is not installed"})
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	d, err := bench.OpenPostgres(server)
	if err != nil {
		return err
	}
	defer d.DB.Close()
	d.DB.SetMaxOpenConns(*pool)
	d.DB.SetMaxIdleConns(*pool)
	return measure(d)
}
