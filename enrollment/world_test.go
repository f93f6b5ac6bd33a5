package enrollment_test

import (
	"cmp"
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

// modelStart is when the clocks of the model and of the fault tests begin: in
// the middle of a time step.
var modelStart = time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC)

// modelKey is the key that an authenticator app takes over from a setup.
func modelKey(tb testing.TB, s enrollment.Setup) totp.Key {
	tb.Helper()
	key, _, err := totp.ParseURI(s.URI())
	if err != nil {
		tb.Fatalf("the URI of a setup can't be read: %v", err)
	}
	return key
}

// modelShown is what the app shows at a time; "" before 1970.
func modelShown(key totp.Key, at time.Time) string {
	var code string
	fips.WithoutEnforcement(func() { code, _ = key.Code(at) }) // a phone's
	return code
}

// modelWrong is a code that none of the keys shows within ten steps.
func modelWrong(at time.Time, keys ...totp.Key) string {
	for _, code := range []string{"000000", "111111", "222222", "333333", "444444", "555555"} {
		free := true
		for _, key := range keys {
			for d := -25; d <= 25; d++ {
				free = free && modelShown(key, at.Add(time.Duration(d)*30*time.Second)) != code
			}
		}
		if free {
			return code
		}
	}
	panic("every code is right")
}

// modelReason is why err denies: "" if it is nil, "fault" if it is no Denied.
func modelReason(err error) enrollment.Reason {
	var denied *enrollment.Denied
	switch {
	case err == nil:
		return ""
	case errors.As(err, &denied):
		return cmp.Or(denied.Reason, "denied without a reason")
	}
	return "fault"
}

// A modelBench is one enrolled user on a clock that can be moved.
type modelBench struct {
	t     *testing.T
	now   time.Time
	mem   *memory.Store
	ring  *keyring.Ring
	guard *enrollment.Guard
	key   totp.Key
	codes []string
}

func newModelBench(t *testing.T, notify func(context.Context, enrollment.Event) error) *modelBench {
	t.Helper()
	b := &modelBench{t: t, now: modelStart, mem: memory.New()}
	var err error
	if b.ring, err = keyring.Generate("bench"); err != nil {
		t.Fatal(err)
	}
	b.guard = b.another(b.mem, func() time.Time { return b.now }, notify)
	setup := b.begin()
	b.key = modelKey(t, setup)
	done, err := b.guard.Confirm(t.Context(), "alice", setup.Token, b.code())
	if err != nil {
		t.Fatal(err)
	}
	b.codes = done.Codes.Reveal()
	b.pass(time.Minute)
	return b
}

// another returns a Guard of another node.
func (b *modelBench) another(s store.Store, now func() time.Time, notify func(context.Context, enrollment.Event) error) *enrollment.Guard {
	b.t.Helper()
	g, err := enrollment.New(s, b.ring, enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast, AllowSHA1: fips.Enforced(), Now: now, Notify: notify})
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *modelBench) pass(d time.Duration) { b.now = b.now.Add(d) }

func (b *modelBench) code() string { return modelShown(b.key, b.now) }

func (b *modelBench) begin() enrollment.Setup {
	b.t.Helper()
	s, err := b.guard.Begin(b.t.Context(), "alice", enrollment.BeginOptions{Account: "alice"})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *modelBench) verify(code string) enrollment.Reason {
	_, err := b.guard.Verify(b.t.Context(), "alice", "x", code)
	return modelReason(err)
}

func (b *modelBench) challenge() enrollment.Decision {
	b.t.Helper()
	d, err := b.guard.SignIn(b.t.Context(), "alice", enrollment.SignInOptions{})
	if err != nil || d.Next != enrollment.AskCode {
		b.t.Fatal(d.Next, err)
	}
	return d
}

func (b *modelBench) answerTo(g *enrollment.Guard, challenge, code string) enrollment.Reason {
	_, err := g.Answer(b.t.Context(), enrollment.PurposeSignIn, challenge, code)
	return modelReason(err)
}

func (b *modelBench) want(got, want enrollment.Reason, what string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Decision.Expires is when the challenge can't be answered any more. At that
// very instant the list of spent ones has forgotten it already.
func TestLastInstantOfChallenge(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	d := b.challenge()
	b.want(b.answerTo(b.guard, d.Challenge, b.code()), "", "the first answer")
	b.now = d.Expires
	b.want(b.answerTo(b.guard, d.Challenge, b.code()), enrollment.ReasonChallengeExpired, "the second answer, at Expires")
}

// A success spends a challenge: also where two nodes differ by less than the
// minute that is forgiven to them, and where a clock was ahead for a while.
func TestForgottenChallenge(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	ahead := b.another(b.mem, func() time.Time { return b.now.Add(50 * time.Second) }, nil)
	d := b.challenge()
	b.want(b.answerTo(b.guard, d.Challenge, b.code()), "", "the first answer")
	b.pass(9*time.Minute + 30*time.Second)
	b.want(b.answerTo(b.guard, d.Challenge, b.code()), enrollment.ReasonChallengeSpent, "the second answer")
	// Any write of the node that runs ahead.
	if _, err := ahead.Verify(t.Context(), "alice", "x", modelWrong(b.now, b.key)); modelReason(err) != enrollment.ReasonWrongCode {
		t.Fatal(err)
	}
	if r := b.answerTo(b.guard, d.Challenge, b.code()); r != enrollment.ReasonChallengeSpent && r != enrollment.ReasonChallengeVoid {
		t.Errorf("the third answer: %q, want a denial", r)
	}

	b = newModelBench(t, nil)
	b.pass(2 * 24 * time.Hour) // the clock is broken
	d = b.challenge()
	b.want(b.answerTo(b.guard, d.Challenge, b.code()), "", "the first answer, under a broken clock")
	b.pass(-2 * 24 * time.Hour) // and mended
	b.want(b.verify(modelWrong(b.now, b.key)), enrollment.ReasonWrongCode, "a wrong code")
	b.pass(2*24*time.Hour + time.Minute)
	if r := b.answerTo(b.guard, d.Challenge, b.code()); r != enrollment.ReasonChallengeSpent && r != enrollment.ReasonChallengeVoid {
		t.Errorf("the second answer, when its time has come: %q, want a denial", r)
	}
}

// A broken clock must not make a code good a second time: the window reaches a
// step beyond now.
func TestStepAfterBrokenClock(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	next := modelShown(b.key, b.now.Add(30*time.Second))
	b.want(b.verify(next), "", "the code of the next step")
	b.pass(3 * 24 * time.Hour)
	b.want(b.verify(b.code()), "", "a code under a broken clock")
	b.pass(-3 * 24 * time.Hour)
	b.want(b.verify(next), enrollment.ReasonReplayed, "the code of the next step again")
}

// "Proof authorises the setup where two-factor authentication is on already.
// It is not looked at otherwise."
func TestProofThatIsNotLookedAt(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	for _, p := range []enrollment.Proof{enrollment.ByCode("hello"), enrollment.ByReceipt("hello")} {
		_, err := b.guard.Begin(t.Context(), "bob", enrollment.BeginOptions{Account: "bob", Proof: p})
		b.want(modelReason(err), "", "Begin for somebody who has nothing yet")
	}
}

// A refusal writes nothing if there is nothing to repair, whatever the clock
// says.
func TestNothingToRebase(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	b.now = time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC)
	b.beginFor("bob")
	before, err := b.mem.Load(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.guard.Verify(t.Context(), "bob", "x", "123456")
	b.want(modelReason(err), enrollment.ReasonNotEnrolled, "Verify")
	if after, err := b.mem.Load(t.Context(), "bob"); err != nil || after.Version != before.Version {
		t.Errorf("version %d became %d, %v", before.Version, after.Version, err)
	}
}

func (b *modelBench) beginFor(user string) {
	b.t.Helper()
	if _, err := b.guard.Begin(b.t.Context(), user, enrollment.BeginOptions{Account: user}); err != nil {
		b.t.Fatal(err)
	}
}

// "PurposeSetup stands in the Success of a Confirm. No challenge is minted for
// it."
func TestSetupPurpose(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	d, err := b.guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: enrollment.PurposeSetup})
	if err == nil || d.Challenge != "" {
		t.Errorf("SignIn minted a challenge for the purpose of a setup, %v", err)
	}
}

// Denied.Factor is "what the code was taken for, where the answer is about a
// code".
func TestFactorOfConfirm(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	setup, err := b.guard.Begin(t.Context(), "bob", enrollment.BeginOptions{Account: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.guard.Confirm(t.Context(), "bob", setup.Token, modelWrong(b.now, modelKey(t, setup)))
	var denied *enrollment.Denied
	if !errors.As(err, &denied) || denied.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v, want the factor %q", denied, enrollment.FactorTOTP)
	}
}

// A modelDeadline is a store that tells of calls which nothing would ever end.
type modelDeadline struct {
	*memory.Store
	endless int
}

func (s *modelDeadline) Load(ctx context.Context, user string) (store.Record, error) {
	if ctx.Done() == nil {
		s.endless++
	}
	return s.Store.Load(ctx, user)
}

// The answer waits for the acknowledgement of its events, so that it must have
// a deadline: a store that hangs there holds up an answer that is stored
// already, for ever.
func TestAcknowledgementHangs(t *testing.T) {
	t.Parallel()
	b := newModelBench(t, nil)
	s := &modelDeadline{Store: b.mem}
	g := b.another(s, func() time.Time { return b.now }, func(context.Context, enrollment.Event) error { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := g.Verify(ctx, "alice", "x", b.codes[0]); err != nil {
		t.Fatal(err)
	}
	if s.endless > 0 {
		t.Errorf("%d calls of the store without a deadline, although the caller has one", s.endless)
	}
}
