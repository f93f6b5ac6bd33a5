package siege

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A Length says how long a siege takes: so many rounds at least, and so much time at
// least.
type Length struct {
	Rounds int
	Time   time.Duration

	// Ready, if it is not nil, is called before each round with a strike, and returns when
	// strike has nothing to wait for.
	Ready func()
}

// over reports whether a siege that began then has had its rounds and its time.
func (l Length) over(rounds int, began time.Time) bool {
	return rounds >= l.Rounds && time.Since(began) >= l.Time
}

// Figures are what happened in a siege.
type Figures struct {
	Strikes  int
	Answered int   // requests
	Faults   int   // requests without an answer
	Calls    int64 // of the store
	Accepted int   // codes

	// Wrong is what came out that must not be.
	Wrong []Finding

	// Broken is what the siege itself has missed, whatever the database may lose: it was
	// given up, or has not tried everything.
	Broken []string
}

// Of returns how many findings are of a kind.
func (f Figures) Of(kind Kind) (n int) {
	for _, x := range f.Wrong {
		if x.Kind == kind {
			n++
		}
	}
	return n
}

// lost returns the findings, counted by their kind.
func (f Figures) lost() string {
	var all []string
	for _, k := range kinds {
		if n := f.Of(k); n > 0 {
			all = append(all, fmt.Sprintf("%s: %d", k, n))
		}
	}
	if len(all) == 0 {
		all = append(all, "nothing")
	}
	if len(f.Broken) > 0 {
		all = append(all, "and the siege is void")
	}
	return strings.Join(all, ", ")
}

// String returns the figures as the cells of a table.
func (f Figures) String() string {
	return fmt.Sprintf("%d | %d | %d | %d | %s", f.Strikes, f.Answered, f.Calls, f.Accepted, f.lost())
}

// Findings returns what must not be, in a line each.
func (f Figures) Findings() string { return lines(f.Wrong) }

func lines[T any](all []T) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

// Stores are those of the nodes of a siege, all on one database.
type Stores [len(Nodes{})]proving.Full

// Open calls open for each node. It opens the database as a process does, with a pool of
// its own.
func Open(open func() proving.Full) (stores Stores) {
	for i := range stores {
		stores[i] = open()
	}
	return stores
}

// Start is a [Starter] of nodes in this process.
func (stores Stores) Start(t *testing.T, e Ears) (nodes Nodes) {
	t.Helper()
	for i, s := range stores {
		h, err := NewHost(s, e)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = h.Do
	}
	return nodes
}

// Run besieges accounts in an empty database, and fails the test if something comes out
// that must not be. In every other round it calls strike in the middle: before a call of a
// store is carried out, or once one was acknowledged. If too few calls come, it does so when
// the requests of the round have their answers. Strike kills the database or a node,
// which comes back by itself. One that fails the test is the last one, and ends the siege.
func Run(t *testing.T, start Starter, strike func(), l Length) Figures {
	t.Helper()
	f := Find(t, start, strike, l)
	if len(f.Wrong) > 0 {
		t.Error(f.Findings())
	}
	return f
}

// Find is Run for a database that may lose what it has acknowledged. The caller looks at
// what came out that must not be. If the siege itself has failed, so does the test.
func Find(t *testing.T, start Starter, strike func(), l Length) Figures {
	t.Helper()
	f := newSiege(t, start, strike).besiege(t, l)
	if len(f.Broken) > 0 {
		t.Error(lines(f.Broken))
	}
	return f
}
