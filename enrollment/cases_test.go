package enrollment_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/guardtest"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The defects of other systems, on the memory store. The integration module
// runs the same on real databases.
func TestCases(t *testing.T) {
	guardtest.Run(t, func(*testing.T) store.Store { return memory.New() })
}
