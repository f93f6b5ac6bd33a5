package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// The driver would tell of each connection that breaks. Its logger is a variable that it
// reads without a lock, so it is set before any test runs.
func init() {
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		panic(err)
	}
}

// MariaDBDSN makes a database and returns its data source name. Parameters can
// be appended with a question mark, and other processes of the test can use it
// too. It starts the server if that does not run yet.
func MariaDBDSN(t testing.TB) string {
	t.Helper()
	s := startMariaDB(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", s.Log())
		}
	})
	return databaseOf(t, s)
}

// OpenMariaDB opens a pool by a data source name of MariaDBDSN. It is closed with
// the test.
func OpenMariaDB(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	return openPool(t, "mysql", dsn)
}

// MariaDBWith starts a server for this test alone, with more options, and returns
// the data source name of a database there.
func MariaDBWith(t testing.TB, options ...string) string {
	t.Helper()
	s, err := mariadb.Start(t.Context(), options...)
	needServer(t, "MariaDB", err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return databaseOf(t, s)
}

// databases counts the databases that newDatabase has made.
var databases atomic.Int64

func databaseOf(t testing.TB, s *mariadb.Server) string {
	t.Helper()
	return s.DSN(newDatabase(t, s.DSN("")))
}

// MariaDBDatabase makes a database at the server that the DSN leads to, and returns a DSN of it.
func MariaDBDatabase(t testing.TB, dsn string) string {
	t.Helper()
	return dsn[:strings.LastIndex(dsn, "/")+1] + newDatabase(t, dsn)
}

// newDatabase makes a database at the server, and returns its name. It uses a connection
// of its own, because one that was made outside of a bubble of synctest can't be used
// inside.
func newDatabase(t testing.TB, dsn string) (name string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name = fmt.Sprintf("test_%d", databases.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	return name
}

// theMariaDB starts the server of this test binary.
var theMariaDB = shared(func(ctx context.Context) (*mariadb.Server, error) { return mariadb.Start(ctx) })

// startMariaDB starts the server at the first call, and ends the test if that is
// not possible.
func startMariaDB(t testing.TB) *mariadb.Server {
	t.Helper()
	s, err := theMariaDB()
	needServer(t, "MariaDB", err)
	return s
}

// needServer ends the test if a server could not be started: as Missing does if
// it is not there.
func needServer(t testing.TB, name string, err error) {
	t.Helper()
	switch {
	case errors.Is(err, server.ErrMissing):
		Missing(t, name+": "+err.Error())
	case err != nil:
		t.Fatalf("starting %s: %v", name, err)
	}
}
