package integration_test

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestStores holds every store on a real database against the contract.
func TestStores(t *testing.T) {
	t.Parallel()
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store { return b.Open(t) })
		})
	}
}

// TestNodes holds several stores with pools of their own on one database
// against the contract.
func TestNodes(t *testing.T) {
	t.Parallel()
	const nodes = 2
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			storetest.RunNodes(t, func(t *testing.T) []store.Store {
				dsn := testenv.SQL(t, d)
				var all []store.Store
				for range nodes {
					all = append(all, migrated(t, sqlstore.New(testenv.OpenSQL(t, d, dsn), d)))
				}
				return all
			})
		})
	}
}

// TestTablesOfOneDatabase sees that stores of two tables know nothing of each
// other, whatever their names.
func TestTablesOfOneDatabase(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			names := []string{"", "user", "select", "_", "a123456789a123456789a123456789a123456789a123456789a1234"}
			db := openDialect(t, d)
			if d == sqlstore.PostgreSQL {
				var other string
				if err := db.QueryRowContext(t.Context(), "SELECT current_schema() || '_other'").Scan(&other); err != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+other); err != nil {
					t.Fatal(err)
				}
				names = append(names, other+".twofactor_accounts", other+".user")
			}
			if d == sqlstore.MySQL {
				var other string
				if err := db.QueryRowContext(t.Context(), "SELECT concat(database(), '_other')").Scan(&other); err != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+other); err != nil {
					t.Fatal(err)
				}
				names = append(names, other+".twofactor_accounts", other+".user")
			}
			var stores []*sqlstore.Store
			for _, name := range names {
				s, err := sqlstore.NewTable(db, d, name)
				if err != nil {
					t.Fatal(err)
				}
				stores = append(stores, migrated(t, s))
			}
			for i, s := range stores {
				if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("table %q: Load before saving there = %v, want ErrNotFound", names[i], err)
				}
				if err := s.Save(t.Context(), record("alice", int64(i)+1), 0); err != nil {
					t.Errorf("table %q: %v", names[i], err)
				}
			}
			for i, s := range stores {
				if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != int64(i)+1 {
					t.Errorf("table %q: Load = version %d, %v, want %d", names[i], r.Version, err, i+1)
				}
			}
		})
	}
}
