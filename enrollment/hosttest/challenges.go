package hosttest

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// challengeCases swap challenges, or use one for too long.
var challengeCases = []testCase{
	{
		name: "expired-challenge",
		duty: "After ErrChallenge, ask for the password again. Answer the challenge of this sign-in, and no fresh one.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice)
			if err != nil {
				return err
			}
			s.lab.Clock.Advance(enrollment.ChallengeTTL)
			s.host.SendCode(b, s.code(s.alice))
			if s.isIn(b, s.alice) {
				return fmt.Errorf("a code signs in later than %v after the password (%s)", enrollment.ChallengeTTL, b.story())
			}
			return nil
		},
	},
	{
		name: "spent-challenge",
		duty: "After ErrChallenge, ask for the password again. ReasonChallengeSpent is a no, unless this very session is signed in by now.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice)
			if err != nil {
				return err
			}
			copied := b.clone()
			s.host.SendCode(b, s.code(s.alice))
			if s.isIn(copied, s.alice) {
				return errCopied
			}
			s.host.SendCode(copied, s.code(s.alice))
			if s.isIn(copied, s.alice) {
				return fmt.Errorf("one password signs in twice: after it was used, a copy of the browser needs only the next code (%s)", copied.story())
			}
			return nil
		},
	},
	{
		name: "foreign-challenge",
		duty: "Sign in Success.UserID, and nobody else. The challenge says who entered the password.",
		check: func(s *stage) error {
			for _, m := range mixtures {
				for i := 0; ; i++ { // each try has challenges of its own
					a, err := s.halfway(s.alice)
					if err != nil {
						return err
					}
					b, err := s.halfway(s.mallory)
					if err != nil {
						return err
					}
					all := m.mix(s, a, b)
					if i == len(all) {
						break
					}
					if err := s.guard.Admin("hosttest", "wrong codes of the test").Unlock(context.Background(), s.alice.ID); err != nil {
						return err
					}
					s.host.SendCode(all[i], s.code(s.mallory))
					if s.isIn(all[i], s.alice) {
						return fmt.Errorf("with %s, a code of the attacker signs in as another user (%s)", m.name, all[i].story())
					}
				}
			}
			return nil
		},
	},
	{
		name: "password-skipped",
		duty: "Keep the challenge in the browser that has entered the password, or in its session. Find none by a name in the request.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice) // the owner, elsewhere
			if err != nil {
				return err
			}
			stranger := s.at(s.alice)
			stranger.hold = true // load the page of the sign-in, and send no password
			s.host.SignIn(stranger)
			stranger.hold = false
			stranger.Get(b.page.target)
			stranger.alter = s.named(s.alice)
			s.host.SendCode(stranger, s.code(s.alice))
			stranger.alter = nil
			if s.isIn(stranger, s.alice) {
				return fmt.Errorf("a code signs in without the password, while the user has entered it in another browser (%s)", stranger.story())
			}
			return nil
		},
	},
	{
		name: "other-purpose",
		duty: "Answer a challenge for the purpose that this page has, whatever the request says. A challenge of another purpose does not sign in.",
		check: func(s *stage) error {
			return errors.Join(s.otherFlow(), s.otherPurpose())
		},
	},
}
