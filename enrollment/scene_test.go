package enrollment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const sceneUser = "alice"

// A scene is an account in one of the states of the table, with everything at
// hand that an operation could be called with. What the account does not have
// in its state is another account's, of the same user and under the same keys.
type scene struct {
	t      *testing.T
	guard  *enrollment.Guard
	store  *memory.Store
	now    time.Time
	config enrollment.Config
	alone  bool // whether addresses may be all that an account has
	state  string

	app     totp.Key // of the confirmed authenticator
	second  totp.Key // of another confirmed one, so that one can be removed
	waits   totp.Key // of the setup
	token   string   // of the setup
	codes   []string // recovery codes that are unspent
	sent    string   // the last code that was delivered
	binding string   // the token of the address that waits for its code
	device  enrollment.TrustedDevice

	challenge string
	receipt   string
}

// Send makes a scene the sender of its own messages.
func (s *scene) Send(_ context.Context, m enrollment.Message) error {
	s.sent = m.Code()
	return nil
}

// newScene returns a scene in that state. Prepare is called with the account as
// it was confirmed, before what the state asks for beyond that.
func newScene(t *testing.T, state string, config enrollment.Config, prepare func(*scene)) *scene {
	t.Helper()
	return stage(&scene{t: t, state: state, config: config}, prepare)
}

// newAddressScene returns a scene of an account that has an address and no
// authenticator.
func newAddressScene(t *testing.T, state string, config enrollment.Config, prepare func(*scene)) *scene {
	t.Helper()
	return stage(&scene{t: t, state: state, config: config, alone: true}, prepare)
}

func stage(s *scene, prepare func(*scene)) *scene {
	t := s.t
	t.Helper()
	s.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.config.Issuer = "Acme"
	s.config.RecoveryScheme = recovery.Fast
	s.config.AllowSHA1 = fips.Enforced()
	s.config.Now = func() time.Time { return s.now }
	s.config.Notify = func(context.Context, enrollment.Event) error { return nil }
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	open := func() {
		s.store = memory.New()
		if s.guard, err = enrollment.New(s.store, keys, s.config); err != nil {
			t.Fatal(err)
		}
	}
	if prepare == nil {
		prepare = func(*scene) {}
	}

	open() // the other account
	s.setUp(enrollment.Proof{})
	s.enroll()
	prepare(s)
	s.app, s.second = totp.Key{}, totp.Key{}

	open()
	switch s.state {
	case "none":
	case "pending":
		s.setUp(enrollment.Proof{})
	case "alone":
		s.enrollAddress()
		prepare(s)
	case "confirmed", "staged", "disabled":
		s.enroll()
		prepare(s)
		if s.state == "staged" {
			s.setUp(enrollment.ByReceipt(s.receipt))
		}
		if s.state == "disabled" {
			s.must(s.guard.Disable(t.Context(), sceneUser, enrollment.ByReceipt(s.receipt)))
		}
	default:
		t.Fatalf("no state %q", s.state)
	}
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// tick goes on to the next code of an app.
func (s *scene) tick() { s.now = s.now.Add(31 * time.Second) }

// pause goes on to when the next message may be sent.
func (s *scene) pause() { s.now = s.now.Add(enrollment.MessagePause) }

func (s *scene) code(k totp.Key) string {
	s.t.Helper()
	if k.IsZero() {
		return "123456"
	}
	return modelShown(k, s.now)
}

// setUp begins a setup, and remembers it.
func (s *scene) setUp(p enrollment.Proof) {
	s.t.Helper()
	setup, err := s.guard.Begin(s.t.Context(), sceneUser, enrollment.BeginOptions{Account: "alice@example.com", Proof: p})
	s.must(err)
	k, _, err := totp.ParseURI(setup.URI())
	s.must(err)
	s.waits, s.token = k, setup.Token
}

// enroll confirms two authenticators and an address.
func (s *scene) enroll() {
	s.t.Helper()
	s.setUp(enrollment.Proof{})
	done, err := s.guard.Confirm(s.t.Context(), sceneUser, s.token, s.code(s.waits))
	s.must(err)
	s.codes, s.app = done.Codes.Reveal(), s.waits
	s.setUp(enrollment.ByReceipt(done.Success.Receipt))
	done, err = s.guard.Confirm(s.t.Context(), sceneUser, s.token, s.code(s.waits))
	s.must(err)
	s.second = s.waits
	s.bind(enrollment.ByReceipt(done.Success.Receipt))
	_, err = s.messages().Confirm(s.t.Context(), sceneUser, s.binding, s.sent)
	s.must(err)
	s.pause()
	s.refresh()
	s.tick()
}

// enrollAddress confirms an address for an account that has nothing.
func (s *scene) enrollAddress() {
	s.t.Helper()
	s.bind(enrollment.Proof{})
	done, err := s.messages().Confirm(s.t.Context(), sceneUser, s.binding, s.sent)
	s.must(err)
	s.codes = done.Codes.Reveal()
	s.pause()
	s.refresh()
}

// refresh answers with a code, and remembers the receipt and a challenge.
func (s *scene) refresh() {
	s.t.Helper()
	ok, err := s.guard.Verify(s.t.Context(), sceneUser, "step-up", s.right())
	s.must(err)
	s.receipt = ok.Receipt
	s.challenge = s.signIn()
}

func (s *scene) signIn() string {
	s.t.Helper()
	d, err := s.guard.SignIn(s.t.Context(), sceneUser, enrollment.SignInOptions{})
	s.must(err)
	return d.Challenge
}

// right returns a code that is right: of the app, or where there is none, a
// recovery code.
func (s *scene) right() string {
	if s.state == "alone" && s.app.IsZero() {
		return s.recoveryCode()
	}
	return s.code(s.app)
}

// recoveryCode returns one that was not used.
func (s *scene) recoveryCode() string {
	c := s.codes[0]
	s.codes = s.codes[1:]
	return c
}

// wrong returns a code that is none of the account's.
func (s *scene) wrong() string {
	for _, c := range []string{"000000", "111111", "222222", "333333", "444444"} {
		var a, b error
		fips.WithoutEnforcement(func() { // a phone's
			_, a = s.app.Check(c, s.now, 0)
			_, b = s.second.Check(c, s.now, 0)
		})
		if a != nil && b != nil {
			return c
		}
	}
	s.t.Fatal("every code is right")
	return ""
}

func (s *scene) messages() *enrollment.Messages {
	s.t.Helper()
	m, err := enrollment.NewMessages(s.guard, s, enrollment.MessagesConfig{Alone: s.alone})
	s.must(err)
	return m
}

func (s *scene) resets() *enrollment.ResetRequests {
	s.t.Helper()
	r, err := enrollment.NewResets(s.guard, enrollment.ResetsConfig{Wait: enrollment.MinResetWait})
	s.must(err)
	return r
}

func (s *scene) admin() enrollment.Admin { return s.guard.Admin("root", "ticket 4711") }

// bind asks for a code to an address, and remembers it.
func (s *scene) bind(p enrollment.Proof) {
	s.t.Helper()
	b, err := s.messages().Bind(s.t.Context(), sceneUser, enrollment.BindOptions{Channel: "sms", To: "+15550100", Proof: p})
	s.must(err)
	s.binding = b.Token
}

// deliver asks for a code at a sign-in, and returns the challenge that it is
// for.
func (s *scene) deliver() string {
	s.t.Helper()
	d, err := s.messages().Send(s.t.Context(), enrollment.PurposeSignIn, s.signIn())
	s.must(err)
	return d.Challenge
}

// stateNow is the state in the words of the tables.
func (s *scene) stateNow() string {
	s.t.Helper()
	status, err := s.guard.Status(s.t.Context(), sceneUser)
	s.must(err)
	switch {
	case status.Enabled() && !status.SetupExpires.IsZero():
		return "staged"
	case status.Enabled() && len(status.Authenticators) == 0:
		return "alone"
	}
	return status.State.String()
}

// record is what the store holds, byte for byte.
func (s *scene) record() string {
	s.t.Helper()
	rec, err := s.store.Load(s.t.Context(), sceneUser)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	s.must(err)
	return string(rec.Data)
}

func (s *scene) authenticator() string {
	s.t.Helper()
	status, err := s.guard.Status(s.t.Context(), sceneUser)
	s.must(err)
	if len(status.Authenticators) == 0 {
		return "0000000000000001"
	}
	return status.Authenticators[0].ID
}

// receiptOf returns a receipt of another user.
func (s *scene) receiptOf(user string) string {
	s.t.Helper()
	setup, err := s.guard.Begin(s.t.Context(), user, enrollment.BeginOptions{Account: user})
	s.must(err)
	k, _, err := totp.ParseURI(setup.URI())
	s.must(err)
	done, err := s.guard.Confirm(s.t.Context(), user, setup.Token, s.code(k))
	s.must(err)
	return done.Success.Receipt
}

// expect checks the outcome of an operation against a cell of a table: a state
// or a reason.
func (s *scene) expect(err error, want string) {
	s.t.Helper()
	switch want {
	case "none", "pending", "confirmed", "staged", "disabled", "alone":
		if err != nil {
			s.t.Fatalf("denied: %v", err)
		}
		if got := s.stateNow(); got != want {
			s.t.Errorf("state %q, want %q", got, want)
		}
	default:
		var denied *enrollment.Denied
		if !errors.As(err, &denied) || string(denied.Reason) != want {
			s.t.Errorf("got %v, want denied as %q", err, want)
		}
		if got := s.stateNow(); got != s.state {
			s.t.Errorf("the state went from %q to %q", s.state, got)
		}
	}
}
