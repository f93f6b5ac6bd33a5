package testenv

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
)

// PostgresDB returns a pool on the server whose search_path is a schema of its
// own. It is closed with the test.
func PostgresDB(t testing.TB) *sql.DB {
	t.Helper()
	return OpenPostgres(t, PostgresDSN(t))
}

// OpenPostgres opens a pool by a data source name of PostgresDSN, to which
// more may have been appended. It is closed with the test.
func OpenPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	return openPool(t, "pgx", dsn)
}

// schemas counts the schemas that PostgresDSN has made.
var schemas atomic.Int64

// PostgresDSN makes a schema and returns the data source name, in the form of
// keys and values, that has it as its search_path. Other processes of the test
// can use it too. It starts the server if that does not run yet.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	server := startPostgres(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", server.Log())
		}
	})
	return PostgresSchema(t, server.DSN)
}

// PostgresSchema makes a schema at the server that the DSN leads to, and returns a DSN of it.
func PostgresSchema(t testing.TB, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := fmt.Sprintf("test_%d", schemas.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("creating a schema: %v", err)
	}
	return dsn + " search_path=" + schema
}

// PostgresURL is PostgresDSN in the form of an address.
func PostgresURL(t testing.TB) string {
	t.Helper()
	query := url.Values{}
	for pair := range strings.FieldsSeq(PostgresDSN(t)) {
		key, value, _ := strings.Cut(pair, "=")
		query.Set(key, value)
	}
	return "postgres:///?" + query.Encode()
}

// thePostgres starts the server of this test binary.
var thePostgres = shared(postgres.Start)

// startPostgres starts the server at the first call, and ends the test if
// that is not possible.
func startPostgres(t testing.TB) *postgres.Server {
	t.Helper()
	server, err := thePostgres()
	needServer(t, "PostgreSQL", err)
	return server
}
