package integration_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestMariaDBModes holds the store against the contract with what a host may have
// set for its own tables: what the server counts as changed, who puts the
// arguments in, and how strictly transactions are kept apart.
func TestMariaDBModes(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]string{
		"rows found":        "?clientFoundRows=true&innodb_snapshot_isolation=1", // as MariaDB 11.6 has it
		"unprepared":        "?interpolateParams=true&parseTime=true&clientFoundRows=true",
		"Latin 1":           "?charset=latin1&interpolateParams=true",
		"read committed":    "?tx_isolation=%27READ-COMMITTED%27",
		"serializable":      "?tx_isolation=%27SERIALIZABLE%27",
		"ANSI":              "?sql_mode=%27ANSI,STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES%27&interpolateParams=true",
		"another collation": "?collation=utf8mb4_general_ci",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store {
				return migrated(t, sqlstore.New(testenv.OpenMariaDB(t, testenv.MariaDBDSN(t)+params), sqlstore.MySQL))
			})
		})
	}
}

// TestMariaDBSettings opens pools and servers that forget what they acknowledge.
func TestMariaDBSettings(t *testing.T) {
	t.Parallel()
	unsafe := func(t *testing.T, s *sqlstore.Store, says ...string) {
		t.Helper()
		for method, err := range map[string]error{"Migrate": s.Migrate(t.Context()), "Check": s.Check(t.Context())} {
			if len(says) == 0 && err != nil || len(says) > 0 && !errors.Is(err, sqlstore.ErrSettings) {
				t.Errorf("%s = %v, want ErrSettings: %v", method, err, len(says) > 0)
				continue
			}
			for _, what := range says {
				if !strings.Contains(err.Error(), what) {
					t.Errorf("%s = %v, want it to say %q", method, err, what)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		params, before string
		says           []string
	}{
		"as installed":     {"", "", nil},
		"serializable":     {"?tx_isolation=%27SERIALIZABLE%27", "", nil},
		"read uncommitted": {"?tx_isolation=%27READ-UNCOMMITTED%27", "", []string{"read uncommitted"}},
		"not strict":       {"?sql_mode=%27%27", "", []string{"sql_mode is not strict"}},
		"traditional":      {"?sql_mode=TRADITIONAL", "", nil},
		"no autocommit":    {"?autocommit=0", "", []string{"autocommit is off"}},
		"MyISAM":           {"", "ALTER TABLE twofactor_accounts ENGINE = MyISAM", []string{"MyISAM"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := testenv.MariaDBDSN(t)
			db := testenv.OpenMariaDB(t, dsn)
			migrated(t, sqlstore.New(db, sqlstore.MySQL))
			if c.before != "" {
				if _, err := db.ExecContext(t.Context(), c.before); err != nil {
					t.Fatal(err)
				}
			}
			unsafe(t, sqlstore.New(testenv.OpenMariaDB(t, dsn+c.params), sqlstore.MySQL), c.says...)
		})
	}
	t.Run("no flush", func(t *testing.T) {
		t.Parallel()
		dsn := testenv.MariaDBWith(t, "--innodb-flush-method=nosync")
		unsafe(t, sqlstore.New(testenv.OpenMariaDB(t, dsn), sqlstore.MySQL), "innodb_flush_method is nosync")
	})
	t.Run("semi-synchronous", func(t *testing.T) {
		t.Parallel()
		dsn := testenv.MariaDBWith(t, "--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-wait-no-slave=0", "--rpl-semi-sync-master-wait-point=AFTER_SYNC")
		unsafe(t, sqlstore.New(testenv.OpenMariaDB(t, dsn), sqlstore.MySQL), "rpl_semi_sync_master_wait_no_slave is off")
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		dsn := testenv.MariaDBWith(t, "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0")
		db := testenv.OpenMariaDB(t, dsn)
		s := sqlstore.New(db, sqlstore.MySQL)
		unsafe(t, s, "innodb_flush_log_at_trx_commit is 2", "sync_binlog is 0")
		for _, statement := range []string{"SET GLOBAL innodb_flush_log_at_trx_commit = 1", "SET GLOBAL sync_binlog = 1"} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		unsafe(t, s)
		for _, c := range []struct{ statement, says string }{
			{"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'nobody'", "replica of another"},
			{"SET GLOBAL read_only = 1", "read_only is on"},
		} {
			if _, err := db.ExecContext(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			unsafe(t, s, c.says)
		}
	})
}

// TestMariaDBReplaced asks a server over a connection that it had as a primary. A user who has
// enrolled at the new primary may be missing there.
func TestMariaDBReplaced(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]string{"prepared": "", "unprepared": "?interpolateParams=true", "Latin 1": "?charset=latin1", "ANSI": "?sql_mode=%27ANSI,STRICT_ALL_TABLES%27"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testenv.OpenMariaDB(t, testenv.MariaDBWith(t)+params)
			s := migrated(t, sqlstore.New(db, sqlstore.MySQL))
			if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
				t.Fatal(err)
			}
			for _, on := range []bool{false, true, false} {
				if _, err := db.ExecContext(t.Context(), "SET GLOBAL read_only = ?", on); err != nil {
					t.Fatal(err)
				}
				_, there := s.Load(t.Context(), "alice")
				_, absent := s.Load(t.Context(), "carol")
				if !on && (there != nil || !errors.Is(absent, store.ErrNotFound)) {
					t.Errorf("Load at the primary = %v and %v, want nil and ErrNotFound", there, absent)
				}
				for _, err := range []error{there, absent} {
					if on && (err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "read_only")) {
						t.Errorf("Load with read_only on = %v, want an error that says so", err)
					}
				}
			}
		})
	}
}

// TestMariaDBRights runs the store as a user that may not change the schema and
// may not ask about replication.
func TestMariaDBRights(t *testing.T) {
	t.Parallel()
	dsn := testenv.MariaDBDSN(t)
	owner := testenv.OpenMariaDB(t, dsn)
	migrated(t, sqlstore.New(owner, sqlstore.MySQL))
	var database string
	if err := owner.QueryRowContext(t.Context(), "SELECT database()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	user := "app_of_" + database
	for _, statement := range []string{
		"CREATE USER " + user + "@localhost",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON twofactor_accounts TO " + user + "@localhost",
		"GRANT SELECT ON twofactor_accounts_version TO " + user + "@localhost",
	} {
		if _, err := owner.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	s := sqlstore.New(testenv.OpenMariaDB(t, testenv.Replaced(t, dsn, "root@", user+"@")), sqlstore.MySQL)
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
	if _, err := owner.ExecContext(t.Context(), "REVOKE INSERT ON twofactor_accounts FROM "+user+"@localhost"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, sqlstore.ErrSchema) {
		t.Errorf("Check without the right to insert = %v, want ErrSchema", err)
	}
}
