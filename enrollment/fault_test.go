package enrollment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// This file runs every operation of Guard while something around it fails: the
// store, the sealer, the source of randomness, Notify, the caller's patience.
// For each place at which it can fail, the outcome has to be legal: a success
// only if the store holds it, an answer only if it was committed, and after an
// error an account that is as it was or as it should be, never half.
//
// One fault can't be noticed, and is not tested: a store that says ErrNotFound
// for a record that it has. SignInOptions.Enrolled is for that.
//
// The tests run in bubbles of testing/synctest, so that a store that hangs
// costs no time.

var errFault = errors.New("fault: something is broken")

// A faultState is an account to start from, and everything that an operation
// could be called with.
type faultState struct {
	name    string
	scheme  recovery.Scheme
	now     time.Time
	ring    *keyring.Ring
	records []store.Record
	older   store.Record // an earlier record of alice; the zero Record if there is none
	foreign store.Record // of another user

	first, second, waiting totp.Key
	firstID, secondID      string
	token, oldToken        string // of setups
	challenge, spent       string
	receipt                string
	codes                  []string // recovery codes; the first one is spent
	never                  string   // a code that none of the keys shows

	faultExtras
}

const (
	faultUser  = "alice"
	faultOther = "bob"
)

func (s *faultState) config() enrollment.Config {
	c := enrollment.Config{
		Issuer: "Acme", RecoveryScheme: s.scheme, RecoveryCodes: recovery.MinCount,
		Now: func() time.Time { return s.now },
	}
	if adjust := faultAdjust[s.name]; adjust != nil {
		adjust(&c)
	}
	return c
}

func (s *faultState) code() string  { return modelShown(s.first, s.now) }
func (s *faultState) next() string  { return modelShown(s.first, s.now.Add(30*time.Second)) }
func (s *faultState) used() string  { return modelShown(s.first, s.now.Add(-30*time.Second)) }
func (s *faultState) wrong() string { return s.never }

// unknown is a recovery code of the account's scheme that it does not have.
func (s *faultState) unknown() string {
	if s.scheme == recovery.Argon2id {
		return strings.Repeat("7", 16)
	}
	return strings.Repeat("7", 26)
}

func faultMust[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// newFaultState leads an account into a state: none, pending, confirmed,
// staged, replacing, locked or disabled, or one of those in
// fault_states_test.go.
func newFaultState(t *testing.T, name string, scheme recovery.Scheme) *faultState {
	t.Helper()
	ctx := t.Context()
	s := &faultState{name: name, scheme: scheme, now: modelStart, ring: faultMust[*keyring.Ring](t)(keyring.Generate("fault"))}
	mem := memory.New()
	g := faultMust[*enrollment.Guard](t)(enrollment.New(mem, s.ring, s.config()))
	begin := func(p enrollment.Proof) (totp.Key, string) {
		setup := faultMust[enrollment.Setup](t)(g.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a", Proof: p}))
		return modelKey(t, setup), setup.Token
	}
	confirm := func(key totp.Key, token string) enrollment.Confirmed {
		return faultMust[enrollment.Confirmed](t)(g.Confirm(ctx, faultUser, token, modelShown(key, s.now)))
	}
	keep := func() { s.older = faultMust[store.Record](t)(mem.Load(ctx, faultUser)) }

	// Keys that belong to nobody, so that a code of them is well formed.
	other := faultMust[*enrollment.Guard](t)(enrollment.New(memory.New(), s.ring, s.config()))
	for _, key := range []*totp.Key{&s.first, &s.second, &s.waiting} {
		*key = modelKey(t, faultMust[enrollment.Setup](t)(other.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a"})))
	}
	switch name {
	case "pending, codes shown":
		setup := faultMust[enrollment.Setup](t)(g.Begin(ctx, faultUser, enrollment.BeginOptions{Account: "a"}))
		s.waiting, s.token, s.codes = modelKey(t, setup), setup.Token, setup.Codes().Reveal()
	}
	if _, err := g.Begin(ctx, faultOther, enrollment.BeginOptions{Account: "b"}); err != nil {
		t.Fatal(err)
	}
	s.foreign = faultMust[store.Record](t)(mem.Load(ctx, faultOther))

	switch name {
	case "none", "none, codes at setup", "pending, codes shown":
	case "imported", "imported slowly":
		s.enroll(t, mem, g)
	case "alone":
		s.bindAlone(t, g)
	case "pending":
		_, s.oldToken = begin(enrollment.Proof{})
		keep()
		s.waiting, s.token = begin(enrollment.Proof{})
	default:
		key, token := begin(enrollment.Proof{})
		s.first = key
		done := confirm(key, token)
		s.firstID, s.codes = done.Success.Authenticator, done.Codes.Reveal()
		s.now = s.now.Add(time.Minute)
		key, token = begin(enrollment.ByCode(s.code()))
		s.second = key
		s.secondID = confirm(key, token).Success.Authenticator
		if _, err := g.Verify(ctx, faultUser, "x", s.codes[0]); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Minute)
		d := faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.SignInOptions{}))
		keep()
		s.spent = d.Challenge
		s.receipt = faultMust[enrollment.Success](t)(g.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, s.code())).Receipt
		s.now = s.now.Add(30 * time.Second)
		s.challenge = faultMust[enrollment.Decision](t)(g.SignIn(ctx, faultUser, enrollment.SignInOptions{})).Challenge
		switch name {
		case "staged":
			_, s.oldToken = begin(enrollment.ByReceipt(s.receipt))
			s.waiting, s.token = begin(enrollment.ByReceipt(s.receipt))
		case "replacing":
			setup := faultMust[enrollment.Setup](t)(g.Begin(ctx, faultUser, enrollment.BeginOptions{
				Account: "a", Replace: s.secondID, Proof: enrollment.ByReceipt(s.receipt),
			}))
			s.waiting, s.token = modelKey(t, setup), setup.Token
		case "locked":
			for range 5 {
				if _, err := g.Verify(ctx, faultUser, "x", modelWrong(s.now, s.first, s.second)); err == nil {
					t.Fatal("a wrong code was right")
				}
			}
		case "disabled":
			if err := g.Disable(ctx, faultUser, enrollment.ByReceipt(s.receipt)); err != nil {
				t.Fatal(err)
			}
		default:
			s.grow(t, mem, g)
		}
	}
	s.never = modelWrong(s.now, s.first, s.second, s.waiting)
	for _, user := range []string{faultUser, faultOther} {
		if rec, err := mem.Load(ctx, user); err == nil {
			s.records = append(s.records, rec)
		}
	}
	return s
}
