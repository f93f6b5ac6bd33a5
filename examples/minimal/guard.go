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

// openSecondFactor opens the accounts of the second factor. Each application of the library
// does this when it starts.
func (a *app) openSecondFactor(ctx context.Context, file string) error {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+file+settings)
	if err != nil {
		return err
	}
	accounts := sqlstore.New(db, sqlstore.SQLite)
	// A real service also sets Config.Notify, which tells users of changes and attacks.
	guard, directory, err := enrollment.Open(ctx, accounts, keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		return err
	}
	go directory.SweepEvery(ctx, 5*time.Minute)
	return a.addSecondFactor(guard)
}
