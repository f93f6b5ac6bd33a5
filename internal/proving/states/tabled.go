package states

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What an operation needs of a state, whichever it is.
type needs struct {
	adjust  func(c *enrollment.Config)
	prepare func(s *State) // of a confirmed account, so that there is something to do
}

// A lead leads an account into a state of the tables.
type lead func(t *testing.T, open proving.Open, state string, r needs) *State

// tabled leads an account into a state of the table: none, pending, confirmed,
// staged or disabled, where a confirmed one has two authenticators and an
// address. What the account does not have in its state is another account's, of
// the same user and under the same keys.
func tabled(t *testing.T, open proving.Open, state string, r needs) *State {
	t.Helper()
	s := &State{t: t, Name: state}
	s.enter(open, r)
	return s
}

// tabledAlone is tabled for accounts whose address may be all that they have,
// and for the state alone, in which one has nothing else.
func tabledAlone(t *testing.T, open proving.Open, state string, r needs) *State {
	t.Helper()
	s := &State{t: t, Name: state, alone: true}
	s.enter(open, r)
	return s
}

func (s *State) enter(open proving.Open, r needs) {
	s.t.Helper()
	over := open(s.t) // first: it may skip the test
	s.Kit = proving.New(s.t, func(c *enrollment.Config) {
		c.Sender, c.AddressAlone, c.ResetWait = sender{s}, s.alone, 24*time.Hour
	})
	if r.adjust != nil {
		s.Configure(r.adjust)
	}
	prepare := r.prepare
	if prepare == nil {
		prepare = func(*State) {}
	}

	s.confirm() // the other account
	prepare(s)
	s.App, s.Second = totp.Key{}, totp.Key{}

	s.MoveTo(over)
	switch s.Name {
	case "none":
	case "pending":
		s.stage(enrollment.Proof{})
	case "alone":
		s.confirmAddress()
		prepare(s)
	case "confirmed", "staged", "disabled":
		s.confirm()
		prepare(s)
		if s.Name == "staged" {
			s.stage(enrollment.ByReceipt(s.Receipt))
		}
		if s.Name == "disabled" {
			s.Must(s.Guard.Disable(s.t.Context(), User, enrollment.ByReceipt(s.Receipt)))
		}
	default:
		s.t.Fatalf("no state %q", s.Name)
	}
}

// tick goes on to the next code of an app.
func (s *State) tick() { s.Pass(31 * time.Second) }

// pause goes on to when the next message may be sent.
func (s *State) pause() { s.Pass(enrollment.MessagePause) }

// code is what an app shows, and something like it if there is none.
func (s *State) code(k totp.Key) string {
	if k.IsZero() {
		return "123456"
	}
	return s.Code(k)
}

// three are the codes that an app has just shown, and something like them if there
// is none.
func (s *State) three() []string {
	if s.App.IsZero() {
		return []string{"123456", "234567", "345678"}
	}
	return proving.Three(s.App, s.Now())
}

// confirm enables two-factor authentication with two authenticators and an
// address. No recovery code is spent.
func (s *State) confirm() {
	s.t.Helper()
	s.stage(enrollment.Proof{})
	done, err := s.Guard.Confirm(s.t.Context(), User, s.Token, s.code(s.Waits))
	s.Must(err)
	s.Codes, s.App = done.Codes.Reveal(), s.Waits
	s.stage(enrollment.ByReceipt(done.Success.Receipt))
	done, err = s.Guard.Confirm(s.t.Context(), User, s.Token, s.code(s.Waits))
	s.Must(err)
	s.Second = s.Waits
	s.bind(enrollment.ByReceipt(done.Success.Receipt))
	_, err = s.Guard.Messages().Confirm(s.t.Context(), User, s.Binding, s.Message)
	s.Must(err)
	s.pause()
	s.refresh()
	s.tick()
}

// confirmAddress confirms an address for an account that has nothing.
func (s *State) confirmAddress() {
	s.t.Helper()
	s.bind(enrollment.ByReauth("password"))
	done, err := s.Guard.Messages().Confirm(s.t.Context(), User, s.Binding, s.Message)
	s.Must(err)
	s.Codes = done.Codes.Reveal()
	s.pause()
	s.refresh()
}

// refresh answers with a code, and remembers the receipt and a challenge.
func (s *State) refresh() {
	s.t.Helper()
	ok, err := s.Guard.Verify(s.t.Context(), User, "step-up", s.right())
	s.Must(err)
	s.Receipt = ok.Receipt
	s.Challenge = s.Kit.Challenge(User)
}

// right returns a code that is right: of the app, or where there is none, a
// recovery code.
func (s *State) right() string {
	if s.Name == "alone" && s.App.IsZero() {
		return s.recoveryCode()
	}
	return s.code(s.App)
}

// recoveryCode returns one that was not used.
func (s *State) recoveryCode() string {
	c := s.Codes[0]
	s.Codes = s.Codes[1:]
	return c
}

func (s *State) admin() enrollment.Admin { return s.Guard.Admin("root", "ticket 4711") }

// bind asks for a code to an address, and remembers it.
func (s *State) bind(p enrollment.Proof) {
	s.t.Helper()
	b, err := s.Guard.Messages().Bind(s.t.Context(), User, enrollment.BindOptions{Channel: "sms", To: "+15550100", Proof: p})
	s.Must(err)
	s.Binding = b.Token
}

// deliver asks for a code at a sign-in, and returns the challenge that it is
// for.
func (s *State) deliver() enrollment.Challenge {
	s.t.Helper()
	d, err := s.Guard.Messages().Send(s.t.Context(), enrollment.PurposeSignIn, s.Kit.Challenge(User))
	s.Must(err)
	return d.Challenge
}

// stateNow is the state in the words of the tables.
func (s *State) stateNow() string {
	s.t.Helper()
	status, err := s.Guard.Status(s.t.Context(), User)
	if errors.Is(err, enrollment.ErrMoved) {
		return "moved"
	}
	s.Must(err)
	switch {
	case status.Enabled() && !status.SetupExpires.IsZero():
		return "staged"
	case status.Enabled() && len(status.Authenticators) == 0:
		return "alone"
	}
	return status.State.String()
}

// record is what the store holds, byte for byte.
func (s *State) record() string {
	s.t.Helper()
	rec, err := s.Store.Straight.Load(s.t.Context(), User)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	s.Must(err)
	return string(rec.Data)
}

func (s *State) authenticator() string {
	s.t.Helper()
	status, err := s.Guard.Status(s.t.Context(), User)
	if !errors.Is(err, enrollment.ErrMoved) {
		s.Must(err)
	}
	if len(status.Authenticators) == 0 {
		return "0000000000000001"
	}
	return status.Authenticators[0].ID
}

// hardwareID is the id of the account's hardware token, and something like it if there
// is none.
func (s *State) hardwareID() string {
	s.t.Helper()
	status, err := s.Guard.Status(s.t.Context(), User)
	if !errors.Is(err, enrollment.ErrMoved) {
		s.Must(err)
	}
	for _, x := range status.Authenticators {
		if x.HardwareToken {
			return x.ID
		}
	}
	return "0000000000000001"
}

// receiptOf returns a receipt of another user.
func (s *State) receiptOf(user string) enrollment.Receipt {
	s.t.Helper()
	setup, k := s.Begin(user, enrollment.BeginOptions{})
	done, err := s.Guard.Confirm(s.t.Context(), user, setup.Token, s.code(k))
	s.Must(err)
	return done.Success.Receipt
}

// expect checks the outcome of an operation against a cell of a table: a state
// or a reason.
func (s *State) expect(err error, want string) {
	s.t.Helper()
	switch want {
	case "none", "pending", "confirmed", "staged", "disabled", "alone", "moved":
		if err != nil {
			s.t.Fatalf("denied: %v", err)
		}
		if got := s.stateNow(); got != want {
			s.t.Errorf("state %q, want %q", got, want)
		}
	default:
		if string(proving.ReasonOf(err)) != want {
			s.t.Errorf("got %v, want denied as %q", err, want)
		}
		if got := s.stateNow(); got != s.Name {
			s.t.Errorf("the state went from %q to %q", s.Name, got)
		}
	}
}
