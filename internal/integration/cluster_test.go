package integration_test

import (
	"os"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestCluster kills a master of a Redis cluster in the middle of sign-ins, setups and
// guesses, and counts what is lost. WAIT narrows the gap; with a single replica for each
// master, no other one can be chosen.
func TestCluster(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"with WAIT": 1, "without WAIT": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if replicas == 0 && os.Getenv(siegeFor) == "" {
				t.Skipf("what it loses is measured with %s", siegeFor)
			}
			what := "Redis cluster, " + name
			cluster, s := testenv.RedisCluster(t, replicas)
			beaten(t, what, s, cluster.FailOver)
			y := tallied(t, what, s, cluster.FailOver, 0)
			if replicas > 0 && y.Lost > 0 {
				t.Error("the only replica has lost a write that it had confirmed")
			}
		})
	}
}

// TestClusterContract holds the store on a cluster against the contract. Its cases share
// the cluster and differ in their prefix.
func TestClusterContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return testenv.RedisInCluster(t) })
}
