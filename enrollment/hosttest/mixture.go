package hosttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A mixture makes browsers of what two half finished sign-ins have left: of the user a
// and of the attacker b, who know both passwords and have the app of b alone.
type mixture struct {
	name string
	mix  func(s *stage, a, b *Browser) []*Browser
}

var mixtures = []mixture{
	{"the cookies of one sign-in and the page of another", func(_ *stage, a, b *Browser) []*Browser {
		x, y := a.clone(), b.clone()
		x.page, y.page = b.page, a.page
		return []*Browser{x, y}
	}},
	{"one cookie of another sign-in", func(_ *stage, a, b *Browser) (all []*Browser) {
		for _, name := range slices.Sorted(maps.Keys(a.jar)) {
			if b.jar[name] == nil || b.jar[name].Value == a.jar[name].Value {
				continue
			}
			x, y := a.clone(), b.clone()
			x.jar[name], y.jar[name] = b.jar[name], a.jar[name]
			all = append(all, x, y)
		}
		return all
	}},
	{"one browser in which two users enter their passwords", func(s *stage, a, b *Browser) []*Browser {
		x, y := a.clone(), b.clone()
		x.User, y.User = b.User, a.User
		s.host.SignIn(x)
		s.host.SignIn(y)
		back := y.clone() // the attacker goes back to the page of the own sign-in
		back.page = b.page
		return []*Browser{x, y, back}
	}},
}

// otherFlow tries to sign in with a code that was asked for something else.
func (s *stage) otherFlow() error {
	if s.host.OtherFlow == nil {
		return nil
	}
	way, err := s.halfway(s.alice)
	if err != nil {
		return err
	}
	b := s.at(s.alice)
	s.host.OtherFlow(b)
	if s.isIn(b, s.alice) {
		return fmt.Errorf("OtherFlow signs in (%s)", b.story())
	}
	b.Get(way.page.target)
	s.host.SendCode(b, s.code(s.alice))
	if s.isIn(b, s.alice) {
		return fmt.Errorf("after OtherFlow, which takes no password, a code on the page of the sign-in signs in (%s)", b.story())
	}
	return nil
}

// otherPurpose puts a challenge of another purpose for the one that the browser has, if
// the browser has it at all.
func (s *stage) otherPurpose() error {
	const purpose enrollment.Purpose = "hosttest"
	ctx := context.Background()
	for _, named := range []bool{false, true} {
		b, err := s.halfway(s.alice)
		if err != nil {
			return err
		}
		d, err := s.guard.SignIn(ctx, s.alice.ID, enrollment.SignInOptions{Purpose: purpose})
		if err != nil {
			return err
		}
		for _, challenge := range s.challenges(b) {
			x := b.clone()
			x.alter = func(r *request) {
				r.replace(challenge, d.Challenge.Reveal())
				if named {
					r.replace(string(enrollment.PurposeSignIn), string(purpose))
				}
			}
			s.host.SendCode(x, s.code(s.alice))
			if s.isIn(x, s.alice) {
				return fmt.Errorf("a challenge of the purpose %q signs in (%s)", purpose, x.story())
			}
		}
	}
	return nil
}

// tokenRE finds what can be a token of the library.
var tokenRE = regexp.MustCompile(`[-_a-zA-Z0-9]{40,}`)

// challenges returns the challenges that the browser holds in clear: in its page, its
// cookies or its headers.
func (s *stage) challenges(b *Browser) (found []string) {
	texts := []string{b.page.Body}
	for _, c := range b.jar {
		texts = append(texts, c.Value)
	}
	for _, values := range b.Header {
		texts = append(texts, values...)
	}
	for _, text := range texts {
		for _, token := range tokenRE.FindAllString(text, -1) {
			// The empty text is no code, so a right challenge is malformed and nothing is counted.
			_, err := s.guard.Answer(context.Background(), enrollment.PurposeSignIn, enrollment.ChallengeOf(token), "")
			if errors.Is(err, enrollment.ReasonMalformedCode) && !slices.Contains(found, token) {
				found = append(found, token)
			}
		}
	}
	return found
}
