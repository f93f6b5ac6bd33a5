package integration_test

import (
	"context"
	"errors"
	"sync"
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

// turns is a store of several that share one database: each call goes to the
// next, as requests do to the nodes of a service.
type turns struct {
	mu    sync.Mutex
	nodes []*sqlstore.Store
	next  int
}

func (s *turns) node() *sqlstore.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.nodes[s.next%len(s.nodes)]
}

func (s *turns) Load(ctx context.Context, id string) (store.Record, error) {
	return s.node().Load(ctx, id)
}
func (s *turns) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.node().Save(ctx, r, prev)
}
func (s *turns) List(ctx context.Context, q store.Query) (store.Page, error) {
	return s.node().List(ctx, q)
}
func (s *turns) Erase(ctx context.Context, id string) error { return s.node().Erase(ctx, id) }

// TestNodes holds several stores with pools of their own on one database
// against the contract.
func TestNodes(t *testing.T) {
	t.Parallel()
	const nodes = 2
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store {
				dsn := testenv.SQL(t, d)
				s := new(turns)
				for range nodes {
					s.nodes = append(s.nodes, migrated(t, sqlstore.New(testenv.OpenSQL(t, d, dsn), d)))
				}
				return s
			})
		})
	}
}

// TestPostgresModes holds the store against the contract in the ways in which
// a host may have to use PostgreSQL: without prepared statements, as behind
// PgBouncer.
func TestPostgresModes(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]string{
		"unprepared":      " default_query_exec_mode=exec",
		"simple protocol": " default_query_exec_mode=simple_protocol",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store {
				return migrated(t, sqlstore.New(testenv.OpenPostgres(t, testenv.PostgresDSN(t)+extra), sqlstore.PostgreSQL))
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
