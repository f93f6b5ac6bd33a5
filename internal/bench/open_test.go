package bench_test

import (
	"errors"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// The driver would tell of connections that end with their server. Its logger is a
// variable that it reads without a lock, so it is set before any test runs.
func init() {
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		panic(err)
	}
}

// databases opens a database of each kind, for a test or a benchmark, which is skipped
// where there is no server to start.
var databases = []struct {
	name string
	open func(testing.TB) *bench.Database
}{{"SQLite", openSQLite}, {"PostgreSQL", openPostgres}, {"MariaDB", openMariaDB}}

func openPostgres(t testing.TB) *bench.Database {
	t.Helper()
	s, err := postgres.Start(t.Context())
	need(t, err)
	stop(t, s.Stop)
	return pool(t)(bench.OpenPostgres(s))
}

func openMariaDB(t testing.TB) *bench.Database {
	t.Helper()
	s, err := mariadb.Start(t.Context())
	need(t, err)
	stop(t, s.Stop)
	return pool(t)(bench.OpenMariaDB(t.Context(), s))
}

func openSQLite(t testing.TB) *bench.Database {
	t.Helper()
	return pool(t)(bench.OpenSQLite(t.TempDir()))
}

// need ends the test if a server could not be started.
func need(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, server.ErrMissing) && os.Getenv("TWOFACTOR_REQUIRE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func stop(t testing.TB, f func() error) {
	t.Cleanup(func() {
		if err := f(); err != nil {
			t.Error(err)
		}
	})
}

// pool closes the database with the test.
func pool(t testing.TB) func(*bench.Database, error) *bench.Database {
	return func(d *bench.Database, err error) *bench.Database {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d.SetPool(8)
		t.Cleanup(func() { d.DB.Close() })
		return d
	}
}
