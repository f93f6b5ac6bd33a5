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

// TestGuard runs the proofs of enrollment.Guard at one node. They take so long that they are
// left to the proofs of everything.
func TestGuard(t *testing.T) {
	proving.OnlyWithAll(t)
	suite.Run(t, lone)
}

// TestGuardOfThree runs them at nodes that agree on each call of the store.
func TestGuardOfThree(t *testing.T) {
	proving.OnlyWithAll(t)
	suite.Run(t, fresh)
}
