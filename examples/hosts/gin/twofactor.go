package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// settings are those for this driver in the documentation of package sqlstore.
const settings = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

func (a *app) openSecondFactor(ctx context.Context) error {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return err
	}
	pool, err := a.db.DB()
	if err != nil {
		return err
	}
	// A real service also sets Config.Notify, which tells users of changes and attacks.
	guard, directory, err := enrollment.Open(ctx, sqlstore.New(pool, sqlstore.SQLite), keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		return err
	}
	go directory.SweepEvery(ctx, 5*time.Minute)
	return a.addSecondFactor(guard)
}

func (a *app) addSecondFactor(guard *enrollment.Guard) (err error) {
	a.pages, err = web.New(guard, web.Config{
		User: a.user,
		Start: func(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			s := a.session(r)
			if !in.Renewed { // nothing is left of another user
				s.Values = map[any]any{"began": in.At.Unix()}
			}
			s.Values["user"], s.Values["stamp"] = in.UserID, string(in.Stamp)
			return nil, a.start(w, r, s)
		},
		Reauth: func(r *http.Request) (time.Time, error) {
			began, _ := a.session(r).Values["began"].(int64)
			return time.Unix(began, 0), nil
		},
		Insecure: !a.sessions.Options.Secure,
	})
	return err
}
