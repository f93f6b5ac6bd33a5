package main

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// openGuard opens the accounts of the second factor, as each application of the library
// does when it starts.
func openGuard(ctx context.Context, path string) (*enrollment.Guard, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, err
	}
	accounts := sqlstore.New(db, sqlstore.SQLite)
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	keys, err := keyfile.Open(ctx, path+".keys", accounts)
	if err != nil {
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
	go sweep(ctx, directory)
	return guard, directory.CheckKeys(ctx)
}

// sweep deletes what has expired and delivers what a crash has left behind.
func sweep(ctx context.Context, directory *enrollment.Directory) {
	ticker := time.NewTicker(5 * time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_, _ = directory.Sweep(ctx) // the next one tries again
		}
	}
}
