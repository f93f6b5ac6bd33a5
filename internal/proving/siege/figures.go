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
	Took     time.Duration
	Strikes  int
	Calls    int64 // of the store
	Accepted int   // codes

	// Wrong is what came out that must not be.
	Wrong []string
}

// String returns the figures as the cells of a table.
func (f Figures) String() string {
	lost := "nothing"
	if n := len(f.Wrong); n > 0 {
		lost = fmt.Sprintf("%d findings", n)
	}
	return fmt.Sprintf("%v | %d | %d | %d | %s", f.Took.Round(time.Second), f.Strikes, f.Calls, f.Accepted, lost)
}

// Nodes are the stores of the nodes of a siege, all on one database.
type Nodes [3]proving.Full

// Open calls open for each node. It opens the database as a process does, with a pool of
// its own.
func Open(open func() proving.Full) (stores Nodes) {
	for i := range stores {
		stores[i] = open()
	}
	return stores
}

// Run besieges accounts in an empty database, and fails the test if something comes out
// that must not be. In every other round it calls strike in the middle, from one of the
// calls of a store: it kills the database, which comes back by itself.
func Run(t *testing.T, stores Nodes, strike func(), l Length) Figures {
	t.Helper()
	f := Find(t, stores, strike, l)
	if len(f.Wrong) > 0 {
		t.Error(strings.Join(f.Wrong, "\n"))
	}
	return f
}

// Find is Run for a database that may lose what it has acknowledged. The caller looks at
// what came out that must not be.
func Find(t *testing.T, stores Nodes, strike func(), l Length) Figures {
	t.Helper()
	return newSiege(t, stores, strike).besiege(t, l)
}
