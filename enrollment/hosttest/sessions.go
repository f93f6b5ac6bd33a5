package hosttest

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// sessionCases use a session that somebody else has, or that should have ended.
var sessionCases = []testCase{
	{
		name: "session-at-challenge",
		duty: "Give the session a new id when you store a challenge.",
		check: func(s *stage) error {
			visitor := s.at(s.mallory)
			visitor.hold = true // load the page, and go no further
			s.host.SignIn(visitor)
			member, err := s.signedIn(s.mallory)
			if err != nil {
				return err
			}
			for _, planted := range []*Browser{visitor, member} {
				victim := s.at(s.alice)
				victim.jar = maps.Clone(planted.jar)
				s.host.SignIn(victim)
				attacker := s.at(s.alice)
				attacker.jar, attacker.page = maps.Clone(planted.jar), victim.page
				attacker.Get(victim.page.target) // the same page, but not what is in it
				s.host.SendCode(attacker, s.code(s.alice))
				if s.isIn(attacker, s.alice) {
					return fmt.Errorf("cookies that were planted in the browser of a user who then enters the password have passed that step as well (%s)", attacker.story())
				}
			}
			return nil
		},
	},
	{
		name: "session-at-sign-in",
		duty: "Give the session a new id when you sign the user in.",
		check: func(s *stage) error {
			b, err := s.halfway(s.alice)
			if err != nil {
				return err
			}
			copied := b.clone()
			s.host.SendCode(b, s.code(s.alice))
			if s.isIn(copied, s.alice) {
				return fmt.Errorf("cookies that were copied before the code was entered are signed in after it (%s)", b.story())
			}
			return nil
		},
	},
	{
		name: "old-session",
		duty: "End sessions whose Stamp is not the present one.",
		check: func(s *stage) error {
			ctx := context.Background()
			carol := s.newPerson("carol@example.com")
			for _, c := range []struct {
				name string
				who  *person
				do   func() error
			}{
				{"RenewCodes", s.alice, func() error {
					_, err := s.guard.RenewCodes(ctx, s.alice.ID, enrollment.ByCode(s.code(s.alice)))
					return err
				}},
				{"Disable", s.alice, func() error { return s.guard.Disable(ctx, s.alice.ID, enrollment.ByCode(s.code(s.alice))) }},
				{"the first Confirm", carol, func() error { return s.enroll(carol) }},
			} {
				b := s.at(c.who)
				s.host.SignIn(b)
				if c.who.app != nil {
					s.host.SendCode(b, s.code(c.who))
				}
				s.lab.Clock.Advance(stampWait)
				if !s.isIn(b, c.who) {
					return errEnds
				}
				if err := c.do(); err != nil {
					return err
				}
				s.lab.Clock.Advance(stampWait)
				if s.isIn(b, c.who) {
					return fmt.Errorf("a session that began before %s is still signed in %v after it (%s)", c.name, stampWait, b.story())
				}
			}
			return nil
		},
	},
}

// stampWait is how long an application may take to compare the Stamp.
const stampWait = 5 * time.Minute

// These are moot, too.
var (
	errEnds   = fmt.Errorf("%w: a session ends by itself within minutes", errMoot)
	errCopied = fmt.Errorf("%w: a copy of a session is signed in with it, see the case session-at-sign-in", errMoot)
)
