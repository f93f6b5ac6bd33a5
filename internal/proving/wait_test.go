package proving

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Each reason that there is says whether waiting helps.
func TestWaitIsDecided(t *testing.T) {
	t.Parallel()
	for _, r := range enrollment.Reasons() {
		if waits[r] == 0 {
			t.Errorf("it is not decided whether waiting helps after %q", r)
		}
	}
	if len(waits) != len(enrollment.Reasons()) {
		t.Error("there are decisions about reasons that do not exist")
	}
}
