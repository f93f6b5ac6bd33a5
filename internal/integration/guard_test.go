package integration_test

import (
	"os"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestGuard runs the proofs of enrollment.Guard on every database. In a Galera cluster, each
// call of the store goes to another node; that takes long.
func TestGuard(t *testing.T) {
	backends := testenv.Stores()
	if os.Getenv(suite.All) == "1" {
		c := testenv.Galera(t)
		backends = append(backends, testenv.Backend{Name: "Galera", Open: func(t testing.TB) store.Store {
			return &balanced{nodes: fulls(testenv.GaleraStores(t, c, testenv.Waiting))}
		}})
	}
	for _, b := range backends {
		t.Run(b.Name, func(t *testing.T) {
			suite.Run(t, func(t *testing.T) store.Store { return b.Open(t) })
		})
	}
}
