package integration_test

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/cases"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/features"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/model"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/races"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestGuard runs the proofs of enrollment.Guard on every database.
func TestGuard(t *testing.T) {
	for _, b := range testenv.Stores() {
		open := func(t *testing.T) store.Store { return b.Open(t) }
		t.Run(b.Name, func(t *testing.T) {
			proving.Run(t, open, slices.Concat(cases.Tests, races.Tests, features.Tests))
		})
		t.Run(b.Name+"/model", func(t *testing.T) {
			t.Parallel()
			model.Agree(t, open, model.Options{First: 1, Sequences: 20, Steps: 40})
		})
	}
}
