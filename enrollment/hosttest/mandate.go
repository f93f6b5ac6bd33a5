package hosttest

import (
	"fmt"
	"slices"
	"time"
)

// mandateCases sign in as a user who must have a second factor and has none.
var mandateCases = []testCase{
	{
		name:  "mandated-setup",
		duty:  "After MustEnroll, keep the EnrollToken and nothing that signs in. Begin with ByEnrollToken, and start the session when the Success of Confirm has PurposeSignIn.",
		wants: []string{"Mandate", "Begin", "Confirm"},
		check: func(s *stage) error {
			p, b := s.mandated("carol@example.com")
			if s.isIn(b, p) {
				return fmt.Errorf("the password alone signs in a user who must have a second factor (%s)", b.story())
			}
			before := len(s.lab.exchanges())
			s.host.Begin(b, "")
			uri, err := b.page.setupURI()
			var setup []string // the pages of the setup itself
			for _, x := range s.lab.exchanges()[before:] {
				setup = append(setup, x.page.target)
			}
			for _, path := range s.host.Protected {
				if page := b.clone().Get(path); page.target == path && page.Status < 300 && !slices.Contains(setup, path) {
					return fmt.Errorf("%s opens before the setup that is demanded", path)
				}
			}
			if err != nil {
				return fmt.Errorf("after the sign-in of a user who must have a second factor, Begin fails: %w (%s)", err, b.story())
			}
			if err := p.scan(uri); err != nil {
				return err
			}
			if s.isIn(b, p) {
				return fmt.Errorf("the page with the QR code signs in (%s)", b.story())
			}
			wrong := b.clone()
			if s.host.Confirm(wrong, s.wrong(p)); s.isIn(wrong, p) {
				return fmt.Errorf("a wrong first code signs in (%s)", wrong.story())
			}
			if s.host.Confirm(b, s.code(p)); !s.isIn(b, p) {
				return fmt.Errorf("the first code does not sign in, although the sign-in has demanded the setup (%s)", b.story())
			}
			return nil
		},
	},
	{
		name:  "late-mandated-setup",
		duty:  "A sign-in demands a setup for ten minutes. Begin with ByEnrollToken, and keep no mark of your own that the password was right.",
		wants: []string{"Mandate", "Begin"},
		check: func(s *stage) error {
			p, b := s.mandated("carol@example.com")
			if s.isIn(b, p) {
				return fmt.Errorf("%w: the password alone signs in, see the case mandated-setup", errMoot)
			}
			s.lab.Clock.Advance(time.Hour)
			b = b.stranger()
			if err := s.unchanged(p, func() { s.host.Begin(b, "") }); err != nil {
				return fmt.Errorf("an hour after the sign-in that demands it, Begin works: %w (%s)", err, b.story())
			}
			return nil
		},
	},
}

// mandated returns a user who must have a second factor and has none, and a browser in
// which that user has entered the password.
func (s *stage) mandated(login string) (*person, *Browser) {
	p := s.newPerson(login)
	s.host.Mandate(p.ID)
	b := s.at(p)
	s.host.SignIn(b)
	return p, b
}
