package hosttest

import "fmt"

// works sees that the suite can use the application at all.
var works = testCase{
	name: "works",
	duty: "Let a user in who has the password and a right code. The functions of the Host do what such a user does in a browser.",
	check: func(s *stage) error {
		if b := s.at(s.alice); s.isIn(b, s.alice) {
			return fmt.Errorf("SignedIn says that a browser is signed in that has sent nothing (%s)", b.story())
		}
		b := s.at(s.alice)
		s.host.SignIn(b)
		s.host.SendCode(b, s.code(s.alice))
		if !s.isIn(b, s.alice) {
			return fmt.Errorf("a right code does not sign in (%s)", b.story())
		}
		if s.isIn(b, s.mallory) {
			return fmt.Errorf("SignedIn says that %s is signed in where %s is: it must look for Browser.User", s.mallory.Login, s.alice.Login)
		}
		b = s.at(s.alice)
		s.host.SignIn(b)
		s.host.SendCode(b, s.alice.codes[0])
		if !s.isIn(b, s.alice) {
			return fmt.Errorf("a recovery code does not sign in (%s)", b.story())
		}
		for _, path := range s.host.Protected {
			if page := b.clone().Get(path); page.Status > 299 {
				return fmt.Errorf("Protected has %s, which answers %d to a user who is signed in", path, page.Status)
			}
			if page := s.at(s.alice).Get(path); page.target == path && page.Status < 300 {
				return fmt.Errorf("Protected has %s, which everybody can see", path)
			}
		}
		return s.settingsWork()
	},
}

// settingsWork sees that the optional functions do what they say. Otherwise the cases
// that try them without a code would find nothing.
func (s *stage) settingsWork() error {
	p := s.mallory
	if s.host.Begin != nil && s.host.Confirm != nil {
		p = s.newPerson("carol@example.com")
		if _, _, err := s.setUp(p); err != nil {
			return err
		}
	}
	b, err := s.signedIn(p)
	if err != nil {
		return err
	}
	if s.host.StepUp != nil && s.host.Sensitive != nil {
		s.host.StepUp(b, s.code(p))
		if !s.host.Sensitive(b) {
			return fmt.Errorf("Sensitive is not allowed after StepUp (%s)", b.story())
		}
	}
	for _, c := range s.host.changes() {
		b, err := s.signedIn(p)
		if err != nil {
			return err
		}
		if s.unchanged(p, func() { c.do(b, s.code(p)) }) == nil {
			return fmt.Errorf("%s does nothing with a right code (%s)", c.name, b.story())
		}
	}
	return nil
}
