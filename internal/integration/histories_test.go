package integration_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// opener returns what opens a database as each process does, with a pool of its own.
func opener(t *testing.T, d sqlstore.Dialect, dsn string) func() proving.Full {
	return func() proving.Full {
		t.Helper()
		return migrated(t, sqlstore.New(testenv.OpenSQL(t, d, dsn), d))
	}
}

// onSQL returns what makes a database.
func onSQL(d sqlstore.Dialect) func(t *testing.T) func() proving.Full {
	return func(t *testing.T) func() proving.Full { return opener(t, d, testenv.SQL(t, d)) }
}

// alone opens a store that all nodes share, because it lives inside one process.
func alone(s proving.Full) func() proving.Full { return func() proving.Full { return s } }

// historians are the stores whose histories are looked at. Each makes a database, and
// returns what opens it for one node.
var historians = []struct {
	name string
	open func(t *testing.T) func() proving.Full

	deadlock func(error) bool // see histories.Options
}{
	{name: "memory", open: func(*testing.T) func() proving.Full { return alone(memory.New()) }},
	{name: "SQLite", open: onSQL(sqlstore.SQLite)},
	{name: "PostgreSQL", open: onSQL(sqlstore.PostgreSQL)},
	{name: "MariaDB", open: onSQL(sqlstore.MySQL), deadlock: deadlocked},
	{name: "bbolt", open: func(t *testing.T) func() proving.Full { return alone(testenv.Bolt(t)) }},
	{name: "Redis", open: func(t *testing.T) func() proving.Full {
		socket, prefix := testenv.RedisSocket(t), testenv.RedisPrefix()
		return func() proving.Full { return testenv.OpenRedis(t, testenv.RedisClient(t, socket), prefix) }
	}},
	{name: "Redis cluster", open: func(t *testing.T) func() proving.Full { return testenv.RedisInCluster(t) }},
	{name: "the recipe for pgx", open: recipe("pgx")},
	{name: "the recipe for GORM", open: recipe("GORM")},
}

func recipe(name string) func(t *testing.T) func() proving.Full {
	return func(t *testing.T) func() proving.Full {
		dsn := testenv.PostgresDSN(t)
		return func() proving.Full { return recipes[name](t, dsn).(proving.Full) }
	}
}

// deadlocked reports whether MariaDB has undone a statement to break a deadlock.
func deadlocked(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1213
}

// TestHistories lets clients use one record at once, over and over, and looks for an
// order of their operations that explains what each was told.
func TestHistories(t *testing.T) {
	t.Parallel()
	for _, h := range historians {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			explained(t, h.open(t), h.deadlock)
		})
	}
}

// explained looks at the histories of two nodes.
func explained(t *testing.T, open func() proving.Full, deadlock func(error) bool) {
	t.Helper()
	rounds := long.Histories(t, 40)
	nodes := []proving.Full{open(), open()}
	began := time.Now()
	f, err := histories.Check(t.Context(), nodes, histories.Options{Rounds: rounds, Deadlock: deadlock})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d histories in %v: %v", rounds, time.Since(began).Round(time.Millisecond), f)
	if f.Saved == 0 || f.Conflicts == 0 {
		t.Error("nothing was saved, or nothing was a conflict")
	}
}

// A hasty store compares in one step and writes in another.
type hasty struct{ proving.Full }

func (s hasty) Save(ctx context.Context, r store.Record, prev int64) error {
	now, err := s.Load(ctx, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for range 10 {
		runtime.Gosched() // where there is no network
	}
	for now.Version == prev {
		err := s.Full.Save(ctx, r, now.Version)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		if now, err = s.Load(ctx, r.UserID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		prev = now.Version
	}
	return store.ErrConflict
}

// TestHistoriesCatchHastyStore has a hasty store on each database.
func TestHistoriesCatchHastyStore(t *testing.T) {
	t.Parallel()
	for _, h := range historians {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			open := h.open(t)
			nodes := []proving.Full{hasty{open()}, hasty{open()}}
			f, err := histories.Check(t.Context(), nodes, histories.Options{Rounds: 2000, Deadlock: deadlocked})
			if !errors.Is(err, histories.ErrWrong) {
				t.Errorf("a store that compares in one step and writes in another was not caught in %v: %v", f, err)
			}
			t.Logf("after %v: %v", f, err)
		})
	}
}
