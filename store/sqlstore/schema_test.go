package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func TestTableNames(t *testing.T) {
	t.Parallel()
	f := new(fakeDB)
	db := f.open(t)
	long := strings.Repeat("x", 55)
	all, schemas := []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL}, []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL}
	for name, good := range map[string][]sqlstore.Dialect{
		"":                               all,
		"accounts":                       all,
		"_a1":                            all,
		"user":                           all, // reserved, and quoted
		long:                             all,
		"auth.accounts":                  schemas,
		strings.Repeat("s", 63) + ".a":   schemas,
		strings.Repeat("s", 64) + ".a":   {},
		long + "x":                       {},
		"a.b.c":                          {},
		".a":                             {},
		"a.":                             {},
		"1a":                             {},
		"Accounts":                       {},
		"a b":                            {},
		"a;":                             {},
		`a"b`:                            {},
		`"a"`:                            {},
		"a-b":                            {},
		"a\x00":                          {},
		"a\n":                            {},
		"konten_für":                     {},
		"{table}":                        {},
		"sqlite_sequence":                {},
		"a; DROP TABLE users; --":        {},
		strings.Repeat("a", 1<<20) + ".": {},
	} {
		for _, d := range []sqlstore.Dialect{0, sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.MySQL + 1} {
			_, schemaErr := sqlstore.Schema(d, name)
			s, newErr := sqlstore.NewTable(db, d, name)
			if got := schemaErr == nil; got != slices.Contains(good, d) || got != (newErr == nil) || got != (s != nil) {
				t.Errorf("%v, %.70q: Schema %v, NewTable %v, want good = %v", d, name, schemaErr, newErr, slices.Contains(good, d))
			}
			if schemaErr != nil && len(schemaErr.Error()) > 200 {
				t.Errorf("%v: an error of %d bytes", d, len(schemaErr.Error()))
			}
		}
	}
	if _, err := sqlstore.NewTable(nil, sqlstore.SQLite, "a"); err == nil {
		t.Error("NewTable without a database = nil, want an error")
	}
	if got := fmt.Sprint(sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.Dialect(0)); got != "SQLite PostgreSQL MySQL Dialect(0)" {
		t.Errorf("dialects print as %s", got)
	}
}

func TestNewPanics(t *testing.T) {
	t.Parallel()
	db := new(fakeDB).open(t)
	for name, f := range map[string]func(){
		"no database":  func() { sqlstore.New(nil, sqlstore.SQLite) },
		"zero Dialect": func() { sqlstore.New(db, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: New did not panic", name)
				}
			}()
			f()
		}()
	}
}

// TestSchemaNamesEverything sees that the statements use the given name
// everywhere.
func TestSchemaNamesEverything(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		name, want := "second", []string{`"second"`, `"second_version"`, `"second_due"`, `"second_state"`}
		switch d {
		case sqlstore.PostgreSQL:
			name, want = "auth.second", []string{`"auth"."second"`, `"auth"."second_version"`, `INDEX IF NOT EXISTS "second_due"`, `INDEX IF NOT EXISTS "second_state"`}
		case sqlstore.MySQL:
			name, want = "auth.second", []string{"`auth`.`second`", "`auth`.`second_version`", "KEY `second_due`", "KEY `second_state`"}
		}
		got, err := sqlstore.Schema(d, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%v: the schema lacks %s", d, w)
			}
		}
		if strings.ContainsAny(got, "{}") || strings.Contains(got, sqlstore.DefaultTable) {
			t.Errorf("%v: the schema has a name that was not put in:\n%s", d, got)
		}
	}
}

// server is a fakeDB that answers what Migrate and Check ask. Its zero value
// is a database without the table, set up well.
type server struct {
	columns  []string          // of the table; none if it is not there
	version  int64             // of the schema; 0 if it has no version table
	settings map[string]string // that differ from good ones
	merges   bool              // user_id has a collation
	noKey    bool              // the table has no unique key
	late     bool              // whether the driver says so with the rows only
	replica  error             // that SHOW ALL REPLICAS STATUS returns, errIsReplica for a row
	mysql    bool              // the server is MySQL, which knows SHOW REPLICA STATUS instead
	fails    string            // a statement that begins like this fails
	begun    int               // transactions that hold the lock of SQLite

	interrupts int // the transaction that begins, though the driver says that the context has ended
}

var (
	allColumns = []string{"user_id", "version", "state", "due", "updated", "data"}
	errServer  = errors.New("the server's word")

	dialects = []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL}
)

func (s *server) answer(_ context.Context, statement string, args []any) reply {
	setting := func(name, good string) string {
		if v, ok := s.settings[name]; ok {
			return v
		}
		return good
	}
	var r reply
	unquoted := strings.ReplaceAll(statement, "`", `"`)
	one := func(values ...driver.Value) reply { return reply{rows: [][]driver.Value{values}} }
	switch {
	case s.fails != "" && strings.HasPrefix(statement, s.fails):
		return reply{err: errServer}
	case statement == "BEGIN IMMEDIATE":
		if s.begun > 0 && setting("lock", "on") == "on" {
			return reply{err: errors.New("database is locked (5) (SQLITE_BUSY)")}
		}
		s.begun++
		if s.begun == s.interrupts {
			r.err = context.Canceled
		}
		return r
	case statement == "ROLLBACK" && s.begun > 0:
		s.begun--
		return r
	case strings.HasPrefix(statement, "SELECT type FROM pragma_table_info"):
		return one(setting("type", "TEXT"))
	case strings.HasPrefix(statement, "SELECT data_type FROM"):
		return one(setting("type", "varbinary"))
	case strings.HasPrefix(statement, "PRAGMA "):
		name := strings.TrimPrefix(statement, "PRAGMA ")
		return one(setting(name, map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "encoding": "UTF-8"}[name]))
	case strings.HasPrefix(statement, "SELECT current_setting"):
		return one(setting("fsync", "on"), setting("data_sync_retry", "off"), setting("zero_damaged_pages", "off"), setting("synchronous_commit", "on"), setting("synchronous_standby_names", ""), setting("isolation", "read committed"), setting("server_encoding", "UTF8"), setting("recovery", "false"), setting("persistent", "true"), setting("hides", "false"), setting("confirms", "true"), setting("client_encoding", "UTF8"), setting("kept", "true"))
	case strings.HasPrefix(statement, "SELECT 'wsrep_provider_options'"):
		return one("wsrep_provider_options", setting("wsrep_provider_options", ""))
	case strings.HasPrefix(statement, "SHOW VARIABLES"):
		for name, good := range mysqlSettings {
			if v := setting(name, good); v != "" {
				r.rows = append(r.rows, []driver.Value{name, v})
			}
		}
		return r
	case strings.HasPrefix(statement, "SHOW STATUS"):
		if status := setting("wsrep_cluster_status", ""); status != "" {
			return one("wsrep_cluster_status", status)
		}
		return r
	case statement == "SHOW ALL REPLICAS STATUS" && s.mysql, statement == "SHOW REPLICA STATUS" && !s.mysql:
		return reply{err: errSyntax}
	case strings.HasPrefix(statement, "SHOW ALL REPLICAS STATUS"), strings.HasPrefix(statement, "SHOW REPLICA STATUS"):
		if errors.Is(s.replica, errIsReplica) {
			return one("Waiting for source to send event")
		}
		return reply{err: s.replica}
	case strings.HasPrefix(statement, "SELECT 'engine'"):
		if s.columns == nil {
			return r
		}
		return one("engine", setting("engine", "InnoDB"))
	case strings.Contains(statement, "information_schema.statistics"):
		if s.noKey {
			return r
		}
		return one("PRIMARY")
	case strings.Contains(statement, "pragma_table_info"), strings.Contains(statement, "pg_attribute"), strings.Contains(statement, "information_schema.columns"):
		columns := s.columns
		if strings.HasSuffix(strings.TrimSuffix(args[len(args)-1].(string), `"`), `_version`) {
			if columns = nil; s.version > 0 {
				columns = []string{"id", "version"}
			}
		}
		for _, c := range columns {
			r.rows = append(r.rows, []driver.Value{c})
		}
		return r
	case statement == "SELECT '1'":
		return one("1")
	case strings.HasPrefix(statement, "SELECT version"):
		return one(s.version)
	case strings.Contains(statement, "UNION"):
		for i, probe := range args {
			if !s.merges || i > 0 {
				r.rows = append(r.rows, []driver.Value{probe})
			}
		}
		return r
	case strings.HasPrefix(statement, "EXPLAIN INSERT"):
		switch {
		case s.noKey && s.late:
			return reply{nextErr: errServer}
		case s.noKey:
			return reply{err: errServer}
		}
		return one("plan")
	case strings.HasPrefix(unquoted, `CREATE TABLE IF NOT EXISTS "twofactor_accounts" `):
		if s.columns == nil {
			s.columns = allColumns
		}
	case strings.HasPrefix(unquoted, `INSERT INTO "twofactor_accounts_version"`):
		s.version = 1
	}
	return reply{}
}

// TestMigrate counts what is sent.
func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			srv := new(server)
			f := &fakeDB{answer: srv.answer}
			s := sqlstore.New(f.open(t), d)
			if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSchema) {
				t.Fatalf("Check before = %v, want ErrSchema", err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			schema, err := sqlstore.Schema(d, "")
			if err != nil {
				t.Fatal(err)
			}
			sent := strings.Join(f.statements(), ";\n\n") + ";\n"
			if !strings.Contains(sent, strings.TrimSuffix(schema, ";\n")) {
				t.Errorf("Migrate sent\n%s\nwant among it\n%s", sent, schema)
			}
			if d == sqlstore.PostgreSQL {
				i := slices.Index(f.statements(), "BEGIN")
				if i < 0 || f.statements()[i+1] != "SELECT pg_advisory_xact_lock($1)" || f.statements()[i+2+5] != "COMMIT" {
					t.Errorf("no transaction with a lock around the schema: %q", f.statements())
				}
			}
			f.sent = nil
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d == sqlstore.SQLite && (srv.begun != 0 || strings.Count(strings.Join(f.statements(), "\n"), "PRAGMA busy_timeout = 5000") != 2) {
				t.Errorf("%d transactions are left open, and Migrate and Check sent %q", srv.begun, f.statements())
			}
			for _, st := range f.statements() {
				if st == "BEGIN IMMEDIATE" || st == "ROLLBACK" {
					continue // with nothing between them
				}
				if !strings.HasPrefix(st, "SELECT") && !strings.HasPrefix(st, "PRAGMA") && !strings.HasPrefix(st, "EXPLAIN") && !strings.HasPrefix(st, "SHOW") {
					t.Errorf("a second Migrate sent %s", st)
				}
			}
		})
	}
}

// TestCheckInterrupted ends the context while Check takes the lock of SQLite, which must not stay
// with a connection of the pool: nobody could write any more.
func TestCheckInterrupted(t *testing.T) {
	t.Parallel()
	for nth := range 2 {
		srv := &server{columns: allColumns, version: 1, interrupts: nth + 1, settings: map[string]string{"lock": "off"}}
		s := sqlstore.New((&fakeDB{answer: srv.answer}).open(t), sqlstore.SQLite)
		if err := s.Check(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("connection %d: Check = %v, want the context's error", nth+1, err)
		}
		if srv.begun != 0 {
			t.Errorf("connection %d: %d transactions are left open", nth+1, srv.begun)
		}
	}
}

// TestMigrateAfterDrop drops the table and leaves the one of the version behind. That may be an
// accident, so nobody makes an empty table.
func TestMigrateAfterDrop(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		srv := new(server)
		s := sqlstore.New((&fakeDB{answer: srv.answer}).open(t), d)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		srv.columns = nil
		for method, err := range map[string]error{"Check": s.Check(t.Context()), "Migrate": s.Migrate(t.Context())} {
			if !errors.Is(err, sqlstore.ErrSchema) || !strings.Contains(err.Error(), "restore the table") {
				t.Errorf("%v: %s = %v, want ErrSchema that says what to do", d, method, err)
			}
		}
		srv.version = 0 // this one is dropped too
		if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSchema) || !strings.Contains(err.Error(), "call Migrate") {
			t.Errorf("%v: Check = %v, want ErrSchema that says what to do", d, err)
		}
		if err := s.Migrate(t.Context()); err != nil || !slices.Equal(srv.columns, allColumns) {
			t.Errorf("%v: Migrate = %v, the table has the columns %q", d, err, srv.columns)
		}
	}
}

// TestMigrateBesideAnother has another process create both tables between two questions.
func TestMigrateBesideAnother(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		srv := new(server)
		asked := 0
		s := sqlstore.New((&fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
			r := srv.answer(ctx, statement, args)
			if strings.Contains(statement, "pragma_table_info") || strings.Contains(statement, "pg_attribute") || strings.Contains(statement, "information_schema.columns") {
				asked++
				srv.columns, srv.version = allColumns, 1
			}
			return r
		}}).open(t), d)
		if err := s.Migrate(t.Context()); err != nil || asked < 2 {
			t.Errorf("%v: Migrate = %v after %d questions, want nil", d, err, asked)
		}
	}
}

// TestWrongDialect refuses what only databases of the dialect know.
func TestWrongDialect(t *testing.T) {
	t.Parallel()
	const question = "is the dialect right?"
	for _, c := range []struct {
		name    string
		dialect sqlstore.Dialect
		refuse  func(statement string) error
		asks    bool
	}{
		{"PostgreSQL asked for PRAGMA", sqlstore.SQLite, func(s string) error {
			if strings.Contains(strings.ToUpper(s), "PRAGMA") {
				return errServer
			}
			return nil
		}, true},
		{"SQLite asked for pg_attribute", sqlstore.PostgreSQL, func(s string) error {
			if strings.Contains(s, "current_setting") || strings.Contains(s, "pg_attribute") {
				return errServer
			}
			return nil
		}, true},
		{"a server that is down", sqlstore.PostgreSQL, func(string) error { return errServer }, false},
		{"MySQL asked for PRAGMA", sqlstore.SQLite, func(s string) error {
			if strings.Contains(strings.ToUpper(s), "PRAGMA") {
				return errServer
			}
			return nil
		}, true},
		{"PostgreSQL asked for variables", sqlstore.MySQL, func(s string) error {
			if strings.Contains(s, "SHOW") || strings.Contains(s, "database()") {
				return errServer
			}
			return nil
		}, true},
		{"a file that is locked", sqlstore.SQLite, func(s string) error {
			if strings.Contains(strings.ToUpper(s), "PRAGMA") {
				return errors.New("database is locked (5) (SQLITE_BUSY)")
			}
			return nil
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // Migrate waits for a file that is locked
				srv := &server{columns: allColumns, version: 1}
				s := sqlstore.New((&fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
					if err := c.refuse(statement); err != nil {
						return reply{err: err}
					}
					return srv.answer(ctx, statement, args)
				}}).open(t), c.dialect)
				for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
					if err == nil || strings.Contains(err.Error(), question) != c.asks || c.asks && !strings.Contains(err.Error(), c.dialect.String()) {
						t.Errorf("%s = %v, want it to ask %q: %v", method, err, question, c.asks)
					}
				}
			})
		})
	}
}

// TestMigrateWaits meets a database that others are making, which SQLite's
// timeout does not cover.
func TestMigrateWaits(t *testing.T) {
	t.Parallel()
	locked := errors.New("database is locked (5) (SQLITE_BUSY)")
	for _, c := range []struct {
		name    string
		dialect sqlstore.Dialect
		times   int
		err     error
		want    error
		sends   bool // more than once
	}{
		{"for a while", sqlstore.SQLite, 5, locked, nil, true},
		{"for ever", sqlstore.SQLite, 1 << 30, locked, locked, true},
		{"another error", sqlstore.SQLite, 1 << 30, errServer, errServer, false},
		{"PostgreSQL", sqlstore.PostgreSQL, 1 << 30, locked, locked, false},
		{"deadlocks", sqlstore.MySQL, 5, errDeadlock, nil, true},
		{"another error of MySQL", sqlstore.MySQL, 1 << 30, errServer, errServer, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv, left := new(server), c.times
				f := &fakeDB{answer: func(ctx context.Context, statement string, args []any) reply {
					if left--; left >= 0 {
						return reply{err: c.err}
					}
					return srv.answer(ctx, statement, args)
				}}
				s := sqlstore.New(f.open(t), c.dialect)
				began := time.Now()
				if err := s.Migrate(t.Context()); !errors.Is(err, c.want) {
					t.Errorf("Migrate = %v, want %v", err, c.want)
				}
				if waited := time.Since(began); waited > 5*time.Second || waited > 0 != c.sends {
					t.Errorf("Migrate waited %v", waited)
				}
				if c.want == locked && c.sends { // the caller's patience counts too
					ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
					defer cancel()
					if err := s.Migrate(ctx); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Migrate with a deadline = %v, want DeadlineExceeded", err)
					}
				}
			})
		})
	}
}
