package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A bench is a store with records of alice and bob, the same table by a pool with other
// settings, and a pool of the application.
type bench struct {
	t            *testing.T
	store, other *sqlstore.Store
	app          *sql.DB
}

// openBench opens a bench. The function changes the data source name for the other pool.
func openBench(t *testing.T, d sqlstore.Dialect, settings func(dsn string) string) bench {
	t.Helper()
	return benchOn(t, d, testenv.SQL(t, d), settings)
}

func benchOn(t *testing.T, d sqlstore.Dialect, dsn string, settings func(dsn string) string) bench {
	t.Helper()
	app := testenv.OpenSQL(t, d, dsn)
	b := bench{
		t: t, app: app, store: migrated(t, sqlstore.New(app, d)),
		other: sqlstore.New(testenv.OpenSQL(t, d, settings(dsn)), d),
	}
	for _, id := range []string{"alice", "bob"} {
		if err := b.store.Save(t.Context(), record(id, 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func set(settings string) func(string) string {
	return func(dsn string) string { return dsn + settings }
}

// A held transaction of the application has locked something.
type held struct {
	*sql.Tx
	b  bench
	id int // of its session
}

// hold begins a transaction and executes a statement in it. Session is a query for the id
// of its session.
func (b bench) hold(session, statement string) held {
	b.t.Helper()
	tx, err := b.app.BeginTx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	h := held{Tx: tx, b: b}
	if err := tx.QueryRowContext(b.t.Context(), session).Scan(&h.id); err != nil {
		b.t.Fatal(err)
	}
	if _, err := tx.ExecContext(b.t.Context(), statement); err != nil {
		b.t.Fatal(err)
	}
	return h
}

const (
	sessionPostgres = "SELECT pg_backend_pid()"
	sessionMySQL    = "SELECT connection_id()"
	waitersPostgres = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
	waitersMySQL    = "SELECT count(*) FROM information_schema.innodb_lock_waits w JOIN information_schema.innodb_trx x ON w.blocking_trx_id = x.trx_id WHERE x.trx_mysql_thread_id = ?"
	lockAlice       = "UPDATE twofactor_accounts SET updated = updated + 1 WHERE user_id = 'alice'"
)

// until waits until so many sessions wait for this one.
func (h held) until(waiters string, want int) {
	h.b.t.Helper()
	err := server.Until(h.b.t.Context(), func() error {
		var n int
		err := h.b.app.QueryRowContext(h.b.t.Context(), waiters, h.id).Scan(&n)
		if err == nil && n != want {
			// The servers have no way to tell. MariaDB shows what was there when it was last
			// left alone for 100 ms.
			time.Sleep(120 * time.Millisecond)
			err = fmt.Errorf("%d sessions wait, want %d", n, want)
		}
		return err
	})
	if err != nil {
		h.b.t.Fatal(err)
	}
}

func (h held) end(f func() error) {
	h.b.t.Helper()
	if err := f(); err != nil {
		h.b.t.Fatal(err)
	}
}

// saying sees that an error is the one that is meant.
func saying(t *testing.T, err error, text string) error {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
	return err
}

// during calls f while something else goes on, and returns what f has returned.
func during(f func() error, meanwhile func()) error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	meanwhile()
	return <-result
}

// sqlTroubles are how each error comes about.
var sqlTroubles = map[string]func(t *testing.T) proving.Trouble{
	"no row changed": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(""))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			return b.other.Save(t.Context(), r, prev+1)
		}}
	},
	"MySQL 1062, duplicate key": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.MySQL, set(""))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, _ int64) error {
			return b.other.Save(t.Context(), r, 0)
		}}
	},
	"MySQL 1213, deadlock with another write of the record, or another node of a Galera cluster was first": func(t *testing.T) proving.Trouble {
		// On a server of its own, whose deadlocks can be counted.
		b := benchOn(t, sqlstore.MySQL, testenv.MariaDBWith(t), set(""))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, _ int64) error { return deadlock(b, r) }}
	},
	"MySQL 1205, lock wait timeout, or a Galera node that does not catch up": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.MySQL, set("?innodb_lock_wait_timeout=1"))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			h := b.hold(sessionMySQL, lockAlice)
			defer h.end(h.Rollback)
			return saying(t, b.other.Save(t.Context(), r, prev), "Error 1205")
		}}
	},
	"MySQL 1047, a Galera node without its cluster": nil, // see TestGalera
	"MySQL 1290, read only, as after a failover to another server": func(t *testing.T) proving.Trouble {
		// On a server of its own, with a user who may not write in spite of that.
		b := benchOn(t, sqlstore.MySQL, testenv.MariaDBWith(t), func(dsn string) string {
			return testenv.Replaced(t, dsn, "root@", "app@")
		})
		exec := func(statement string) {
			t.Helper()
			if _, err := b.app.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		exec("CREATE USER app@localhost")
		exec("GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO app@localhost")
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			exec("SET GLOBAL read_only = 1")
			defer exec("SET GLOBAL read_only = 0")
			return saying(t, b.other.Save(t.Context(), r, prev), "Error 1290")
		}}
	},
	"PostgreSQL 40001, serialization": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(" default_transaction_isolation=serializable"))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			h := b.hold(sessionPostgres, lockAlice)
			return saying(t, during(func() error { return b.other.Save(t.Context(), r, prev) }, func() {
				h.until(waitersPostgres, 1)
				h.end(h.Commit)
			}), "SQLSTATE 40001")
		}}
	},
	"PostgreSQL 40P01, deadlock": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(" deadlock_timeout=2s"))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error { return triggered(b, r, prev) }}
	},
	"PostgreSQL 55P03, lock timeout": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(" lock_timeout=20"))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			h := b.hold(sessionPostgres, lockAlice)
			defer h.end(h.Rollback)
			return saying(t, b.other.Save(t.Context(), r, prev), "SQLSTATE 55P03")
		}}
	},
	"PostgreSQL 25006, read only, as after a failover to another server": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(" default_transaction_read_only=on"))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			return saying(t, b.other.Save(t.Context(), r, prev), "SQLSTATE 25006")
		}}
	},
	"SQLite busy, after busy_timeout": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.SQLite, func(dsn string) string {
			return testenv.Replaced(t, dsn, "busy_timeout(10000)", "busy_timeout(20)")
		})
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			h := b.hold("SELECT 1", lockAlice)
			defer h.end(h.Rollback)
			return saying(t, b.other.Save(t.Context(), r, prev), "database is locked")
		}}
	},
	"the context ended": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(""))
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			h := b.hold(sessionPostgres, lockAlice)
			defer h.end(h.Rollback)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := during(func() error { return b.other.Save(ctx, r, prev) }, func() {
				h.until(waitersPostgres, 1)
				cancel()
			})
			h.until(waitersPostgres, 0)
			return err
		}}
	},
	"the connection broke": func(t *testing.T) proving.Trouble {
		p, open := testenv.Remotes[0].Proxied(t)
		s := open()
		if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
			t.Fatal(err)
		}
		return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
			p.Cut(proxy.Reply, 0)
			return s.Save(t.Context(), r, prev)
		}}
	},
	"anything else": func(t *testing.T) proving.Trouble {
		b := openBench(t, sqlstore.PostgreSQL, set(""))
		rename := func(from, to string) {
			if _, err := b.app.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
				t.Fatal(err)
			}
		}
		return proving.Trouble{Store: b.store, Meet: func(r store.Record, prev int64) error {
			rename("twofactor_accounts", "elsewhere")
			defer rename("elsewhere", "twofactor_accounts")
			return saying(t, b.other.Save(t.Context(), r, prev), "SQLSTATE 42P01")
		}}
	},
}

// deadlock lets two Saves create a record that a transaction of the application has
// deleted. Both wait for it, both may look at the same time then, and neither may write.
func deadlock(b bench, r store.Record) error {
	b.t.Helper()
	h := b.hold(sessionMySQL, "DELETE FROM twofactor_accounts WHERE user_id = 'alice'")
	results := make([]error, 2)
	var group sync.WaitGroup
	for i := range results {
		r.Version += int64(i) + 1
		r := r
		group.Go(func() { results[i] = b.other.Save(b.t.Context(), r, 0) })
	}
	h.until(waitersMySQL, 2)
	before := deadlocks(b)
	h.end(h.Commit)
	group.Wait()
	if after := deadlocks(b); after == before {
		b.t.Error("the server has broken no deadlock")
	}
	if (results[0] == nil) == (results[1] == nil) {
		b.t.Errorf("%v, want one success", results)
	}
	return errors.Join(results...)
}

// deadlocks returns how many the server has broken.
func deadlocks(b bench) (n int) {
	b.t.Helper()
	var name string
	if err := b.app.QueryRowContext(b.t.Context(), "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").Scan(&name, &n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// triggered lets a Save run into a trigger of the application, which waits for a lock of a
// transaction that waits for the row. A Save alone locks one row, and so can't deadlock.
// The transaction looks for deadlocks later than the Save does.
func triggered(b bench, r store.Record, prev int64) error {
	b.t.Helper()
	for _, statement := range []string{
		"CREATE FUNCTION lock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'",
		"CREATE TRIGGER locks AFTER UPDATE ON twofactor_accounts FOR EACH ROW EXECUTE FUNCTION lock()",
	} {
		if _, err := b.app.ExecContext(b.t.Context(), statement); err != nil {
			b.t.Fatal(err)
		}
	}
	h := b.hold(sessionPostgres, "SET LOCAL deadlock_timeout = '1min'")
	if _, err := h.ExecContext(b.t.Context(), "SELECT pg_advisory_xact_lock(1)"); err != nil {
		b.t.Fatal(err)
	}
	var other error
	err := during(func() error { return b.other.Save(b.t.Context(), r, prev) }, func() {
		h.until(waitersPostgres, 1)
		_, other = h.ExecContext(b.t.Context(), lockAlice)
	})
	if other != nil {
		b.t.Errorf("the other transaction: %v", other)
	}
	h.end(h.Rollback)
	return saying(b.t, err, "SQLSTATE 40P01")
}

// TestErrors brings about each error of the table in the documentation of sqlstore.
func TestErrors(t *testing.T) {
	t.Parallel()
	proving.HoldErrors(t, "../../store/sqlstore/doc.go", sqlTroubles)
}
