package integration_test

import (
	"database/sql"
	"testing"

	_ "github.com/lib/pq"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/embed"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// A connection is a way in which a host may reach its database.
type connection struct {
	name    string
	dialect sqlstore.Dialect
	open    func(t *testing.T) *sql.DB
}

// connections are those that the documentation of sqlstore names, besides those
// that all other tests use.
var connections = []connection{
	{"pgx, cached descriptions", sqlstore.PostgreSQL, pgxWith("default_query_exec_mode=cache_describe")},
	{"pgx, descriptions", sqlstore.PostgreSQL, pgxWith("default_query_exec_mode=describe_exec")},
	{"pgx, unprepared", sqlstore.PostgreSQL, pgxWith("default_query_exec_mode=exec")},
	{"pgx, simple protocol", sqlstore.PostgreSQL, pgxWith("default_query_exec_mode=simple_protocol")},
	{"lib pq", sqlstore.PostgreSQL, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "postgres", testenv.PostgresDSN(t))
	}},
	{"lib pq, binary parameters", sqlstore.PostgreSQL, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "postgres", testenv.PostgresDSN(t)+" binary_parameters=yes")
	}},
	{"PgBouncer, pgx", sqlstore.PostgreSQL, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "pgx", testenv.PgBouncerDSN(t)+" default_query_exec_mode=exec")
	}},
	{"PgBouncer, pgx, simple protocol", sqlstore.PostgreSQL, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "pgx", testenv.PgBouncerDSN(t)+" default_query_exec_mode=simple_protocol")
	}},
	{"PgBouncer, lib pq", sqlstore.PostgreSQL, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "postgres", testenv.PgBouncerDSN(t)+" binary_parameters=yes")
	}},
	{"ncruces", sqlstore.SQLite, func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "sqlite3", testenv.SQLiteDSN(testenv.SQLiteFile(t)))
	}},
}

func pgxWith(setting string) func(t *testing.T) *sql.DB {
	return func(t *testing.T) *sql.DB {
		return testenv.OpenDriver(t, "pgx", testenv.PostgresDSN(t)+" "+setting)
	}
}

// TestConnections holds the store against the contract over other drivers, and
// behind a real PgBouncer that changes the server's connection between transactions.
func TestConnections(t *testing.T) {
	t.Parallel()
	for _, c := range connections {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store {
				return migrated(t, sqlstore.New(c.open(t), c.dialect))
			})
		})
	}
}
