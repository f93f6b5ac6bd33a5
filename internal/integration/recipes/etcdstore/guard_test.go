package etcdstore_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// lone returns an empty store on one node.
func lone(t *testing.T) store.Store {
	t.Helper()
	_, s := open(t, newPrefix(), one.start(t, 1).nodes...)
	return s
}

// TestGuard runs the proofs of enrollment.Guard. Each call of the store is agreed on by
// three nodes. That takes so long that it is left to the proofs of everything.
func TestGuard(t *testing.T) {
	proving.OnlyWithAll(t)
	suite.RunWalking(t, fresh, lone)
}
