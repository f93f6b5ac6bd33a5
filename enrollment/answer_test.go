package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
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

// A Success says at which edge of the window the code was, however it was asked
// for, and only where it was the code of an app.
func TestDrift(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{15 * time.Second, 30 * time.Second, 2 * time.Minute} {
		for steps := -1; steps <= 1; steps++ {
			want := time.Duration(steps) * period
			k := proving.New(t, func(c *enrollment.Config) { c.Params = totp.Params{Period: period} })
			setup, app := k.Begin("alice", enrollment.BeginOptions{})
			done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app, steps))
			k.Must(err)
			if got := done.Success.Drift; got != want {
				t.Errorf("Confirm: %v, want %v", got, want)
			}
			k.Pass(time.Hour)
			if got := k.In(k.Challenge("alice"), k.Code(app, steps)).Drift; got != want {
				t.Errorf("Answer: %v, want %v", got, want)
			}
			k.Pass(time.Hour)
			ok, err := k.Guard.Verify(t.Context(), "alice", "x", k.Code(app, steps))
			k.Must(err)
			if ok.Drift != want {
				t.Errorf("Verify: %v, want %v", ok.Drift, want)
			}
			ok, err = k.Guard.RecentlyVerified(t.Context(), "alice", "x", ok.Receipt, time.Minute)
			k.Must(err)
			if ok.Drift != 0 {
				t.Errorf("RecentlyVerified: %v", ok.Drift)
			}
			if got := k.In(k.Challenge("alice"), done.Codes.Reveal()[0]).Drift; got != 0 {
				t.Errorf("a recovery code: %v", got)
			}
		}
	}
}
