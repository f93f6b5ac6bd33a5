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

func (a *app) openSecondFactor(ctx context.Context, pool *pgxpool.Pool) error {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return err
	}
	accounts := sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL)
	// A real service also sets Config.Notify, which tells users of changes and attacks.
	guard, directory, err := enrollment.Open(ctx, accounts, keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		return err
	}
	go directory.SweepEvery(ctx, 5*time.Minute)
	return a.addSecondFactor(guard)
}

func (a *app) addSecondFactor(guard *enrollment.Guard) (err error) {
	a.pages, err = web.New(guard, web.Config{
		User: a.user,
		Start: func(_ http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			if !in.Renewed { // nothing is left of another user
				if err := a.sessions.Clear(r.Context()); err != nil {
					return nil, err
				}
				a.sessions.Put(r.Context(), "began", in.At.Unix())
			}
			a.sessions.Put(r.Context(), "user", in.UserID)
			a.sessions.Put(r.Context(), "stamp", string(in.Stamp))
			return nil, a.sessions.RenewToken(r.Context())
		},
		Reauth: func(r *http.Request) (time.Time, error) {
			return time.Unix(a.sessions.GetInt64(r.Context(), "began"), 0), nil
		},
		Insecure: !a.sessions.Cookie.Secure,
	})
	return err
}
