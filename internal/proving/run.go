package proving

import (
	"fmt"
	"hash/fnv"
	"os"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// Open returns a fresh, empty store, which also lists and erases.
type Open func(t *testing.T) store.Store

// Memory opens a memory store.
func Memory(*testing.T) store.Store { return memory.New() }

// A Test is a test that can be run over any store.
type Test struct {
	Name string
	Run  func(t *testing.T, open Open)

	// Alone says that the test counts what the whole process does, and runs
	// while no other does.
	Alone bool

	// Once says that the store makes no difference: the test is about something
	// else, or brings a store of its own.
	Once bool

	// Few is Run with a part of what it tries, for a test that tries thousands of
	// things. With nil it tries few anyway.
	Few func(t *testing.T, open Open)
}

// A Share is one in so many of the things that a test tries. A hash of the name of the thing
// and of the package under test chooses them. The name of a thing begins with that of the test,
// so that other stores get others.
type Share uint32

// The shares of what a test tries.
const (
	Every Share = 1
	Some  Share = 8 // of a test that tries fewer than a hundred things
	Few   Share = 32
)

// Has reports whether that is one of them.
func (s Share) Has(name ...any) bool {
	h := fnv.New32a()
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprint(h, info.Path)
	}
	fmt.Fprint(h, name...)
	return h.Sum32()%uint32(s) == 0
}

// Of returns an Open that skips the tests whose names are not of the share.
func (s Share) Of(open Open) Open {
	return func(t *testing.T) store.Store {
		t.Helper()
		if !s.Has(t.Name()) {
			t.Skip("one of many, and not of the few that are chosen")
		}
		return open(t)
	}
}

// Run runs the tests at the same time, but for those that run alone. The test
// that calls it must not be parallel to others if one of them does.
func Run(t *testing.T, open Open, tests []Test) {
	t.Helper()
	for _, x := range tests {
		t.Run(x.Name, func(t *testing.T) {
			if !x.Alone {
				t.Parallel()
			}
			x.Run(t, open)
		})
	}
}

// ProveAll is the environment variable that, set to 1, has everything run.
const ProveAll = "TWOFACTOR_PROVE_ALL"

// All reports whether everything is to be run, and not only what .ci/run has time for.
func All() bool { return os.Getenv(ProveAll) == "1" }

// OnlyWithAll skips the test unless [All].
func OnlyWithAll(t *testing.T) {
	t.Helper()
	if !All() {
		t.Skipf("only with %s=1", ProveAll)
	}
}

// Together calls f n times at once, and returns how often each outcome came.
func Together(n int, f func(i int) error) map[enrollment.Reason]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	outcomes := make(map[enrollment.Reason]int)
	for i := range n {
		all.Go(func() {
			r := ReasonOf(f(i))
			mu.Lock()
			defer mu.Unlock()
			outcomes[r]++
		})
	}
	all.Wait()
	return outcomes
}

// Schemes runs a test for both kinds of recovery codes.
func Schemes(t *testing.T, f func(t *testing.T, scheme func(*enrollment.Config), count int)) {
	for _, s := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			count := recovery.DefaultCount
			if s == recovery.Argon2id {
				count = recovery.MinCount // each takes a while
			}
			f(t, func(c *enrollment.Config) { c.RecoveryScheme, c.RecoveryCodes = s, count }, count)
		})
	}
}
