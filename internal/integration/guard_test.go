package integration_test

import (
	"os"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestGuard runs the proofs of enrollment.Guard on every database.
func TestGuard(t *testing.T) {
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			suite.Run(t, func(t *testing.T) store.Store { return b.Open(t) })
		})
	}
}

// TestGuardElsewhere runs most of them on clusters, through other drivers, and on the stores
// to be copied. That takes so long that it is left to the proofs of everything.
func TestGuardElsewhere(t *testing.T) {
	if os.Getenv(suite.All) != "1" {
		t.Skipf("only with %s=1", suite.All)
	}
	t.Run("Redis cluster", func(t *testing.T) {
		suite.RunShort(t, func(t *testing.T) store.Store { return testenv.RedisInCluster(t) })
	})
	t.Run("Galera", func(t *testing.T) { // each call of the store goes to another node
		c := testenv.Galera(t)
		suite.RunShort(t, func(t *testing.T) store.Store {
			return &balanced{nodes: fulls(testenv.GaleraStores(t, c, testenv.Waiting))}
		})
	})
	elsewhere := make(map[string]proving.Open)
	for _, c := range connections {
		elsewhere[c.name] = func(t *testing.T) store.Store { return migrated(t, sqlstore.New(c.open(t), c.dialect)) }
	}
	for name, open := range recipes {
		elsewhere["the recipe for "+name] = func(t *testing.T) store.Store { return open(t, testenv.PostgresDSN(t)) }
	}
	for name, open := range elsewhere {
		t.Run(name, func(t *testing.T) { suite.RunShort(t, open) })
	}
}
