package races

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// Three codes work once, also for those who have them at the same time, each with a
// challenge of his own.
func TestRaceForThreeCodes(t *testing.T, open proving.Open) {
	s := begin(t, open, "locked")
	s.Pass(2 * time.Minute)
	codes := proving.Three(s.App, s.Now())
	var challenges [racers]enrollment.Challenge
	for i := range challenges {
		challenges[i] = s.Kit.Challenge(states.User)
	}
	one(t, race(func(i int) error {
		_, err := s.Guard.ThreeCodes().Answer(t.Context(), enrollment.PurposeSignIn, challenges[i], codes)
		return err
	}), enrollment.ReasonReplayed)
}

// However many guess the third code at the same time, five guesses use it up.
func TestRaceOfNearMisses(t *testing.T, open proving.Open) {
	s := begin(t, open, "locked")
	s.Pass(2 * time.Minute)
	codes := proving.Three(s.App, s.Now())
	for _, reason := range race(func(int) error {
		_, err := s.Guard.ThreeCodes().Verify(t.Context(), states.User, "x", proving.NearMiss(codes, 2))
		return err
	}) {
		if reason != enrollment.ReasonWrongCode {
			t.Errorf("a near miss is %q", reason)
		}
	}
	_, err := s.Guard.ThreeCodes().Verify(t.Context(), states.User, "x", codes)
	proving.Want(t, err, enrollment.ReasonReplayed)
	near := 0
	for _, e := range s.Status(states.User).History {
		if e.Kind == enrollment.EventNearMiss {
			near++
		}
	}
	if near != 5 {
		t.Errorf("%d near misses were counted, want 5", near)
	}
}
