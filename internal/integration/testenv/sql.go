package testenv

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Dialects are those of the databases that tests can open.
var Dialects = []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL}

// SQL returns the data source name of a fresh and empty database without a table.
func SQL(t testing.TB, d sqlstore.Dialect) string {
	t.Helper()
	switch d {
	case sqlstore.SQLite:
		return SQLiteDSN(SQLiteFile(t))
	case sqlstore.PostgreSQL:
		return PostgresDSN(t)
	case sqlstore.MySQL:
		return MariaDBDSN(t)
	}
	t.Fatalf("no database for %v", d)
	return ""
}

// OpenSQL opens a pool by a data source name of SQL. It is closed with the test.
func OpenSQL(t testing.TB, d sqlstore.Dialect, dsn string) *sql.DB {
	t.Helper()
	return openPool(t, Driver(d), dsn)
}

// Driver returns the name of the dialect's driver.
func Driver(d sqlstore.Dialect) string {
	switch d {
	case sqlstore.SQLite:
		return "sqlite"
	case sqlstore.PostgreSQL:
		return "pgx"
	case sqlstore.MySQL:
		return "mysql"
	}
	panic(fmt.Sprintf("no driver for %v", d))
}

// ParseDialect returns the dialect with that name.
func ParseDialect(name string) (sqlstore.Dialect, error) {
	for _, d := range Dialects {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("no dialect %q", name)
}
