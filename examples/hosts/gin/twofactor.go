package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func openGuard(ctx context.Context, db *gorm.DB) (*enrollment.Guard, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	accounts := sqlstore.New(pool, sqlstore.SQLite)
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
	a.pages, err = web.New(guard, web.Config{User: a.user, Reauth: a.began, Start: a.startSession, Insecure: !a.sessions.Options.Secure})
	return err
}

func (a *app) startSession(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
	s := a.session(r)
	s.Values["user"], s.Values["stamp"] = in.UserID, string(in.Stamp)
	if !in.Renewed {
		s.Values["began"] = in.At.Unix()
	}
	return nil, a.start(w, r, s)
}

func (a *app) began(r *http.Request) (time.Time, error) {
	began, _ := a.session(r).Values["began"].(int64)
	return time.Unix(began, 0), nil
}
