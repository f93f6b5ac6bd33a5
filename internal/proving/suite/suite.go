// Package suite runs the proofs of a Guard over one kind of store.
package suite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/cases"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/faults"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/features"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/interleave"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/model"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/races"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// Run runs the proofs over stores from open. Unless [proving.All] says so, it does what
// [RunShort] does. The test that calls Run must not be parallel.
func Run(t *testing.T, open proving.Open) {
	t.Helper()
	run(t, open, proving.All())
}

// RunShort is Run without the proofs for which the store makes no difference, without most
// faults, cells of tables and sequences of the model, and without every order of the
// store's calls. It is for a store that takes long for each call.
func RunShort(t *testing.T, open proving.Open) {
	t.Helper()
	run(t, open, false)
}

func run(t *testing.T, open proving.Open, all bool) {
	t.Helper()
	chosen := tests()
	if !all {
		chosen = few(chosen)
	}
	proving.Run(t, open, chosen)
	sequences := 20
	if all {
		sequences = 200
		t.Run("interleave", func(t *testing.T) {
			t.Parallel()
			n := interleave.Walk(t, open, interleave.Options{Processes: 2, Faults: true, Core: true})
			t.Logf("%d schedules", n)
		})
	}
	const atOnce = 20 // in one test, so that a store that is slow has several of them at a time
	for first := 1; first <= sequences; first += atOnce {
		t.Run(fmt.Sprintf("model/%d", first), func(t *testing.T) {
			t.Parallel()
			model.Agree(t, open, model.Options{First: uint64(first), Sequences: atOnce, Steps: 40})
		})
	}
}

func tests() []proving.Test {
	return slices.Concat(cases.Tests, races.Tests, features.Tests, states.Tests, faults.Tests, model.Tests)
}

// few returns the tests as they are for a store that takes long.
func few(all []proving.Test) (tests []proving.Test) {
	for _, x := range all {
		if x.Few != nil {
			x.Run = x.Few
		}
		if !x.Once {
			tests = append(tests, x)
		}
	}
	return tests
}
