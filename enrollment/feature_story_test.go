package enrollment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// A story is what a feature is told with: a Guard on a memory store and a clock,
// and the steps that occur in many of them.
type story struct {
	*enrollmenttest.Kit
	t *testing.T
}

func tell(t *testing.T, adjust ...func(*enrollment.Config)) *story {
	t.Helper()
	t.Parallel()
	return &story{Kit: enrollmenttest.New(t, adjust...), t: t}
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// denied checks that err is the answer "no" for that reason, and returns it.
func (s *story) denied(err error, want enrollment.Reason) *enrollment.Denied {
	s.t.Helper()
	var denied *enrollment.Denied
	if !errors.As(err, &denied) || denied.Reason != want {
		s.t.Fatalf("got %v, want denied as %q", err, want)
	}
	return denied
}

// pass lets time go by.
func (s *story) pass(d time.Duration) { s.Clock.Advance(d) }

// nextCode waits until the apps show another code.
func (s *story) nextCode() { s.pass(30 * time.Second) }

// signIn gives the right password.
func (s *story) signIn(user string, l enrollment.SignInOptions, want enrollment.Next) enrollment.Decision {
	s.t.Helper()
	d, err := s.Guard.SignIn(s.t.Context(), user, l)
	s.must(err)
	if d.Next != want {
		s.t.Fatalf("%s: %v, want %v", user, d.Next, want)
	}
	return d
}

// asked gives the right password, is asked for a code, and returns the
// challenge.
func (s *story) asked(user string) string {
	s.t.Helper()
	return s.signIn(user, enrollment.SignInOptions{}, enrollment.AskCode).Challenge
}

func (s *story) answer(challenge, code string) (enrollment.Success, error) {
	return s.Guard.Answer(s.t.Context(), enrollment.PurposeSignIn, challenge, code)
}

// in answers with a code that must be right.
func (s *story) in(challenge, code string) enrollment.Success {
	s.t.Helper()
	ok, err := s.answer(challenge, code)
	s.must(err)
	return ok
}

// out answers with a code that must be refused.
func (s *story) out(challenge, code string, want enrollment.Reason) *enrollment.Denied {
	s.t.Helper()
	_, err := s.answer(challenge, code)
	return s.denied(err, want)
}

// receipt steps up with the user's app.
func (s *story) receipt(u *enrollmenttest.User) string {
	s.t.Helper()
	s.nextCode()
	ok, err := s.Guard.Verify(s.t.Context(), u.ID, "settings", u.Code())
	s.must(err)
	return ok.Receipt
}

// begin begins a setup and scans it.
func (s *story) begin(user string, o enrollment.BeginOptions) (enrollment.Setup, *enrollmenttest.App) {
	s.t.Helper()
	if o.Account == "" {
		o.Account = user + "@example.com"
	}
	setup, err := s.Guard.Begin(s.t.Context(), user, o)
	s.must(err)
	app, err := enrollmenttest.Scan(setup.URI())
	s.must(err)
	return setup, app
}

// confirm types the code in that the app shows.
func (s *story) confirm(user string, setup enrollment.Setup, app *enrollmenttest.App) enrollment.Confirmed {
	s.t.Helper()
	done, err := s.Guard.Confirm(s.t.Context(), user, setup.Token, app.Code(s.Clock.Now()))
	s.must(err)
	s.nextCode()
	return done
}

func (s *story) status(user string) enrollment.Status {
	s.t.Helper()
	status, err := s.Guard.Status(s.t.Context(), user)
	s.must(err)
	return status
}

// told returns the events of that kind that the user was told of.
func (s *story) told(user string, kind enrollment.EventKind) (events []enrollment.Event) {
	for _, e := range s.Events() {
		if e.UserID == user && e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}

// A phone keeps the messages that are sent to it.
type phone struct {
	messages []enrollment.Message
}

func (p *phone) Send(_ context.Context, m enrollment.Message) error {
	p.messages = append(p.messages, m)
	return nil
}

// last returns the code of the latest message.
func (p *phone) last() string { return p.messages[len(p.messages)-1].Code() }
