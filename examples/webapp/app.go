package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// issuer is the name of this service, here and in authenticator apps.
const issuer = "Twofactor Demo"

// config is how an app is set up.
type config struct {
	data     string           // the folder of the key file and the SQLite database
	postgres string           // data source name, or "" for SQLite
	secure   bool             // cookies only travel by HTTPS
	cost     int              // of password hashes, see bcrypt
	now      func() time.Time // the clock that codes are judged by
	log      *slog.Logger
}

// app is the application: what its handlers need.
type app struct {
	guard    *enrollment.Guard
	users    *users
	sessions *scs.SessionManager
	pages    pages
	now      func() time.Time
	log      *slog.Logger
	db       database
}

// open connects the database, makes what is missing in it, and composes the
// app. The caller closes it.
func open(ctx context.Context, c config) (*app, error) {
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
	guard, err := enrollment.New(accounts, keys, enrollment.Config{
		Issuer: issuer,
		Now:    c.now,
		Logger: c.log,
		Notify: func(ctx context.Context, e enrollment.Event) error { return notify(ctx, c.log, e) },
	})
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
	a := &app{guard: guard, users: users, pages: pages, now: c.now, log: c.log, db: db}
	a.sessions = a.newSessions(c.secure)
	return a, nil
}

func (a *app) close() error { return a.db.Close() }

// notify is where a real service puts a message to the user into its queue of
// outgoing mail. It must not send here: the user is waiting. Events can come
// twice with the same ID, by which the queue tells.
func notify(ctx context.Context, log *slog.Logger, e enrollment.Event) error {
	log.InfoContext(ctx, "would e-mail", "user", e.UserID, "id", e.ID, "text", describe(e))
	return nil
}

// database is the one database: of users, of sessions, and of two-factor
// accounts.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
}

func openDatabase(c config) (database, error) {
	if c.postgres != "" {
		db, err := sql.Open("pgx", c.postgres)
		return database{db, sqlstore.PostgreSQL}, err
	}
	db, err := sqlite.Open(filepath.Join(c.data, "app.db"))
	return database{db, sqlstore.SQLite}, err
}

// migrate makes this program's own tables; sqlstore has made its own.
func (d database) migrate(ctx context.Context) error {
	bytes := "BLOB"
	if d.dialect == sqlstore.PostgreSQL {
		bytes = "BYTEA"
	}
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS users (
			id         TEXT NOT NULL PRIMARY KEY,
			email      TEXT NOT NULL UNIQUE,
			password   TEXT NOT NULL,
			generation BIGINT NOT NULL,
			joined     BIGINT NOT NULL
		)`,
		`CREATE TABLE IF NOT EXISTS sessions (
			token   TEXT NOT NULL PRIMARY KEY,
			data    ` + bytes + ` NOT NULL,
			expires BIGINT NOT NULL
		)`,
		`CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires)`,
	} {
		if _, err := d.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// sql returns a statement, written with ?1, in the words of the dialect.
func (d database) sql(statement string) string {
	if d.dialect == sqlstore.PostgreSQL {
		return strings.ReplaceAll(statement, "?", "$")
	}
	return statement
}
