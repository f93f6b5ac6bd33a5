package hosttest

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// What an application does while its store fails.

// endedWhileDown uses a session that has ended, and a step-up that has, while the Guard
// can't say so.
func (s *stage) endedWhileDown() error {
	b, err := s.signedIn(s.alice)
	if err != nil {
		return err
	}
	if s.host.Sensitive != nil && s.host.StepUp != nil {
		s.host.StepUp(b, s.code(s.alice))
		s.lab.Clock.Advance(24 * time.Hour)
		s.lab.breakStore(errStore)
		allowed := s.host.Sensitive(b.clone())
		s.lab.breakStore(nil)
		if allowed {
			return fmt.Errorf("while RecentlyVerified of the Guard fails, Sensitive is allowed (%s)", b.story())
		}
		if b, err = s.signedIn(s.alice); err != nil {
			return err
		}
	}
	if _, err := s.guard.RenewCodes(context.Background(), s.alice.ID, enrollment.ByCode(s.code(s.alice))); err != nil {
		return err
	}
	s.lab.Clock.Advance(stampWait)
	s.lab.breakStore(errStore)
	defer s.lab.breakStore(nil)
	if s.isIn(b, s.alice) {
		return fmt.Errorf("while Status of the Guard fails, a session that has ended is signed in (%s)", b.story())
	}
	return nil
}

// memberWhileDown uses the pages of a user who is signed in while the Guard can't say so. The
// answer must not be that of a browser in which nobody is.
func (s *stage) memberWhileDown() error {
	b, err := s.signedIn(s.alice)
	if err != nil {
		return err
	}
	pages := []func(*Browser) (allowed bool){s.host.SignedIn}
	for _, path := range s.host.Protected {
		pages = append(pages, func(b *Browser) bool { b.Get(path); return false })
	}
	if s.host.Sensitive != nil && s.host.StepUp != nil {
		s.host.StepUp(b, s.code(s.alice))
		pages = append(pages, s.host.Sensitive)
	}
	for i, page := range pages {
		member, nobody := b.clone(), s.at(s.alice)
		page(nobody)
		s.lab.breakStore(errStore)
		allowed := page(member)
		s.lab.breakStore(nil)
		same := member.page.Status == nobody.page.Status && member.page.path() == nobody.page.path()
		if i == 0 && member.page.Body != nobody.page.Body { // a page for everybody, which says what fails
			same = false
		}
		if same && !allowed {
			return fmt.Errorf("while the Guard fails, a user who is signed in gets the page for a browser where nobody is (%s)", member.story())
		}
	}
	return nil
}
