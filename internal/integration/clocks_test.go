package integration_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
)

// TestClocksJump lets the clocks of nodes jump over every store. That those of a siege differ
// by 40 seconds is part of each siege.
func TestClocksJump(t *testing.T) {
	t.Parallel()
	for _, h := range historians {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			siege.Clocks(t, siege.Open(h.open(t)).Start)
		})
	}
}
