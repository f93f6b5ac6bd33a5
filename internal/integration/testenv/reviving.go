package testenv

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/mariadb"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/postgres"
)

// PostgresReviving starts a server for this test alone, with more options. It returns the
// data source name of a database there, and what kills the server, which then comes back.
func PostgresReviving(t testing.TB, options ...string) (dsn string, kill func() error) {
	t.Helper()
	s, err := postgres.StartReviving(t.Context(), options...)
	needServer(t, "PostgreSQL", err)
	stopped(t, s.Stop, s.Log)
	return s.DSN, s.Kill
}

// PostgresPair starts a primary and a standby for this test alone.
func PostgresPair(t testing.TB, synchronous bool) *postgres.Pair {
	t.Helper()
	p, err := postgres.StartPair(t.Context(), synchronous)
	needServer(t, "PostgreSQL", err)
	stopped(t, p.Stop, p.Log)
	return p
}

// MariaDBPair is PostgresPair with MariaDB.
func MariaDBPair(t testing.TB, w mariadb.Waiting) *mariadb.Pair {
	t.Helper()
	p, err := mariadb.StartPair(t.Context(), w)
	needServer(t, "MariaDB", err)
	stopped(t, p.Stop, p.Log)
	return p
}

// MariaDBReviving is PostgresReviving with MariaDB.
func MariaDBReviving(t testing.TB, options ...string) (dsn string, kill func() error) {
	t.Helper()
	s, err := mariadb.StartReviving(t.Context(), options...)
	needServer(t, "MariaDB", err)
	stopped(t, s.Stop, s.Log)
	return databaseOf(t, s), s.Kill
}

// stopped stops the server with the test, and shows its log if the test has failed.
func stopped(t testing.TB, stop func() error, log func() string) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", log())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
