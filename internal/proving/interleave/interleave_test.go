package interleave

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

func walk(t *testing.T, o Options) {
	t.Helper()
	t.Parallel()
	t.Logf("%d schedules", Walk(t, proving.Memory, o))
}

// Every order of the calls of two operations.
func TestPairs(t *testing.T) {
	walk(t, Options{Processes: 2, Core: testing.Short() && !proving.All()})
}

// The same while one call fails or one process dies.
func TestPairsWithFault(t *testing.T) {
	if testing.Short() || underRace && !proving.All() {
		t.Skip("many schedules")
	}
	walk(t, Options{Processes: 2, Faults: true, Core: !proving.All()})
}

// Every order of the calls of three.
func TestTriples(t *testing.T) {
	proving.OnlyWithAll(t)
	walk(t, Options{Processes: 3})
}

// The same of those that matter, while one call fails or one process dies.
func TestTriplesWithFault(t *testing.T) {
	proving.OnlyWithAll(t)
	walk(t, Options{Processes: 3, Faults: true})
}

// What the environment names is played alone, over every kind of store.
func TestPlayOfTheEnvironment(t *testing.T) {
	t.Setenv(Play, "0")
	core, o := 0, Options{Processes: 2, Core: true}
	for _, s := range scenes() {
		core += len(s.combinations(o))
	}
	if n := Walk(t, proving.Memory, o); n != core {
		t.Errorf("%d schedules were played, want one of each of %d combinations", n, core)
	}
	// A name that is out of date must not look like a success.
	out, err := exec.Command(os.Args[0], "-test.run", "^TestPairs$/^scenes$/^gone$").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no combination was chosen to play 0") {
		t.Errorf("without a combination: %v\n%s", err, out)
	}
}
