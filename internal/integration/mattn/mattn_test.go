//go:build cgo

// Package mattn_test holds sqlstore against the contract over
// github.com/mattn/go-sqlite3. It is a package of its own, because that driver has
// the name of another one.
package mattn_test

import (
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, fresh)
}

// TestGuard runs most of the proofs of enrollment.Guard.
func TestGuard(t *testing.T) {
	proving.OnlyWithAll(t)
	suite.RunShort(t, fresh)
}

// fresh returns a store on a file of its own, opened as the documentation of sqlstore has it.
func fresh(t *testing.T) store.Store {
	t.Helper()
	dsn := "file:" + testenv.SQLiteFile(t) + "?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"
	s := sqlstore.New(testenv.OpenDriver(t, "sqlite3", dsn), sqlstore.SQLite)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
