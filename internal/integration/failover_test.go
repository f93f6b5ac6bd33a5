package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/tally"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// tallied fails over some times, or, for long runs, for a quarter of the time of a siege.
func tallied(t *testing.T, what string, s proving.Full, failOver func(ctx context.Context) error, short int) tally.Tally {
	t.Helper()
	l := long.Siege(t, short)
	var y tally.Tally
	for began := time.Now(); y.Failovers < l.Rounds || time.Since(began) < l.Time/4; {
		if err := y.Fail(t.Context(), s, failOver); err != nil {
			t.Fatal(err)
		}
	}
	if y.Failovers > 0 {
		long.Report(t, what+", eight writers", y)
	}
	return y
}

// beaten besieges stores and lets their database fail over in every other round. It
// returns what came out that must not be. After a failover that has failed, there is nothing
// more to fail over.
func beaten(t *testing.T, what string, open func() proving.Full, failOver func(ctx context.Context) error) []siege.Finding {
	t.Helper()
	figures := siege.Find(t, siege.Open(open).Start, func() {
		if err := failOver(t.Context()); err != nil {
			t.Error(err)
		}
	}, long.Siege(t, 2))
	long.Report(t, what, figures)
	t.Log(figures.Findings())
	if len(figures.Broken) > 0 {
		t.FailNow()
	}
	return figures.Wrong
}

// judge fails the test if a database has lost what it must not lose. It also fails if one that
// does lose something has lost nothing in a long time: then a loss is not seen in the others.
func judge(t *testing.T, loses bool, wrong []siege.Finding, y tally.Tally) {
	t.Helper()
	switch lost := len(wrong) > 0 || y.Lost > 0; {
	case lost && !loses:
		t.Error("what was acknowledged is lost")
	case loses && !lost && long.Sure(t):
		t.Error("nothing is lost, although replication is asynchronous")
	}
}

// A pair is a primary and a replica. DSN leads to the primary, whichever it is.
type pair interface {
	DSN() string
	CutOff(ctx context.Context) error // of the replica
	FailOver(ctx context.Context) error
}

// replicated are databases whose commits wait for a replica. Each starts a pair of servers,
// and returns what makes a database there, which is what opens that for one node.
var replicated = map[string]func(t *testing.T) func(t *testing.T) func() proving.Full{
	"PostgreSQL, synchronous standby": func(t *testing.T) func(t *testing.T) func() proving.Full {
		p := testenv.PostgresPair(t, true)
		p.Near()
		return func(t *testing.T) func() proving.Full {
			return opener(t, sqlstore.PostgreSQL, testenv.PostgresSchema(t, p.DSN()))
		}
	},
	"MariaDB, semi-synchronous replica": func(t *testing.T) func(t *testing.T) func() proving.Full {
		p := testenv.MariaDBPair(t, afterSync)
		p.Near()
		return func(t *testing.T) func() proving.Full {
			return opener(t, sqlstore.MySQL, testenv.MariaDBDatabase(t, p.DSN()))
		}
	},
}

// TestReplicated holds them against the contract, with one node and with two, and looks at
// their histories.
func TestReplicated(t *testing.T) {
	t.Parallel()
	for what, start := range replicated {
		t.Run(what, func(t *testing.T) {
			database := start(t)
			t.Run("contract", func(t *testing.T) {
				storetest.Run(t, func(t *testing.T) store.Store { return database(t)() })
			})
			t.Run("nodes", func(t *testing.T) {
				storetest.RunNodes(t, func(t *testing.T) []store.Store {
					open := database(t)
					return []store.Store{open(), open()}
				})
			})
			t.Run("histories", func(t *testing.T) { explained(t, database(t), deadlocked) })
		})
	}
}

// TestFailover kills the primary and promotes its replica, in the middle of sign-ins, setups
// and guesses. A synchronous replica has all that was acknowledged; what an asynchronous one
// lacks is measured, and in a long siege it lacks something.
func TestFailover(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		dialect sqlstore.Dialect
		loses   bool
		start   func(t *testing.T) pair
	}{
		"PostgreSQL, synchronous standby":   {sqlstore.PostgreSQL, false, func(t *testing.T) pair { return testenv.PostgresPair(t, true) }},
		"PostgreSQL, asynchronous standby":  {sqlstore.PostgreSQL, true, func(t *testing.T) pair { return testenv.PostgresPair(t, false) }},
		"MariaDB, semi-synchronous replica": {sqlstore.MySQL, false, func(t *testing.T) pair { return testenv.MariaDBPair(t, afterSync) }},
		"MariaDB, asynchronous replica":     {sqlstore.MySQL, true, func(t *testing.T) pair { return testenv.MariaDBPair(t, mariadb.Waiting{}) }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if c.loses {
				long.OnlyInSieges(t)
			}
			p := c.start(t)
			open := opener(t, c.dialect, p.DSN())
			wrong := beaten(t, what, open, p.FailOver)
			y := tallied(t, what, open(), p.FailOver, 0)
			judge(t, c.loses, wrong, y)
		})
	}
}

// afterSync is semi-synchronous replication as package sqlstore asks for it.
var afterSync = mariadb.Waiting{Point: "AFTER_SYNC", Milliseconds: mariadb.Long}

// TestReplicaCutOff cuts the replica off and uses a code. Then the primary dies, and the code
// is used again. It works twice if the primary acknowledges what the replica lacks, or shows
// it to others: if a Guard gets no answer to a write, it loads the record.
func TestReplicaCutOff(t *testing.T) {
	t.Parallel()
	onMariaDB := func(w mariadb.Waiting) func(t *testing.T) (pair, sqlstore.Dialect) {
		return func(t *testing.T) (pair, sqlstore.Dialect) { return testenv.MariaDBPair(t, w), sqlstore.MySQL }
	}
	for _, c := range []struct {
		name  string
		start func(t *testing.T) (pair, sqlstore.Dialect)
		twice bool
		says  string // Check
	}{
		{"PostgreSQL, synchronous", func(t *testing.T) (pair, sqlstore.Dialect) {
			return testenv.PostgresPair(t, true), sqlstore.PostgreSQL
		}, false, ""},
		{"MariaDB, asynchronous", onMariaDB(mariadb.Waiting{}), true, ""},
		{"MariaDB, AFTER_SYNC", onMariaDB(afterSync), false, ""},
		{"MariaDB, AFTER_SYNC for a moment", onMariaDB(mariadb.Waiting{Point: "AFTER_SYNC", Milliseconds: 100}), true, ""},
		{"MariaDB, AFTER_COMMIT", onMariaDB(mariadb.Waiting{Point: "AFTER_COMMIT", Milliseconds: mariadb.Long}), true, "AFTER_COMMIT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, dialect := c.start(t)
			s := sqlstore.New(testenv.OpenSQL(t, dialect, p.DSN()), dialect)
			if err := s.Migrate(t.Context()); err != nil && c.says == "" {
				t.Fatal(err)
			}
			kit := proving.Over(t, s)
			alice := kit.Enroll("alice")
			kit.Pass(time.Hour)
			accepted := 0
			verify := func() error {
				_, err := kit.Guard.Verify(t.Context(), "alice", "test", kit.Code(alice.Key))
				if err == nil {
					accepted++
				}
				return err
			}
			if err := p.CutOff(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Logf("with the replica cut off: %v", verify())
			if err := p.FailOver(t.Context()); err != nil {
				t.Fatal(err)
			}
			var answer error
			if err := server.Until(t.Context(), func() error { // a connection to the dead primary may be left
				if answer = verify(); proving.ReasonOf(answer) != proving.Fault {
					return nil
				}
				return answer
			}); err != nil {
				t.Error(err)
			}
			t.Logf("after the failover: %v", answer)
			if twice := accepted == 2; twice != c.twice || accepted == 0 {
				t.Errorf("the code was accepted %d times, want twice: %v", accepted, c.twice)
			}
			unsafe(t, s, c.name, c.says)
		})
	}
}

// TestErasedWhileCutOff erases an account while the standby is cut off. Nobody is told that it
// is gone: after the failover it is there again.
func TestErasedWhileCutOff(t *testing.T) {
	t.Parallel()
	p := testenv.PostgresPair(t, true)
	db := testenv.OpenPostgres(t, p.DSN())
	s := migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
	if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
		t.Fatal(err)
	}
	if err := p.CutOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	inTx := func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		return errors.Join(s.EraseTx(ctx, tx, "alice"), tx.Commit())
	}
	another := sqlstore.New(testenv.OpenPostgres(t, p.DSN()), sqlstore.PostgreSQL) // in another process
	for _, call := range []func(ctx context.Context) error{
		inTx, inTx, // the second one deletes nothing
		func(ctx context.Context) error { return s.Erase(ctx, "alice") },
		func(ctx context.Context) error { _, err := s.Load(ctx, "alice"); return err },
		func(ctx context.Context) error { return another.Erase(ctx, "alice") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call came to %v, want no answer", err)
		}
		cancel()
	}
	if err := p.FailOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := server.Until(t.Context(), func() error { // a connection to the dead primary may be left
		_, err := s.Load(t.Context(), "alice")
		return err
	})
	if err != nil {
		t.Errorf("after the failover: %v", err)
	}
}

// TestSessionEndedWhileCutOff ends the session of a Save while the standby is cut off.
// PostgreSQL then shows the write, and a Load returns nothing until the standby has it.
func TestSessionEndedWhileCutOff(t *testing.T) {
	t.Parallel()
	p := testenv.PostgresPair(t, true)
	db := testenv.OpenPostgres(t, p.DSN())
	migrated(t, sqlstore.New(db, sqlstore.PostgreSQL))
	local := sqlstore.New(testenv.OpenPostgres(t, p.DSN()+" synchronous_commit=local"), sqlstore.PostgreSQL)
	unsafe(t, local, "local", "synchronous_commit is local")
	if err := p.CutOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, driver := range []string{"pgx", "postgres"} {
		s := sqlstore.New(testenv.OpenDriver(t, driver, p.DSN()), sqlstore.PostgreSQL)
		saved := make(chan error, 1)
		go func() { saved <- s.Save(t.Context(), record(driver, 1), 0) }()
		err := server.Until(t.Context(), func() error {
			const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
			if _, err := db.ExecContext(t.Context(), end); err != nil {
				return err
			}
			select {
			case err := <-saved:
				if err == nil {
					t.Errorf("%s: Save = nil", driver)
				}
				return nil
			default:
				return errors.New("the Save has not ended")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), driver); err == nil || !strings.Contains(err.Error(), "standby") {
			t.Errorf("%s: Load = %v, want an error about the standby", driver, err)
		}
	}
}

// TestKilledSessionWhileCutOff kills the session of a Save while the replica is cut off.
// MariaDB then shows the write, as PostgreSQL does, and nothing can ask it to wait for the
// replica: the code works again after the failover, as the documentation says.
func TestKilledSessionWhileCutOff(t *testing.T) {
	t.Parallel()
	p := testenv.MariaDBPair(t, afterSync)
	db := testenv.OpenMariaDB(t, p.DSN())
	kit := proving.Over(t, migrated(t, sqlstore.New(testenv.OpenMariaDB(t, p.DSN()), sqlstore.MySQL)))
	alice := kit.Enroll("alice")
	kit.Pass(time.Hour)
	if err := p.CutOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	version := func() (v int64) {
		if err := db.QueryRowContext(t.Context(), "SELECT version FROM twofactor_accounts").Scan(&v); err != nil {
			t.Error(err)
		}
		return v
	}
	before := version()
	kit.Store.Nth(proving.Load, 2, func(context.Context, *proving.Call) { // the Guard looks for its write
		if err := server.Until(t.Context(), func() error {
			if version() == before {
				return errors.New("the primary does not show the write yet")
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	verified := make(chan error, 1)
	verify := func() { _, err := kit.Guard.Verify(t.Context(), "alice", "test", kit.Code(alice.Key)); verified <- err }
	go verify()
	err := server.Until(t.Context(), func() error {
		const waiting = "SELECT coalesce(max(id), 0) FROM information_schema.processlist WHERE state = 'Waiting for semi-sync ACK from slave'"
		var id int64
		if err := db.QueryRowContext(t.Context(), waiting).Scan(&id); err != nil {
			return err
		}
		if id == 0 {
			return errors.New("no session waits")
		}
		_, err := db.ExecContext(t.Context(), fmt.Sprint("KILL ", id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-verified; err != nil {
		t.Errorf("Verify, whose session was killed = %v, want nil", err)
	}
	if err := p.FailOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = server.Until(t.Context(), func() error { // a connection to the dead primary may be left
		go verify()
		return <-verified
	})
	if err != nil {
		t.Errorf("the same code after the failover: %v", err)
	}
}

// TestPromotedReplica asks Check about a replica while it is promoted. It refuses the
// replica until it is a primary.
func TestPromotedReplica(t *testing.T) {
	t.Parallel()
	p := testenv.MariaDBPair(t, mariadb.Waiting{})
	db := testenv.OpenMariaDB(t, p.ReplicaDSN())
	s := sqlstore.New(db, sqlstore.MySQL)
	migrated(t, sqlstore.New(testenv.OpenMariaDB(t, p.DSN()), sqlstore.MySQL))
	if err := p.CaughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, says string }{
		{"DO 0", "read_only is on"},
		{"SET GLOBAL read_only = 0", "replica of another"},
		{"STOP REPLICA", "replica of another"},
		{"SET GLOBAL read_only = 1", "read_only is on"},
		{"RESET REPLICA ALL", "read_only is on"},
		{"SET GLOBAL read_only = 0", ""},
		{"CHANGE MASTER 'east' TO MASTER_HOST = '127.0.0.1'", "replica of another"}, // one of several
		{"RESET REPLICA 'east' ALL", ""},
	} {
		if _, err := db.ExecContext(t.Context(), c.statement); err != nil {
			t.Fatal(err)
		}
		unsafe(t, s, c.statement, c.says)
	}
}
