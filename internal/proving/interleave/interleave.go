// Package interleave runs operations of several processes on one account in
// every order that their calls of the store can come in, and lets one of these
// calls fail, lose its reply, come after its caller gave up, end in a false conflict,
// or be the last one of its process. What the processes were told, and what the
// account is afterwards, must be possible one operation after the other: a code is
// accepted once, each wrong code is counted, no change that was acknowledged is lost,
// and each event is told.
//
// The orders are not drawn but walked, depth first. Each process has a [Guard] of
// its own, so that nothing but the store keeps them apart. One process runs at a
// time, up to its next call of the store, so a schedule can be played again: it
// is the list of the choices that were made; see [Play]. Two calls that come out
// the same in either order, such as two loads or calls about two user ids, are
// walked in one order. So are a call and one that fails without having done
// anything. If several schedules come to the same, in what is stored or on its way there,
// what each process knows and what the owners were told, only the first goes on; see
// [moment].
// About 22,000 schedules of two operations come to their end, 417,000 with a fault,
// 3,000 of three, and 16,000 of three with a fault. The tests print the numbers with -v, and
// walk everything with TWOFACTOR_PROVE_ALL=1.
//
// The operations of each state stand beside each other, and those of different states in an
// account that has all at once. They stand beside what can come at any time, beside a change
// of the key by a node that has the new one already, and beside [enrollment.Admin.Move]. A
// move that came to no answer is called again at the end, as its documentation says, and
// what was there before is judged as well. A code that works under two user ids is a
// failure, whatever explains it. A Sweep may leave an account that is being moved to the
// next one. [enrollment.Admin.EraseUnreadable] is in no scene: it leaves every account alone
// that opens, and on one that does not, only Erase works.
//
// What the outcome is held against is the same Guard, whose operations are run
// alone. That they do the right thing alone is what the other proofs are for.
//
// [Guard]: enrollment.Guard
package interleave

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Options say what is walked.
type Options struct {
	// Processes is how many operations run at once. More than two are of those alone
	// that write once at most; with Faults, of those in triples.go.
	Processes int

	// Faults says that in each schedule one call fails or one process dies, as well
	// as none.
	Faults bool

	// Core leaves out what neither spends nor counts anything.
	Core bool

	// Play is a schedule to play alone, as a failure has named it. It is of one
	// combination, with Faults as they were. If it is empty, it is that of [Play].
	Play string
}

// Play is the environment variable with [Options.Play], over every kind of store. A failure
// prints the command with it.
const Play = "TWOFACTOR_INTERLEAVE_PLAY"

// Walk plays every schedule of every combination of operations, over stores from
// open, and returns how many that were. Several combinations are walked at once, as
// parallel tests, of several scenes: the longest one takes as long as many others. If there
// were none, the test fails if one was to be played, and is skipped otherwise.
func Walk(t *testing.T, open proving.Open, o Options) (schedules int) {
	t.Helper()
	if fips.Enforced() {
		t.Skip("the states are for SHA-1")
	}
	o.Play = cmp.Or(o.Play, os.Getenv(Play))
	var all atomic.Int64
	combinations, scenes := 0, scenes()
	for _, s := range scenes {
		combinations += len(s.combinations(o))
	}
	t.Run("scenes", func(t *testing.T) {
		for _, s := range slices.Backward(scenes) { // moves, which take longest, are the last
			t.Run(s.title(), func(t *testing.T) {
				t.Parallel()
				from, known := states.New(t, s.state, recovery.Fast), newNotes()
				for _, ops := range s.combinations(o) {
					t.Run(nameOf(ops), func(t *testing.T) {
						t.Parallel()
						n, err := newRig(t, open, nil, from, s, ops, known).walk(o)
						if all.Add(int64(n)); err != nil {
							t.Errorf("%v\n\nTo play it alone: %s", err, again(t.Name(), o.Play, err))
						}
					})
				}
			})
		}
	})
	switch schedules = int(all.Load()); {
	case combinations == 0:
		t.Error("there is no combination")
	case schedules == 0 && o.Play != "":
		t.Errorf("no combination was chosen to play %s", o.Play)
	case schedules == 0:
		t.Skip("no combination was chosen")
	}
	return schedules
}

// again is the command that plays the schedule which has failed in that test, or the one that
// was played.
func again(test, played string, err error) string {
	if f := (*failure)(nil); errors.As(err, &f) {
		played = f.schedule
	}
	folder, err := os.Getwd()
	if err != nil {
		folder = "."
	}
	command := fmt.Sprintf("%s=%s go -C %s test -run '%s' .", Play, played, folder, only(test))
	for _, name := range []string{proving.ProveAll, "GOWORK"} { // what decides whether there is such a test
		if value := os.Getenv(name); value != "" {
			command = name + "=" + value + " " + command
		}
	}
	return command
}

// only is the -run that chooses the test of that name alone.
func only(name string) string {
	return "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
}
