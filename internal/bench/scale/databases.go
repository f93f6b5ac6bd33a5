package main

import (
	"context"
	"errors"
	"os"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// A measurement measures on an empty database.
type measurement func(ctx context.Context, d *bench.Database) error

// onPostgres measures on a server of its own. Where there is none to start, it says
// so in the table.
func onPostgres(m measurement) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		s, err := postgres.Start(ctx)
		if err != nil {
			return missing("PostgreSQL", err)
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		d, err := bench.OpenPostgres(s)
		return measureOn(ctx, d, err, m)
	}
}

// onMariaDB is onPostgres for MariaDB.
func onMariaDB(m measurement) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		s, err := mariadb.Start(ctx)
		if err != nil {
			return missing("MariaDB", err)
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		d, err := bench.OpenMariaDB(ctx, s)
		return measureOn(ctx, d, err, m)
	}
}

// onGalera measures on a cluster of its own, at one of three nodes.
func onGalera(m measurement) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		c, err := galera.Start(ctx)
		if err != nil {
			return missing("Galera", err)
		}
		defer func() { err = errors.Join(err, c.Stop()) }()
		d, err := bench.OpenGalera(ctx, c)
		return measureOn(ctx, d, err, m)
	}
}

// onSQLite measures on a file of its own.
func onSQLite(m measurement) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		dir, err := os.MkdirTemp("", "twofactor-sqlite-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		d, err := bench.OpenSQLite(dir)
		return measureOn(ctx, d, err, m)
	}
}

func measureOn(ctx context.Context, d *bench.Database, err error, m measurement) error {
	if err != nil {
		return err
	}
	defer d.DB.Close()
	d.SetPool(*pool)
	return m(ctx, d)
}

func missing(name string, err error) error {
	if !errors.Is(err, server.ErrMissing) {
		return err
	}
	table.Print(table.Row{What: name + ": not measured, it is not installed"})
	return nil
}
