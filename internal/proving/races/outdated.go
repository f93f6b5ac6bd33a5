package races

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/states"
)

// A code of a key that is too short leads to its replacement once, also for those who
// have it at the same time, each with a challenge of his own.
func TestRaceForReplacement(t *testing.T, open proving.Open) {
	s := begin(t, open, "outdated")
	var challenges [racers]enrollment.Challenge
	for i := range challenges {
		challenges[i] = s.Kit.Challenge(states.User)
	}
	one(t, race(func(i int) error {
		_, err := s.Answer(challenges[i], s.Right())
		if err == nil {
			err = errors.New("the code signs in")
		} else if errors.Is(err, enrollment.ReasonMustReplace) {
			err = nil
		}
		return err
	}), enrollment.ReasonReplayed)
}

// While some confirm the replacement, others answer with the old key. It is confirmed
// once, and nobody is signed in by the old one, before or after.
func TestRaceOfReplacementAndAnswers(t *testing.T, open proving.Open) {
	s := begin(t, open, "mending")
	confirmed := race(func(i int) error {
		if i%2 == 0 {
			_, err := s.Guard.Confirm(t.Context(), states.User, s.Token, s.Code(s.Waits))
			return err
		}
		_, err := s.Answer(s.Challenge, s.Right())
		if err == nil {
			err = errors.New("the code signs in")
		}
		return err
	})
	one(t, confirmed, enrollment.ReasonAlreadyConfirmed, enrollment.ReasonMustReplace, enrollment.ReasonChallengeSpent, enrollment.ReasonChallengeVoid)
	if status := s.Status(states.User); len(status.Authenticators) != 1 || status.Authenticators[0].Short || status.LastSignIn.IsZero() {
		t.Errorf("%+v", status)
	}
}
