package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A stage is an application with two users who have a second factor each: alice, whom
// attackers are after, and mallory, who is one.
type stage struct {
	lab     *Lab
	host    Host
	guard   *enrollment.Guard
	alice   *person
	mallory *person
}

// A person is a user with an authenticator app and recovery codes.
type person struct {
	User
	app    *enrollmenttest.App
	secret string   // of the app, as base32
	codes  []string // recovery codes
	shown  []string // what code has returned
}

func newStage(lab *Lab, h Host) (*stage, error) {
	if missing := h.missing(); missing != "" {
		return nil, fmt.Errorf("Host.%s is not set", missing)
	}
	s := &stage{lab: lab, host: h, guard: lab.guard}
	if s.guard == nil {
		return nil, errors.New("the application did not make its Guard with Lab.NewGuard")
	}
	s.alice, s.mallory = s.newPerson("alice@example.com"), s.newPerson("mallory@example.com")
	for _, p := range []*person{s.alice, s.mallory} {
		if err := s.enroll(p); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newPerson adds a user without a second factor.
func (s *stage) newPerson(login string) *person {
	p := &person{User: User{Login: login, Password: "correct horse " + login[:4]}}
	p.ID = s.host.NewUser(p.Login, p.Password)
	return p
}

// enroll gives a user a second factor, past the pages of the application.
func (s *stage) enroll(p *person) error {
	ctx := context.Background()
	setup, err := s.guard.Begin(ctx, p.ID, enrollment.BeginOptions{Account: p.Login, Proof: enrollment.ByReauth("password")})
	if err != nil {
		return fmt.Errorf("Begin for %q, which NewUser returned: %w", p.ID, err)
	}
	if err := p.scan(setup.URI()); err != nil {
		return err
	}
	done, err := s.guard.Confirm(ctx, p.ID, setup.Token, s.code(p))
	if err != nil {
		return err
	}
	p.codes = done.Codes.Reveal()
	return nil
}

// scan reads the QR code of a setup into the person's app.
func (p *person) scan(uri string) (err error) {
	if p.app, err = enrollmenttest.Scan(uri); err != nil {
		return err
	}
	key, _, err := totp.ParseURI(uri)
	if err != nil {
		return err
	}
	p.secret = key.Secret().Base32()
	return nil
}

// code moves the clock to the next code of the person's app and returns it, so that it
// has not been used before.
func (s *stage) code(p *person) string {
	for {
		s.lab.Clock.Advance(p.app.Period())
		if code := p.app.Code(s.lab.Clock.Now()); !slices.Contains(p.shown, code) {
			p.shown = append(p.shown, code)
			return code
		}
	}
}

// wrong returns a code that is wrong for the person.
func (s *stage) wrong(p *person) string { return p.app.WrongCode(s.lab.Clock.Now()) }

// at returns a fresh browser with that person in front of it.
func (s *stage) at(p *person) *Browser { return s.lab.browser(s.host.Handler, p.User) }

// errMoot says that a case can't tell anything.
var errMoot = errors.New("there is nothing to try")

// errAlone is moot because of what another case finds.
var errAlone = fmt.Errorf("%w: the password alone signs in, see the case password-alone", errMoot)

// halfway returns a browser in which the person has entered the password.
func (s *stage) halfway(p *person) (*Browser, error) {
	b := s.at(p)
	s.host.SignIn(b)
	if s.isIn(b, p) {
		return nil, errAlone
	}
	return b, nil
}

// signedIn returns a browser in which the person is signed in.
func (s *stage) signedIn(p *person) (*Browser, error) {
	b, err := s.halfway(p)
	if err != nil {
		return nil, err
	}
	s.host.SendCode(b, s.code(p))
	if !s.isIn(b, p) {
		return nil, fmt.Errorf("a right code does not sign in (%s)", b.story())
	}
	return b, nil
}

// signsIn reports whether the person signs in with that code after the password, and
// returns the browser.
func (s *stage) signsIn(p *person, code string) (*Browser, bool, error) {
	b, err := s.halfway(p)
	if err != nil {
		return nil, false, err
	}
	s.host.SendCode(b, code)
	return b, s.isIn(b, p), nil
}

// isIn reports whether the browser is signed in as that person. It asks in a copy, so
// that the browser stays on its page.
func (s *stage) isIn(b *Browser, p *person) bool {
	look := b.clone()
	look.User = p.User
	look.address, look.trail = b.address, nil
	return s.host.SignedIn(look)
}

// A state is what a user's settings are, as far as a change of them shows.
type state struct {
	stamp   enrollment.Stamp
	enabled bool
	setup   time.Time // when a pending setup expires
	names   int       // how many authenticators there are
}

// state returns the settings of a person.
func (s *stage) state(p *person) (state, error) {
	status, err := s.guard.Status(context.Background(), p.ID)
	if err != nil {
		return state{}, err
	}
	return state{status.Stamp, status.Enabled(), status.SetupExpires, len(status.Authenticators)}, nil
}
