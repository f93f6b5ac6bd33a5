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
}

// over reports whether a siege that began then has had its rounds and its time.
func (l Length) over(rounds int, began time.Time) bool {
	return rounds >= l.Rounds && time.Since(began) >= l.Time
}

// Figures are what happened in a siege.
type Figures struct {
	Strikes  int
	Calls    int64 // of the store
	Accepted int   // codes
	Faults   int   // requests without an answer

	// Wrong is what came out that must not be.
	Wrong []string
}

// String returns the figures as the cells of a table.
func (f Figures) String() string {
	lost := "nothing"
	if n := len(f.Wrong); n > 0 {
		lost = fmt.Sprintf("%d findings", n)
	}
	return fmt.Sprintf("%d | %d | %d | %s", f.Strikes, f.Calls, f.Accepted, lost)
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
// that must not be. In every other round it calls strike in the middle, from one of the
// calls of a store: it kills the database or a node, which comes back by itself.
func Run(t *testing.T, start Starter, strike func(), l Length) Figures {
	t.Helper()
	f := Find(t, start, strike, l)
	if len(f.Wrong) > 0 {
		t.Error(strings.Join(f.Wrong, "\n"))
	}
	return f
}

// Find is Run for a database that may lose what it has acknowledged. The caller looks at
// what came out that must not be.
func Find(t *testing.T, start Starter, strike func(), l Length) Figures {
	t.Helper()
	return newSiege(t, start, strike).besiege(t, l)
}
