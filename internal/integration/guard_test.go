package integration_test

import (
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
}
