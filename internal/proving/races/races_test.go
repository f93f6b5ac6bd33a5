package races_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/races"
)

func TestAll(t *testing.T) {
	t.Parallel()
	proving.Run(t, proving.Memory, races.Tests)
}
