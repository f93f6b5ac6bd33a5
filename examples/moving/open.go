package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the drivers of old databases
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// openNew opens the database and the keys of the new service. Yours takes its own
// function for that, so that both programs have the same Config.
func (o options) openNew(ctx context.Context) (*enrollment.Guard, func() error, error) {
	config := enrollment.Config{Issuer: "Acme", ShortSecretsUntil: o.shortUntil}
	path, keyPath := filepath.Join(o.data, "app.db"), filepath.Join(o.data, "twofactor.key")
	if _, err := os.Stat(path); !o.write && errors.Is(err, fs.ErrNotExist) {
		return rehearsalGuard(config) // a rehearsal creates nothing
	}
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, nil, err
	}
	accounts := sqlstore.New(db, sqlstore.SQLite)
	prepare, openKeys := accounts.Check, keyfile.Find
	if o.write {
		prepare, openKeys = accounts.Migrate, keyfile.Open
	}
	if err := prepare(ctx); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	keys, err := openKeys(ctx, keyPath, accounts)
	if !o.write && errors.Is(err, fs.ErrNotExist) { // and there are no accounts
		db.Close()
		return rehearsalGuard(config)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	guard, _, err := enrollment.Open(ctx, accounts, keys, config)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return guard, db.Close, nil
}

// rehearsalGuard is for a new service that has no account yet.
func rehearsalGuard(config enrollment.Config) (*enrollment.Guard, func() error, error) {
	keys, err := keyring.Generate("rehearsal")
	if err != nil {
		return nil, nil, err
	}
	guard, err := enrollment.New(memory.New(), keys, config)
	return guard, func() error { return nil }, err
}

// openOld opens the old system. It is only read.
func (o options) openOld(ctx context.Context, getenv func(string) string) (source, func() error, error) {
	if o.from == "keycloak" {
		file, err := os.Open(o.old)
		if err != nil {
			return nil, nil, err
		}
		return fromKeycloak(file), file.Close, nil
	}
	db, err := openDatabase(o.old)
	if err != nil {
		return nil, nil, err
	}
	users, err := o.openTables(ctx, db, getenv)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return users, db.Close, nil
}

// openTables returns the users in a database.
func (o options) openTables(ctx context.Context, db *sql.DB, getenv func(string) string) (source, error) {
	query := func(usual string) string {
		if o.query != "" {
			return o.query
		}
		return usual
	}
	switch o.from {
	case "column":
		return fromColumn(ctx, db, query(columnQuery)), nil
	case "fortify":
		keys, err := readLaravelKeys(getenv("APP_KEY"), getenv("APP_PREVIOUS_KEYS"))
		return fromFortify(ctx, db, query(fortifyQuery), keys), err
	case "devise":
		keys, err := readRailsKeys(getenv("ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"), getenv("ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT"))
		return fromDevise(ctx, db, query(deviseQuery), keys), err
	case "django":
		return fromDjango(ctx, db), nil
	default:
		return nil, fmt.Errorf("unknown system %q", o.from)
	}
}

// openDatabase opens a database by its kind of address.
func openDatabase(address string) (*sql.DB, error) {
	if dsn, ok := strings.CutPrefix(address, "mysql://"); ok {
		return sql.Open("mysql", dsn)
	}
	if strings.HasPrefix(address, "postgres://") {
		return sql.Open("pgx", address)
	}
	path, err := filepath.Abs(address)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil { // SQLite would create it
		return nil, err
	}
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: "mode=ro"}
	return sql.Open("sqlite", file.String())
}
