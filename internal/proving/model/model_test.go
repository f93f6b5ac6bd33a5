package model_test

import (
	"flag"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/model"
)

var (
	seed      = flag.Uint64("model.seed", 0, "run only the sequence of this `seed`")
	sequences = flag.Int("model.sequences", 3000, "how many random sequences to run; a tenth with -short and under the race detector")
	first     = flag.Uint64("model.first", 1, "the `seed` of the first sequence")
	steps     = flag.Int("model.steps", 40, "how many operations a sequence has")
	tally     = flag.Bool("model.tally", false, "print how often each operation ended how")
)

func TestGuardAgreesWithModel(t *testing.T) {
	t.Parallel()
	o := model.Options{First: *first, Sequences: *sequences, Steps: *steps, Complete: *sequences >= 3000, Tally: *tally}
	if testing.Short() || underRace {
		o.Sequences, o.Complete = o.Sequences/10, false
	}
	if *seed != 0 {
		o.First, o.Sequences, o.Complete = *seed, 1, false
	}
	model.Agree(t, proving.Memory, o)
}

func TestAll(t *testing.T) {
	t.Parallel()
	proving.Run(t, proving.Memory, model.Tests)
}
