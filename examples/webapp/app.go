package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// config is the configuration of an app. What weakens something is off by default: see the
// documentation of package enrollment.
type config struct {
	enrollment.Config                   // with the clock, the log, and the name of this service
	data              string            // the folder of the key file and the SQLite database
	database          string            // address of the database, or "" for SQLite in the folder
	secure            bool              // send cookies over HTTPS only
	demo              *demonstration    // nil: no demonstration, and nobody can read the messages
	brands            map[string]string // other names of this service, by host name
	domain            string            // where it is found, for text messages
	cost              int               // bcrypt cost of password hashes
	eightCodes        bool              // in place of ten

	// newGuard makes another Guard for a test, which watches it. Nil otherwise.
	newGuard func(store.Store, enrollment.Sealer, enrollment.Config) (*enrollment.Guard, error)
}

// app is the application. Its methods are the handlers.
type app struct {
	config    config
	guard     *enrollment.Guard
	directory *enrollment.Directory
	accounts  *accounts.Store
	mailbox   *demo.Mailbox
	sessions  *scs.SessionManager
	templates pages
	twofactor *web.Pages
	limits    *front.Limits
	shows     map[string]string // what answers a pattern of the mux
	site      http.Handler
}

// open opens the database and returns the app. The caller must close it.
func open(ctx context.Context, c config) (*app, error) {
	if err := checkBrands(c); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		return nil, err
	}
	templates, err := parsePages()
	if err != nil {
		return nil, err
	}
	users, err := accounts.Open(ctx, cmp.Or(c.database, "sqlite://"+filepath.Join(c.data, "app.db")), c.cost, c.Now)
	if err != nil {
		return nil, err
	}
	a := &app{
		config:    c,
		accounts:  users,
		mailbox:   &demo.Mailbox{Now: c.Now, Log: c.Logger},
		templates: templates,
		limits:    front.NewLimits(c.Now),
	}
	a.sessions = a.newSessions(c.secure)
	if a, err = a.configured(ctx, c); err != nil {
		return nil, errors.Join(err, users.SQL.Close())
	}
	return a, nil
}

// configured returns the app with another configuration. It goes on with the database, the
// sessions and the messages of this one.
func (a app) configured(ctx context.Context, c config) (*app, error) {
	records := sqlstore.New(a.accounts.SQL, a.accounts.Dialect)
	if err := records.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	keys, err := keyfile.Open(ctx, filepath.Join(c.data, "twofactor.key"), records)
	if err != nil {
		return nil, err
	}
	a.config, a.shows = c, map[string]string{}
	c.Notify, c.Sender = a.notify, &a
	c.ResetWait = 3 * 24 * time.Hour // in which the owner can cancel the request
	if c.eightCodes {
		c.RecoveryCodes = 8
	}
	a.guard, a.directory, err = enrollment.Open(ctx, records, keys, c.Config)
	if err == nil && c.newGuard != nil {
		a.guard, err = c.newGuard(records, keys, c.Config)
	}
	if err != nil {
		return nil, err
	}
	if a.twofactor, err = a.newTwoFactor(); err != nil {
		return nil, err
	}
	a.site = a.handler()
	return &a, nil
}

// sweep deletes expired sessions and links, and delivers notifications that are due:
// reminders of requests for a reset, and events that a crash left undelivered.
func (a *app) sweep(ctx context.Context) {
	err := a.accounts.Sweep(ctx)
	done, err2 := a.directory.Sweep(ctx)
	if err := errors.Join(err, err2); err != nil && ctx.Err() == nil {
		a.config.Logger.Error("sweeping", "error", err)
	}
	for _, f := range done.Failed.First {
		a.config.Logger.Error("sweeping an account", "user", f.UserID, "error", f.Err)
	}
}

func (a *app) close() error { return a.accounts.SQL.Close() }
