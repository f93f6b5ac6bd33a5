package integration_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// openDialect opens a fresh and empty database without a table.
func openDialect(t *testing.T, d sqlstore.Dialect) *sql.DB {
	t.Helper()
	return testenv.OpenSQL(t, d, testenv.SQL(t, d))
}

var dialects = testenv.Dialects

// migrated migrates the store and returns it.
func migrated(t *testing.T, s *sqlstore.Store) *sqlstore.Store {
	t.Helper()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("Migrate = %v, want nil", err)
	}
	return s
}

// record returns a valid record.
func record(userID string, version int64) store.Record {
	return store.Record{
		UserID:  userID,
		Version: version,
		State:   store.Confirmed,
		Updated: time.Date(2026, 5, 17, 11, 42, 3, 0, time.UTC),
		Data:    bytes.Repeat(fmt.Appendf(nil, "%s/%d;", userID, version), 40),
	}
}

// TestMigrateAtOnce migrates one database from several pools at the same time,
// and again, with a record that has to survive.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := testenv.SQL(t, d)
			open := func() *sql.DB { return testenv.OpenSQL(t, d, dsn) }
			for round := range 2 {
				const nodes = 8
				var all sync.WaitGroup
				errs := make([]error, nodes)
				for i := range nodes {
					s := sqlstore.New(open(), d)
					all.Go(func() { errs[i] = s.Migrate(t.Context()) })
				}
				all.Wait()
				for _, err := range errs {
					if err != nil {
						t.Fatalf("round %d: Migrate = %v, want nil", round, err)
					}
				}
				s := sqlstore.New(open(), d)
				if round == 0 {
					if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
						t.Fatal(err)
					}
				}
				if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != 1 {
					t.Fatalf("round %d: Load = version %d, %v, want 1", round, r.Version, err)
				}
			}
		})
	}
}

// TestSchemaByHand applies what Schema returns, statement by statement, and
// finds nothing for Migrate to do.
func TestSchemaByHand(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db := openDialect(t, d)
			s := sqlstore.New(db, d)
			if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSchema) {
				t.Fatalf("Check of an empty database = %v, want ErrSchema", err)
			}
			schema, err := sqlstore.Schema(d, "")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second changes nothing
				for statement := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(schema), ";"), ";") {
					if _, err := db.ExecContext(t.Context(), statement); err != nil {
						t.Fatalf("%s: %v", statement, err)
					}
				}
			}
			if err := s.Check(t.Context()); err != nil {
				t.Errorf("Check = %v, want nil", err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("Migrate = %v, want nil", err)
			}
		})
	}
}

// TestMigrateAfterDrop drops the table alone. Migrate makes no empty one, in which nobody would
// be enrolled, until the table of the version is dropped, too.
func TestMigrateAfterDrop(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db := openDialect(t, d)
			s := migrated(t, sqlstore.New(db, d))
			if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"twofactor_accounts", "twofactor_accounts_version"} {
				if _, err := db.ExecContext(t.Context(), "DROP TABLE "+table); err != nil {
					t.Fatal(err)
				}
				if err := s.Migrate(t.Context()); table == "twofactor_accounts" && !errors.Is(err, sqlstore.ErrSchema) {
					t.Fatalf("Migrate = %v, want ErrSchema", err)
				}
			}
			if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Load = %v, want ErrNotFound", err)
			}
			if err := s.Save(t.Context(), record("alice", 2), 0); err != nil {
				t.Errorf("Save = %v, want nil", err)
			}
		})
	}
}

// TestWrongDialect opens each database with the dialects of the others.
func TestWrongDialect(t *testing.T) {
	t.Parallel()
	for _, database := range dialects {
		for _, d := range dialects {
			if d == database {
				continue
			}
			t.Run(d.String()+" with "+database.String(), func(t *testing.T) {
				t.Parallel()
				s := sqlstore.New(openDialect(t, database), d)
				for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
					if err == nil || !strings.Contains(err.Error(), "is the dialect right? the Store speaks "+d.String()) {
						t.Errorf("%s = %v, want it to ask about the dialect", method, err)
					}
				}
			})
		}
	}
}

// TestUnfitTables migrates and checks tables that can't be used.
func TestUnfitTables(t *testing.T) {
	t.Parallel()
	const table = `CREATE TABLE twofactor_accounts (user_id %s, version BIGINT, state TEXT, due BIGINT, updated BIGINT, data %s)`
	for _, d := range dialects {
		blob := map[sqlstore.Dialect]string{sqlstore.SQLite: "BLOB", sqlstore.PostgreSQL: "BYTEA", sqlstore.MySQL: "BLOB"}[d]
		cases := map[string]struct {
			before string // Migrate, if not empty
			says   string
		}{
			"missing columns": {`CREATE TABLE twofactor_accounts (user_id TEXT PRIMARY KEY, version BIGINT, secret TEXT)`, "state, due, updated, data"},
			"no key":          {fmt.Sprintf(table, "TEXT COLLATE binary", blob), "can't be inserted"},
		}
		switch d {
		case sqlstore.SQLite:
			cases["a collation that ignores case"] = struct{ before, says string }{fmt.Sprintf(table, "TEXT COLLATE NOCASE PRIMARY KEY", blob), "collation"}
			cases["a collation that pads"] = struct{ before, says string }{fmt.Sprintf(table, "TEXT COLLATE RTRIM PRIMARY KEY", blob), "collation"}
			cases["one number for 7 and 007"] = struct{ before, says string }{fmt.Sprintf(table, "STRING PRIMARY KEY", blob), "keep ids"}
		case sqlstore.PostgreSQL:
			noKey := cases["no key"]
			noKey.before = fmt.Sprintf(table, `TEXT COLLATE "C"`, blob)
			cases["no key"] = noKey
			cases["a collation of a language"] = struct{ before, says string }{fmt.Sprintf(table, `TEXT COLLATE "en-x-icu" PRIMARY KEY`, blob), "collation"}
			cases["a collation that ignores case"] = struct{ before, says string }{
				`CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ` + fmt.Sprintf(table, "TEXT COLLATE ci PRIMARY KEY", blob), "collation"}
		case sqlstore.MySQL:
			cases = map[string]struct{ before, says string }{
				"missing columns":                  {`CREATE TABLE twofactor_accounts (user_id VARBINARY(255) PRIMARY KEY, version BIGINT, secret TEXT)`, "state, due, updated, data"},
				"no key":                           {fmt.Sprintf(table, "VARBINARY(255)", blob), "unique key"},
				"a key of the first characters":    {fmt.Sprintf(table, "VARBINARY(255), UNIQUE KEY k (user_id(10))", blob), "unique key"},
				"a key of two columns":             {fmt.Sprintf(table, "VARBINARY(255), UNIQUE KEY k (user_id, version)", blob), "unique key"},
				"a type that pads":                 {fmt.Sprintf(table, "BINARY(255) PRIMARY KEY", blob), "keep ids"},
				"the collation of the server":      {fmt.Sprintf(table, "VARCHAR(255) PRIMARY KEY", blob), "collation"},
				"a collation that ignores accents": {fmt.Sprintf(table, "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY", blob), "collation"},
				"a collation that pads":            {fmt.Sprintf(table, "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY", blob), "collation"},
			}
		}
		for name, c := range cases {
			t.Run(d.String()+"/"+name, func(t *testing.T) {
				t.Parallel()
				db := openDialect(t, d)
				for statement := range strings.SplitSeq(c.before, "; ") {
					if _, err := db.ExecContext(t.Context(), statement); err != nil {
						t.Fatalf("%s: %v", statement, err)
					}
				}
				s := sqlstore.New(db, d)
				for range 2 {
					if err := s.Migrate(t.Context()); !errors.Is(err, sqlstore.ErrSchema) || !strings.Contains(err.Error(), c.says) {
						t.Errorf("Migrate = %v, want ErrSchema that says %q", err, c.says)
					}
				}
				if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSchema) {
					t.Errorf("Check = %v, want ErrSchema", err)
				}
			})
		}
		t.Run(d.String()+"/newer version", func(t *testing.T) {
			t.Parallel()
			db := openDialect(t, d)
			s := migrated(t, sqlstore.New(db, d))
			if _, err := db.ExecContext(t.Context(), "UPDATE twofactor_accounts_version SET version = 2"); err != nil {
				t.Fatal(err)
			}
			for name, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
				if !errors.Is(err, sqlstore.ErrSchema) || !strings.Contains(err.Error(), "version 2") {
					t.Errorf("%s = %v, want ErrSchema that names version 2", name, err)
				}
			}
		})
	}
}

// TestRowsByHand writes rows that no Save writes. The database refuses them, or
// Load returns an error: they are neither records nor absent. They hide no others.
func TestRowsByHand(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		const insert = "INSERT INTO twofactor_accounts (user_id, version, state, due, updated, data) VALUES (%s, %s, %s, NULL, 0, %s)"
		data := map[sqlstore.Dialect]string{sqlstore.SQLite: "x''", sqlstore.PostgreSQL: "''::bytea", sqlstore.MySQL: "''"}[d]
		long := fmt.Sprintf(map[sqlstore.Dialect]string{
			sqlstore.SQLite: "zeroblob(%d)", sqlstore.PostgreSQL: "decode(repeat('00', %d), 'hex')", sqlstore.MySQL: "repeat('x', %d)",
		}[d], store.MaxData+1)
		for name, c := range map[string]struct {
			statement string
			refused   bool // by the database
		}{
			"null id":        {fmt.Sprintf(insert, "NULL", "1", "'none'", data), true},
			"null data":      {fmt.Sprintf(insert, "'a'", "1", "'none'", "NULL"), true},
			"version a text": {fmt.Sprintf(insert, "'a'", "'x'", "'none'", data), true},
			"no id":          {fmt.Sprintf(insert, "''", "1", "'none'", data), false},
			"long id":        {fmt.Sprintf(insert, "'"+strings.Repeat("é", 128)+"'", "1", "'none'", data), d == sqlstore.MySQL},
			"version 0":      {fmt.Sprintf(insert, "'a'", "0", "'none'", data), false},
			"large version":  {fmt.Sprintf(insert, "'a'", "9007199254740992", "'none'", data), false},
			"no state":       {fmt.Sprintf(insert, "'a'", "1", "''", data), false},
			"unknown state":  {fmt.Sprintf(insert, "'a'", "1", "'Confirmed'", data), false},
			"data too long":  {fmt.Sprintf(insert, "'a'", "1", "'none'", long), false},
		} {
			t.Run(d.String()+"/"+name, func(t *testing.T) {
				t.Parallel()
				db := openDialect(t, d)
				s := migrated(t, sqlstore.New(db, d))
				_, err := db.ExecContext(t.Context(), c.statement)
				if (err != nil) != c.refused {
					t.Fatalf("the database says %v", err)
				}
				if c.refused {
					return
				}
				if err := s.Save(t.Context(), record("b", 1), 0); err != nil {
					t.Fatal(err)
				}
				want := []string{"a", "b"}
				if strings.HasSuffix(name, " id") {
					want = want[1:] // who can't be a user
				}
				for _, limit := range []int{0, 2, 1} { // 0 stands for many
					page, err := s.List(t.Context(), store.Query{Limit: limit})
					var ids []string
					for _, r := range page.Records {
						if ids = append(ids, r.UserID); (r.Validate() == nil) != (r.UserID == "b") {
							t.Errorf("List has %+v", r)
						}
					}
					if limit == 1 {
						want = want[:1]
					}
					if err != nil || !slices.Equal(ids, want) {
						t.Errorf("List of %d = %q, %v, want %q", limit, ids, err, want)
					}
				}
				if _, err := s.Load(t.Context(), "a"); strings.Contains(c.statement, "('a'") && (err == nil || errors.Is(err, store.ErrNotFound)) {
					t.Errorf("Load = %v, want an error that is not absence", err)
				}
			})
		}
	}
}

// partitioned replaces the table by one with two partitions, for PostgreSQL, and creates the
// first. "CREATE TABLE one" + second creates the other.
const (
	partitioned = `DROP TABLE twofactor_accounts;
		CREATE TABLE twofactor_accounts (user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY, version BIGINT NOT NULL,
			state TEXT NOT NULL, due BIGINT, updated BIGINT NOT NULL, data BYTEA NOT NULL) PARTITION BY HASH (user_id);
		CREATE TABLE zero PARTITION OF twofactor_accounts FOR VALUES WITH (MODULUS 2, REMAINDER 0);`
	second = ` PARTITION OF twofactor_accounts FOR VALUES WITH (MODULUS 2, REMAINDER 1)`
)

// TestSettings opens databases that forget what they acknowledge.
func TestSettings(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, driver, dsn string, conns int) *sql.DB {
		t.Helper()
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(conns)
		t.Cleanup(func() { db.Close() })
		return db
	}
	const wal, full, wait = "&_pragma=journal_mode(WAL)", "&_pragma=synchronous(FULL)", "&_pragma=busy_timeout(1000)"
	for name, c := range map[string]struct {
		params string
		says   string // or empty, for fit
	}{
		"as documented":          {wait + wal + full, ""},
		"extra":                  {wait + wal + "&_pragma=synchronous(EXTRA)", ""},
		"nothing set":            {"", "journal_mode is delete"},
		"normal":                 {wait + wal + "&_pragma=synchronous(NORMAL)", "synchronous is less than FULL"},
		"off":                    {wait + wal + "&_pragma=synchronous(OFF)", "synchronous is less than FULL"},
		"no timeout":             {wal + full, "busy_timeout is 0"},
		"rollback journal":       {wait + full, "journal_mode is delete"},
		"rollback journal extra": {wait + "&_pragma=synchronous(EXTRA)", ""},
		"journal in memory":      {wait + full + "&_pragma=journal_mode(MEMORY)", "journal_mode is memory"},
		"no locks":               {wait + full + "&_pragma=journal_mode(TRUNCATE)&nolock=1", "not locked"},
		"locks":                  {wait + full + "&_pragma=journal_mode(TRUNCATE)", ""},
		"UTF-16":                 {wait + "&_pragma=encoding('UTF-16')" + wal + full, "encoding is not UTF-8"},
	} {
		t.Run("SQLite/"+name, func(t *testing.T) {
			t.Parallel()
			db := open(t, "sqlite", "file:"+testenv.SQLiteFile(t)+"?_txlock=immediate"+c.params, 4)
			s := sqlstore.New(db, sqlstore.SQLite)
			for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
				if c.says == "" && err != nil {
					t.Errorf("%s = %v, want nil", method, err)
				}
				// A database in UTF-16 fails by its order already.
				if c.says != "" && name != "UTF-16" && (!errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%s = %v, want ErrSettings that says %q", method, err, c.says)
				}
				if name == "UTF-16" && !errors.Is(err, sqlstore.ErrSchema) {
					t.Errorf("%s = %v, want ErrSchema", method, err)
				}
			}
			if c.says != "" && name != "UTF-16" { // and yet the table is ready
				if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
					t.Errorf("Save = %v, want nil", err)
				}
			}
		})
	}
	t.Run("SQLite/set on one connection", func(t *testing.T) {
		t.Parallel()
		db := open(t, "sqlite", "file:"+testenv.SQLiteFile(t), 4)
		for _, p := range []string{"busy_timeout = 1000", "journal_mode = WAL", "synchronous = FULL"} {
			if _, err := db.ExecContext(t.Context(), "PRAGMA "+p); err != nil {
				t.Fatal(err)
			}
		}
		if err := sqlstore.New(db, sqlstore.SQLite).Migrate(t.Context()); !errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), "differ") {
			t.Errorf("Migrate = %v, want ErrSettings that says that the connections differ", err)
		}
	})
	t.Run("SQLite/in memory", func(t *testing.T) {
		t.Parallel()
		db := open(t, "sqlite", ":memory:", 1)
		s := sqlstore.New(db, sqlstore.SQLite)
		if err := s.Migrate(t.Context()); !errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), "in memory") {
			t.Errorf("Migrate = %v, want ErrSettings that names memory", err)
		}
		if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
			t.Errorf("Save on the single connection = %v, want nil", err)
		}
	})
	for name, c := range map[string]struct{ params, before, says string }{
		"asynchronous": {" synchronous_commit=off", "", "synchronous_commit is off"},
		"zero pages":   {" zero_damaged_pages=on", "", "zero_damaged_pages is on"},
		"local":        {" synchronous_commit=local", "", ""},
		"serializable": {" default_transaction_isolation=serializable", "", "default_transaction_isolation is serializable"},
		"committed":    {" default_transaction_isolation=read\\ committed", "", ""},
		"unlogged":     {"", "ALTER TABLE twofactor_accounts SET UNLOGGED", "unlogged"},
		"partitions":   {"", partitioned + "CREATE TABLE one" + second, ""},
		"a view": {"", `ALTER TABLE twofactor_accounts RENAME TO accounts;
			CREATE VIEW twofactor_accounts AS SELECT * FROM accounts WHERE user_id <> 'alice'`, "a view"},
		"Latin 1":      {" client_encoding=LATIN1", "", "client_encoding is not UTF8"},
		"unlogged one": {"", partitioned + "CREATE UNLOGGED TABLE one" + second, "a partition"},
	} {
		t.Run("PostgreSQL/"+name, func(t *testing.T) {
			t.Parallel()
			dsn := testenv.PostgresDSN(t)
			db := testenv.OpenPostgres(t, dsn)
			migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
			if c.before != "" {
				if _, err := db.ExecContext(t.Context(), c.before); err != nil {
					t.Fatal(err)
				}
			}
			s := sqlstore.New(testenv.OpenPostgres(t, dsn+c.params), sqlstore.PostgreSQL)
			for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
				if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, sqlstore.ErrSettings) || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%s = %v, want ErrSettings that says %q", method, err, c.says)
				}
			}
		})
	}
}

// TestPlans asks PostgreSQL whether the listings use what is there for them.
func TestPlans(t *testing.T) {
	t.Parallel()
	db := testenv.PostgresDB(t)
	migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
	if _, err := db.ExecContext(t.Context(), `INSERT INTO twofactor_accounts
		SELECT 'user-' || md5(n::text), n, CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'confirmed' END, CASE WHEN n % 1000 = 0 THEN n END, n, '\x00'
		FROM generate_series(1, 50000) n`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "ANALYZE twofactor_accounts"); err != nil {
		t.Fatal(err)
	}
	const from = "SELECT user_id, version, state, due, updated, data FROM twofactor_accounts WHERE "
	for where, index := range map[string]string{
		"user_id = 'user-1'":                                                     "twofactor_accounts_pkey",
		"user_id > 'user-5' ORDER BY user_id LIMIT 101":                          "twofactor_accounts_pkey",
		"due IS NOT NULL AND due <= 3000 ORDER BY user_id LIMIT 101":             "twofactor_accounts_due",
		"user_id > 'user-5' AND state IN ('pending') ORDER BY user_id LIMIT 101": "twofactor_accounts_state",
	} {
		rows, err := db.QueryContext(t.Context(), "EXPLAIN "+from+where)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(line + "\n")
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan.String(), index) {
			t.Errorf("%s does not use %s:\n%s", where, index, plan.String())
		}
	}
}
