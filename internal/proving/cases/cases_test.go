package cases_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/cases"
)

// The defects of other systems, on the memory store. The integration module
// runs the same on real databases.
func TestAll(t *testing.T) {
	proving.Run(t, proving.Memory, cases.Tests)
}
