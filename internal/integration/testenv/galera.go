package testenv

import (
	"database/sql"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Galera starts a cluster for this test alone.
func Galera(t testing.TB, options ...string) *galera.Cluster {
	t.Helper()
	c, err := galera.Start(t.Context(), options...)
	needServer(t, "Galera", err)
	stopped(t, c.Stop, c.Log)
	return c
}

// GaleraOpener makes a database and returns what opens a store at each node of the cluster,
// with a pool of its own. Their data source names end with params, which may be unsafe.
func GaleraOpener(t testing.TB, c *galera.Cluster, params string) func() []*sqlstore.Store {
	t.Helper()
	name := newDatabase(t, c.DSN(0, ""))
	for i := range galera.Nodes {
		arrived(t, c.DSN(i, name))
	}
	return func() (all []*sqlstore.Store) {
		t.Helper()
		for i := range galera.Nodes {
			open := func(params string) *sql.DB { return openPool(t, "mysql", c.DSN(i, name)+params) }
			s := migrated(t, open(galera.Waiting), sqlstore.MySQL)
			if params != galera.Waiting {
				s = sqlstore.New(open(params), sqlstore.MySQL)
			}
			all = append(all, s)
		}
		return all
	}
}

// arrived waits until the node has a database that was created at another one: it refuses
// connections to it before, whatever wsrep_sync_wait is.
func arrived(t testing.TB, dsn string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := server.Until(t.Context(), func() error { return db.PingContext(t.Context()) }); err != nil {
		t.Fatalf("waiting for a new database: %v", err)
	}
}

// GaleraStores opens stores on a new database once.
func GaleraStores(t testing.TB, c *galera.Cluster, params string) []*sqlstore.Store {
	t.Helper()
	return GaleraOpener(t, c, params)()
}
