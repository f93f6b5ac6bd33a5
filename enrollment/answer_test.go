package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A broken clock must not make a code good a second time: the window reaches a
// step beyond now.
func TestStepAfterBrokenClock(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	verify := func(code string) error {
		_, err := k.Guard.Verify(t.Context(), "alice", "x", code)
		return err
	}
	next := alice.Code(1)
	k.Must(verify(next))
	k.Pass(72 * time.Hour)
	k.Must(verify(alice.Code())) // under a broken clock
	k.Pass(-72 * time.Hour)
	proving.Want(t, verify(next), enrollment.ReasonReplayed)
}
