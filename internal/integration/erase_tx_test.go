package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestEraseTx deletes an account together with something of the application, or
// neither.
func TestEraseTx(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db := openDialect(t, d)
			s := migrated(t, sqlstore.New(db, d))
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE users (id INTEGER)"); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"alice", "bob"} {
				if err := s.Save(t.Context(), record(id, 7), 0); err != nil {
					t.Fatal(err)
				}
			}
			begin := func() *sql.Tx {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(t.Context(), "INSERT INTO users VALUES (1)"); err != nil {
					t.Fatal(err)
				}
				if err := s.EraseTx(t.Context(), tx, "alice"); err != nil {
					t.Fatal(err)
				}
				return tx
			}
			if err := begin().Rollback(); err != nil {
				t.Fatal(err)
			}
			if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != 7 {
				t.Errorf("after a rollback: version %d, %v", r.Version, err)
			}
			tx := begin()
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("after a commit: %v, want ErrNotFound", err)
			}
			var users int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&users); err != nil || users != 1 {
				t.Errorf("%d rows of the application, %v, want 1", users, err)
			}
			if r, err := s.Load(t.Context(), "bob"); err != nil || r.Version != 7 {
				t.Errorf("somebody else: version %d, %v", r.Version, err)
			}

			if err := s.EraseTx(t.Context(), tx, "bob"); !errors.Is(err, sql.ErrTxDone) {
				t.Errorf("in a transaction that is over: %v", err)
			}
			tx = begin() // of somebody who is gone already
			defer tx.Rollback()
			if err := s.EraseTx(t.Context(), tx, ""); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("nobody: %v, want ErrInvalid", err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.EraseTx(ended, tx, "bob"); !errors.Is(err, context.Canceled) {
				t.Errorf("after the context has ended: %v", err)
			}
		})
	}
}
