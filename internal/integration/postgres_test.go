package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestUnsafeServer asks Check about a PostgreSQL that does not flush, and about a standby.
func TestUnsafeServer(t *testing.T) {
	t.Parallel()
	p := testenv.PostgresPair(t, false)
	db := testenv.OpenPostgres(t, p.DSN())
	s := migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
	for _, statement := range []string{"ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	standby := sqlstore.New(testenv.OpenPostgres(t, p.StandbyDSN()), sqlstore.PostgreSQL)
	for says, check := range map[string]func(ctx context.Context) error{"fsync is off": s.Check, "the server is a replica": standby.Check} {
		err := server.Until(t.Context(), func() error { // the server has read its settings, and the standby has the table
			if err := check(t.Context()); !errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), says) {
				return fmt.Errorf("Check = %v, want ErrSettings that says %q", err, says)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestRights runs the store as a role that may not change the schema.
func TestRights(t *testing.T) {
	t.Parallel()
	dsn, _ := testenv.PostgresReviving(t) // of its own: rights to functions are those of a database
	owner := testenv.OpenPostgres(t, dsn)
	migrated(t, sqlstore.New(owner, sqlstore.PostgreSQL))
	var schema string
	if err := owner.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE ROLE app_of_" + schema + " LOGIN",
		"GRANT USAGE ON SCHEMA " + schema + " TO app_of_" + schema,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON twofactor_accounts TO app_of_" + schema,
		"GRANT SELECT ON twofactor_accounts_version TO app_of_" + schema,
	} {
		if _, err := owner.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	s := sqlstore.New(testenv.OpenPostgres(t, testenv.Replaced(t, dsn, "user=postgres", "user=app_of_"+schema)), sqlstore.PostgreSQL)
	for name, err := range map[string]error{
		"Migrate": s.Migrate(t.Context()),
		"Check":   s.Check(t.Context()),
		"Save":    s.Save(t.Context(), record("alice", 1), 0),
		"Erase":   s.Erase(t.Context(), "alice"),
	} {
		if err != nil {
			t.Errorf("%s = %v, want nil", name, err)
		}
	}

	// What Check refuses: rows that are hidden, and writes that can't be confirmed.
	if err := s.Save(t.Context(), record("bob", 1), 0); err != nil {
		t.Fatal(err)
	}
	var confirm string
	if err := owner.QueryRowContext(t.Context(), "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'pg_logical_emit_message' AND proargtypes[2] = 'text'::regtype").Scan(&confirm); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, says string }{
		{"REVOKE EXECUTE ON FUNCTION " + confirm + " FROM PUBLIC", "pg_logical_emit_message"},
		{"ALTER TABLE twofactor_accounts ENABLE ROW LEVEL SECURITY", "row-level security"},
	} {
		if _, err := owner.ExecContext(t.Context(), c.statement); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("after %s: Check = %v, want ErrSettings that says %q", c.statement, err, c.says)
		}
	}
	if _, err := s.Load(t.Context(), "bob"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a hidden row: Load = %v, want ErrNotFound, for which Check refuses it", err)
	}
}
