// Package testenv opens real databases for tests: SQLite in temporary files,
// and servers that it starts itself, once per test binary. Every
// call returns something fresh and empty, so that tests can run in parallel.
package testenv

import (
	"database/sql"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/need"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Require is [need.Require].
const Require = need.Require

// Missing is [need.Missing].
func Missing(t testing.TB, what string) {
	t.Helper()
	need.Missing(t, what)
}

// A Backend is a kind of store for table tests.
type Backend struct {
	Name string

	// Open returns a fresh and empty store that is closed with the test. It
	// ends the test, as Missing does, where the database is not there.
	Open func(t testing.TB) store.Store
}

// Stores returns every kind of store on a real database.
func Stores() []Backend {
	return []Backend{
		{"SQLite", SQLite},
		{"PostgreSQL", PostgreSQL},
		{"MariaDB", MariaDB},
	}
}

// SQLite returns a store on a database file of its own.
func SQLite(t testing.TB) store.Store {
	t.Helper()
	return migrated(t, OpenSQLite(t, SQLiteFile(t)), sqlstore.SQLite)
}

// PostgreSQL returns a store in a schema of its own.
func PostgreSQL(t testing.TB) store.Store {
	t.Helper()
	return migrated(t, PostgresDB(t), sqlstore.PostgreSQL)
}

// MariaDB returns a store in a database of its own.
func MariaDB(t testing.TB) store.Store {
	t.Helper()
	return migrated(t, OpenMariaDB(t, MariaDBDSN(t)), sqlstore.MySQL)
}

// migrated returns a store on the default table of the database.
func migrated(t testing.TB, db *sql.DB, d sqlstore.Dialect) *sqlstore.Store {
	t.Helper()
	s := sqlstore.New(db, d)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrating %v: %v", d, err)
	}
	return s
}
