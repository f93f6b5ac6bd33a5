package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestPoolsThatDiffer sets one connection up and not the other.
func TestPoolsThatDiffer(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1, 2} {
		srv := &server{columns: allColumns, version: 1}
		seen := 0
		f := &fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
			if statement == "PRAGMA synchronous" {
				if seen++; seen == 2 {
					return reply{rows: [][]driver.Value{{int64(1)}}}
				}
			}
			return srv.answer(ctx, statement, args)
		}}
		db := f.open(t)
		db.SetMaxOpenConns(limit)
		err := sqlstore.New(db, sqlstore.SQLite).Check(t.Context())
		if limit == 1 && err != nil || limit != 1 && !errors.Is(err, sqlstore.ErrSettings) {
			t.Errorf("Check with at most %d connections = %v", limit, err)
		}
		if limit != 1 && !strings.Contains(err.Error(), "differ") {
			t.Errorf("Check = %v, want it to say that connections differ", err)
		}
	}
}

// TestBusyPool holds the only other connection, which Check waits for and
// then does without.
func TestBusyPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDB{answer: (&server{columns: allColumns, version: 1}).answer}
		db := f.open(t)
		db.SetMaxOpenConns(2)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := sqlstore.New(db, sqlstore.SQLite).Check(t.Context()); err != nil {
			t.Errorf("Check = %v, want nil", err)
		}
	})
}

// TestNoConnection has a database that stops taking connections, after more and
// more of them. Check never takes that for good settings.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	for good := 0; ; good++ {
		connections := 0
		f := &fakeDB{answer: (&server{columns: allColumns, version: 1}).answer, connect: func() error {
			if connections++; connections > good {
				return errServer
			}
			return nil
		}}
		db := f.open(t)
		db.SetMaxOpenConns(1)
		db.SetMaxIdleConns(-1) // each statement has a connection of its own
		err := sqlstore.New(db, sqlstore.SQLite).Check(t.Context())
		if connections <= good {
			if err != nil || good < 3 {
				t.Errorf("Check = %v with %d connections", err, good)
			}
			return
		}
		if !errors.Is(err, errServer) {
			t.Errorf("Check = %v when connection %d fails", err, connections)
		}
	}
}

// TestConnectionComesBack has Check read a version that is no number.
func TestConnectionComesBack(t *testing.T) {
	t.Parallel()
	srv := &server{columns: allColumns, version: 1}
	f := &fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
		if strings.HasPrefix(statement, "SELECT version") {
			return reply{rows: [][]driver.Value{{"one"}}}
		}
		return srv.answer(ctx, statement, args)
	}}
	db := f.open(t)
	if err := sqlstore.New(db, sqlstore.SQLite).Check(t.Context()); err == nil {
		t.Error("Check takes a version that is no number")
	}
	if n := db.Stats().InUse; n != 0 {
		t.Errorf("%d connections are not given back", n)
	}
}
