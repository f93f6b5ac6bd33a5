package hosttest

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// settingsCases try to change the settings of a user in a session that somebody has
// stolen, after a code has been entered in it.
var settingsCases = []testCase{
	{
		name:  "unproven-setup",
		duty:  "Before the first setup, check the first factor again, unless that was just done. Call ByReauth only then: a stolen session could set up a phone of its own.",
		wants: []string{"Begin", "Clocked"},
		check: func(s *stage) error {
			if s.lab.easy {
				return errOptedOut
			}
			carol := s.newPerson("carol@example.com")
			b := s.at(carol)
			s.host.SignIn(b)
			s.lab.Clock.Advance(time.Hour)
			if !s.isIn(b, carol) {
				return errEnds
			}
			b = b.stranger()
			if err := s.unchanged(carol, func() { s.host.Begin(b, "") }); err != nil {
				return fmt.Errorf("an hour after the sign-in, Begin works without the password: %w (%s)", err, b.story())
			}
			return nil
		},
	},
	{
		name:  "wrong-proof",
		duty:  "A change of settings needs a Proof. Pass on the code that was typed. Call no Admin for it, and ByReauth only after you have checked the first factor.",
		wants: []string{"Begin, Disable or RenewCodes"},
		check: func(s *stage) error {
			b, err := s.stolen()
			if err != nil {
				return err
			}
			for _, c := range s.host.changes() {
				if err := s.unchanged(s.alice, func() { c.do(b.stranger(), s.wrong(s.alice)) }); err != nil {
					return fmt.Errorf("%s works with a wrong code: %w", c.name, err)
				}
			}
			return nil
		},
	},
	{
		name:  "old-receipt",
		duty:  "A receipt proves for five minutes, in the session in which the code was entered. Have the Guard judge it, with ByReceipt, and keep no mark of your own.",
		wants: []string{"Begin, Disable or RenewCodes"},
		check: func(s *stage) error {
			b, err := s.stolen()
			if err != nil {
				return err
			}
			if _, err := s.signedIn(s.alice); err != nil { // elsewhere
				return err
			}
			for _, c := range s.host.changes() {
				if err := s.unchanged(s.alice, func() { c.do(b.stranger(), "") }); err != nil {
					return fmt.Errorf("%s works without a code, just after one was entered in another session: %w", c.name, err)
				}
			}
			for _, wait := range []time.Duration{0, 24 * time.Hour} {
				s.lab.Clock.Advance(wait)
				for _, c := range s.host.changes() {
					if err := s.unchanged(s.alice, func() { c.do(b.stranger(), "") }); err != nil {
						return fmt.Errorf("%s works without a code, %v after the last one: %w", c.name, stale+wait, err)
					}
				}
			}
			return nil
		},
	},
	{
		name:  "step-up",
		duty:  "Before a sensitive action, have Verify check a code of the signed-in user, or RecentlyVerified its receipt, for the purpose of that action. Keep the receipt in the session.",
		wants: []string{"StepUp"},
		check: func(s *stage) error {
			b, err := s.stolen()
			if err != nil {
				return err
			}
			if s.host.Sensitive(b.clone()) {
				return fmt.Errorf("Sensitive is allowed without StepUp (%s)", b.story())
			}
			elsewhere, err := s.signedIn(s.alice)
			if err != nil {
				return err
			}
			s.host.StepUp(elsewhere, s.code(s.alice))
			if s.host.Sensitive(b.clone()) {
				return fmt.Errorf("Sensitive is allowed after StepUp in another session of the user (%s)", b.story())
			}
			for _, forge := range []func(*request){s.renamed(s.alice, s.mallory), s.named(s.mallory)} {
				b.alter = forge
				s.host.StepUp(b, s.code(s.mallory))
				b.alter = nil
				if s.host.Sensitive(b.clone()) {
					return fmt.Errorf("Sensitive is allowed after StepUp with a code of another user, whom the request names (%s)", b.story())
				}
			}
			for _, code := range []string{s.wrong(s.alice), ""} {
				s.host.StepUp(b, code)
				if s.host.Sensitive(b.clone()) {
					return fmt.Errorf("Sensitive is allowed after the wrong code %q (%s)", code, b.story())
				}
			}
			return nil
		},
	},
	{
		name:  "old-step-up",
		duty:  "Ask RecentlyVerified before each sensitive action, and keep no mark of your own that a code was entered.",
		wants: []string{"StepUp"},
		check: func(s *stage) error {
			b, err := s.stolen()
			if err != nil {
				return err
			}
			s.host.StepUp(b, s.code(s.alice))
			s.lab.Clock.Advance(24 * time.Hour)
			if s.host.Sensitive(b.clone()) {
				return fmt.Errorf("Sensitive is allowed a day after StepUp (%s)", b.story())
			}
			return nil
		},
	},
}

// errOptedOut is moot, too.
var errOptedOut = fmt.Errorf("%w: the application opts out with Config.UnprovenSetup", errMoot)

// stale is how long after a code its receipt proves nothing any more.
const stale = enrollment.ReceiptTTL + time.Minute

// stolen returns a browser in which alice has signed in a while ago, so that the receipt
// of that has ended.
func (s *stage) stolen() (*Browser, error) {
	b, err := s.signedIn(s.alice)
	if err != nil {
		return nil, err
	}
	s.lab.Clock.Advance(stale)
	if !s.isIn(b, s.alice) {
		return nil, errEnds
	}
	return b, nil
}

// stranger returns a copy of the browser before which somebody sits who does not know the
// password.
func (b *Browser) stranger() *Browser {
	c := b.clone()
	c.User.Password = "not the password"
	return c
}

// unchanged does something and returns an error if that changes the settings of a person.
func (s *stage) unchanged(p *person, do func()) error {
	before, err := s.state(p)
	if err != nil {
		return err
	}
	do()
	after, err := s.state(p)
	switch {
	case err != nil:
		return err
	case before.enabled && !after.enabled:
		return errors.New("two-factor authentication is off")
	case !before.enabled && after.enabled:
		return errors.New("two-factor authentication is on")
	case before.setup != after.setup:
		return errors.New("a setup has begun")
	case before != after:
		return errors.New("the Stamp has changed")
	}
	return nil
}
