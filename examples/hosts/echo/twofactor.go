package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func openGuard(ctx context.Context, path string) (*enrollment.Guard, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, err
	}
	accounts := sqlstore.New(db, sqlstore.SQLite)
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
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
	go func() {
		for range time.Tick(5 * time.Minute) { // deletes what has expired, delivers what a crash left
			_, _ = directory.Sweep(ctx) // the next one tries again
		}
	}()
	return guard, directory.CheckKeys(ctx)
}

func (a *app) addSecondFactor(guard *enrollment.Guard) (err error) {
	a.guard = guard
	a.pages, err = web.New(guard, web.Config{
		User:   a.user,
		Reauth: func(r *http.Request) (time.Time, error) { return a.session(r).began, nil },
		Start: func(_ http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			s := session{user: in.UserID, began: in.At, stamp: in.Stamp}
			if in.Renewed {
				s.began = a.session(r).began
			}
			return a.start(r, s), nil // the member "session" of the answer
		},
	})
	return err
}
