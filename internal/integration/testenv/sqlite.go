package testenv

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

// SQLiteFile returns the path of a database file that does not exist yet, in a
// folder that is removed with the test.
func SQLiteFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "accounts.db")
}

// SQLiteDSN returns the data source name of the file with the settings that
// package sqlstore asks for.
func SQLiteDSN(path string) string {
	return "file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}

// OpenSQLite opens the file by SQLiteDSN. The pool is closed with the test.
func OpenSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	return openPool(t, "sqlite", SQLiteDSN(path))
}

// poolSize bounds the connections of one pool, as a host does.
const poolSize = 16

// OpenDriver opens a pool by the driver of that name. It is closed with the test.
func OpenDriver(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	return openPool(t, driver, dsn)
}

func openPool(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("opening %s: %v", driver, err)
	}
	return pooled(t, db, driver)
}

// pooled bounds the pool. It is closed with the test.
func pooled(t testing.TB, db *sql.DB, driver string) *sql.DB {
	t.Helper()
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	t.Cleanup(func() {
		db.SetMaxIdleConns(0) // the server of an idle one may have been killed
		if err := db.Close(); err != nil {
			t.Errorf("closing %s: %v", driver, err)
		}
	})
	return db
}
