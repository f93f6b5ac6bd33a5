package siege

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

func TestClocksJump(t *testing.T) {
	t.Parallel()
	Clocks(t, same(proving.Memory(t).(proving.Full)).Start)
}
