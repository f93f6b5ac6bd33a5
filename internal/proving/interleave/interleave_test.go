package interleave

import (
	"flag"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

var (
	all  = flag.Bool("interleave.all", false, "interleave everything, also with faults")
	only = flag.String("interleave.only", "", "interleave only what has this `part` in its name")
	play = flag.String("interleave.play", "", "play this `schedule` alone")
)

func walk(t *testing.T, o Options) {
	t.Helper()
	t.Parallel()
	o.Only, o.Play = *only, *play
	t.Logf("%d schedules", Walk(t, proving.Memory, o))
}

// Every order of the calls of two operations.
func TestPairs(t *testing.T) {
	walk(t, Options{Processes: 2, Core: testing.Short() && !*all})
}

// The same while one call fails or one process dies.
func TestPairsWithFault(t *testing.T) {
	if testing.Short() {
		t.Skip("many schedules")
	}
	walk(t, Options{Processes: 2, Faults: true, Core: !*all})
}

// Every order of the calls of three.
func TestTriples(t *testing.T) {
	if !*all {
		t.Skip("only with -interleave.all")
	}
	walk(t, Options{Processes: 3})
}
