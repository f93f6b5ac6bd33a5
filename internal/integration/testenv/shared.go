package testenv

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

// stops end what the tests of this binary share.
var stops struct {
	mu  sync.Mutex
	all []func() error
}

// shared returns what starts a server at the first call, for all tests of this binary. It runs
// until [Run] stops it, or else until the binary ends, in whatever way.
func shared[S interface{ Stop() error }](start func(context.Context) (S, error)) func() (S, error) {
	return sync.OnceValues(func() (S, error) {
		s, err := start(context.Background())
		if err == nil {
			stops.mu.Lock()
			defer stops.mu.Unlock()
			stops.all = append(stops.all, s.Stop)
		}
		return s, err
	})
}

// Run runs the tests of a binary, stops the servers that they share, the last one first, and
// returns the exit code. Without it, servers are still busy with their end when the binary is
// gone.
func Run(m *testing.M) int {
	code := m.Run()
	stops.mu.Lock()
	defer stops.mu.Unlock()
	for i := len(stops.all) - 1; i >= 0; i-- {
		if err := stops.all[i](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}
