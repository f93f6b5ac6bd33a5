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
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// config is how an app is set up.
type config struct {
	data     string            // the folder of the key file and the SQLite database
	postgres string            // data source name, or "" for SQLite
	secure   bool              // cookies only travel by HTTPS
	mailbox  bool              // /messages shows what would have been sent
	issuer   string            // the name of this service, here and in authenticator apps
	brands   map[string]string // other names of it, by the host name in the address
	cost     int               // of password hashes, see bcrypt
	now      func() time.Time  // the clock that codes are judged by
	log      *slog.Logger

	// What is off by default, because it weakens something; see
	// enrollment.Config and enrollment.MessagesConfig.
	keepCodes, replenish, codesAtSetup, messagesAlone, passwordDisables bool

	// scheme is how recovery codes are made. Tests set one that costs nothing.
	scheme recovery.Scheme
}

// app is the application: what its handlers need.
type app struct {
	config    config
	guard     *enrollment.Guard
	messages  *enrollment.Messages
	resets    *enrollment.ResetRequests
	directory *enrollment.Directory
	users     *users
	mandates  mandates
	links     links
	mailbox   *mailbox
	sessions  *scs.SessionManager
	pages     pages
	now       func() time.Time
	log       *slog.Logger
	db        database
}

// open connects the database, makes what is missing in it, and composes the
// app. The caller closes it.
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
	a, err := compose(ctx, c, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

func compose(ctx context.Context, c config, db database) (*app, error) {
	accounts := sqlstore.New(db.DB, db.dialect)
	if err := accounts.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, fmt.Errorf("making the tables: %w", err)
	}
	keys, err := keyfile.Open(ctx, filepath.Join(c.data, "twofactor.key"), accounts)
	if err != nil {
		return nil, err
	}
	users, err := newUsers(db, c.cost, c.now)
	if err != nil {
		return nil, err
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	a := &app{
		config:   c,
		users:    users,
		mandates: mandates{db},
		links:    links{db, c.now},
		mailbox:  &mailbox{now: c.now, log: c.log},
		pages:    pages,
		now:      c.now,
		log:      c.log,
		db:       db,
	}
	a.guard, err = enrollment.New(accounts, keys, enrollment.Config{
		Issuer:         c.issuer,
		CodesAtSetup:   c.codesAtSetup,
		ReplenishCodes: c.replenish,
		KeepCodes:      c.keepCodes,
		RecoveryScheme: c.scheme,
		AllowReauth:    c.passwordDisables,
		Now:            c.now,
		Logger:         c.log,
		Notify:         a.notify,
	})
	if err != nil {
		return nil, err
	}
	a.messages, err = enrollment.NewMessages(a.guard, a.mailbox, enrollment.MessagesConfig{Alone: c.messagesAlone})
	if err != nil {
		return nil, err
	}
	a.resets, err = enrollment.NewResets(a.guard, enrollment.ResetsConfig{})
	if err != nil {
		return nil, err
	}
	a.directory, err = enrollment.NewDirectory(a.guard, accounts)
	if err != nil {
		return nil, err
	}
	a.sessions = a.newSessions(c.secure)
	return a, nil
}

func (a *app) close() error { return a.db.Close() }
