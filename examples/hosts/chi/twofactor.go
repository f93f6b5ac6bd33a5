package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func openGuard(ctx context.Context, pool *pgxpool.Pool) (*enrollment.Guard, error) {
	accounts := sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL)
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
		User: a.user,
		Start: func(_ http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			ctx := r.Context()
			a.sessions.Put(ctx, "user", in.UserID)
			a.sessions.Put(ctx, "stamp", string(in.Stamp))
			if !in.Renewed {
				a.sessions.Put(ctx, "began", in.At.Unix())
			}
			return nil, a.sessions.RenewToken(ctx)
		},
		Reauth: func(r *http.Request) (time.Time, error) {
			return time.Unix(a.sessions.GetInt64(r.Context(), "began"), 0), nil
		},
		Insecure: !a.sessions.Cookie.Secure,
	})
	return err
}
