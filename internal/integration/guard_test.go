package integration_test

import (
	"os"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestGuard runs the proofs of enrollment.Guard on every database.
func TestGuard(t *testing.T) {
	for _, b := range testenv.Stores() {
		t.Run(b.Name, func(t *testing.T) {
			suite.Run(t, func(t *testing.T) store.Store { return b.Open(t) })
		})
	}
	// Each call of the store goes to another node. That takes so long that it is left to
	// the proofs of everything.
	t.Run("Galera", func(t *testing.T) {
		if os.Getenv(suite.All) != "1" {
			t.Skipf("only with %s=1", suite.All)
		}
		c := testenv.Galera(t)
		suite.RunShort(t, func(t *testing.T) store.Store {
			return &balanced{nodes: fulls(testenv.GaleraStores(t, c, testenv.Waiting))}
		})
	})
}
