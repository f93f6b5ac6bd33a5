package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// config is the configuration of an app.
type config struct {
	data     string            // the folder of the key file and the SQLite database
	database string            // address of the database, or "" for SQLite in the folder
	secure   bool              // send cookies over HTTPS only
	demo     *demonstration    // nil: no demonstration, and nobody can read the messages
	issuer   string            // name of this service, in pages and authenticator apps
	brands   map[string]string // other names of this service, by host name
	domain   string            // where it is found, for text messages
	cost     int               // bcrypt cost of password hashes
	now      func() time.Time  // clock for codes
	log      *slog.Logger

	// These are off by default. All but the last weaken something: see the documentation
	// of package enrollment.
	keepCodes, replenish, codesAtSetup, messagesAlone, passwordDisables, eightCodes bool

	// scheme derives recovery codes. Tests set a fast one.
	scheme recovery.Scheme

	// newGuard is enrollment.New if it is nil. Tests set one that they can watch.
	newGuard func(store.Store, enrollment.Sealer, enrollment.Config) (*enrollment.Guard, error)
}

// resetWait is the time in which the owner can cancel a request for a reset.
const resetWait = 3 * 24 * time.Hour

// app is the application. Its methods are the handlers.
type app struct {
	config    config
	guard     *enrollment.Guard
	directory *enrollment.Directory
	users     *users
	mandates  mandates
	links     links
	mailbox   *mailbox
	sessions  *scs.SessionManager
	templates pages
	twofactor *web.Pages
	limits    *limits
	shows     map[string]string // what answers a pattern of the mux
	now       func() time.Time
	log       *slog.Logger
	db        database
}

// open opens the database, creates missing tables and returns the app. The
// caller must close it.
func open(ctx context.Context, c config) (*app, error) {
	if err := checkBrands(c); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		return nil, err
	}
	db, err := openDatabase(c)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	a, err := compose(ctx, c, db, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

// compose returns an app over the database. It goes on with the sessions and messages of an
// earlier one, unless that is nil.
func compose(ctx context.Context, c config, db database, earlier *app) (*app, error) {
	accounts := sqlstore.New(db.DB, db.dialect)
	if err := accounts.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, fmt.Errorf("creating tables: %w", err)
	}
	keys, err := keyfile.Open(ctx, filepath.Join(c.data, "twofactor.key"), accounts)
	if err != nil {
		return nil, err
	}
	users, err := newUsers(db, c.cost, c.now)
	if err != nil {
		return nil, err
	}
	templates, err := parsePages()
	if err != nil {
		return nil, err
	}
	a := &app{
		config:    c,
		users:     users,
		mandates:  mandates{db},
		links:     links{db, c.now},
		mailbox:   &mailbox{now: c.now, log: c.log, domain: c.domain},
		templates: templates,
		shows:     map[string]string{},
		limits:    newLimits(c.now),
		now:       c.now,
		log:       c.log,
		db:        db,
	}
	a.sessions = a.newSessions(c.secure)
	if earlier != nil {
		a.sessions, a.mailbox, a.limits = earlier.sessions, earlier.mailbox, earlier.limits
	}
	newGuard := c.newGuard
	if newGuard == nil {
		newGuard = enrollment.New
	}
	a.guard, err = newGuard(accounts, keys, enrollment.Config{
		Issuer:         c.issuer,
		CodesAtSetup:   c.codesAtSetup,
		ReplenishCodes: c.replenish,
		KeepCodes:      c.keepCodes,
		RecoveryScheme: c.scheme,
		AllowReauth:    c.passwordDisables,
		Now:            c.now,
		Logger:         c.log,
		Notify:         a.notify,
		Sender:         a.mailbox,
		AddressAlone:   c.messagesAlone,
		RecoveryCodes:  map[bool]int{true: 8}[c.eightCodes],
		ResetWait:      resetWait,
	})
	if err != nil {
		return nil, err
	}
	a.directory, err = enrollment.NewDirectory(a.guard, accounts)
	if err != nil {
		return nil, err
	}
	if err := a.directory.CheckKeys(ctx); err != nil {
		return nil, err
	}
	a.twofactor, err = a.newTwoFactor()
	return a, err
}

func (a *app) close() error { return a.db.Close() }
