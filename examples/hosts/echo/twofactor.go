package main

import (
	"context"
	"database/sql"
	"net/http"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// settings are those for this driver in the documentation of package sqlstore.
const settings = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

func (a *app) openSecondFactor(ctx context.Context, path string) error {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+settings)
	if err != nil {
		return err
	}
	// A real service also sets Config.Notify, which tells users of changes and attacks.
	guard, directory, err := enrollment.Open(ctx, sqlstore.New(db, sqlstore.SQLite), keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		return err
	}
	go directory.SweepEvery(ctx, 5*time.Minute)
	return a.addSecondFactor(guard)
}

func (a *app) addSecondFactor(guard *enrollment.Guard) (err error) {
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
