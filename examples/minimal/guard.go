package main

import (
	"context"
	"database/sql"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// settings are those for this driver in the documentation of package sqlstore.
const settings = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

// openGuard opens the accounts of the second factor. Each application of the library does
// this when it starts.
func openGuard(ctx context.Context, file string) (*enrollment.Guard, error) {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+file+settings)
	if err != nil {
		return nil, err
	}
	accounts := sqlstore.New(db, sqlstore.SQLite)
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	guard, err := enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		return nil, err
	}
	directory, err := enrollment.NewDirectory(guard, accounts)
	if err != nil {
		return nil, err
	}
	go func() {
		for range time.Tick(5 * time.Minute) { // deletes what has expired, delivers what a crash left
			_, _ = directory.Sweep(ctx) // the next one tries again
		}
	}()
	return guard, directory.CheckKeys(ctx)
}
