package guardtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Cases about codes that are sent in messages.

// A phone takes the messages that are sent to it.
type phone struct {
	mu       sync.Mutex
	messages []enrollment.Message
}

func (p *phone) Send(_ context.Context, m enrollment.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, m)
	return nil
}

func (p *phone) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.messages)
}

// last returns the code of the last message.
func (p *phone) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.messages[len(p.messages)-1].Code()
}

// otherThan returns a code that is none of those.
func otherThan(codes ...string) string {
	for _, c := range []string{"000000", "111111", "222222", "333333"} {
		free := true
		for _, taken := range codes {
			free = free && c != taken
		}
		if free {
			return c
		}
	}
	return "444444"
}

// messages returns what sends messages through the guard.
func (w *world) messages(g *enrollment.Guard, s enrollment.Sender) *enrollment.Messages {
	w.t.Helper()
	m, err := enrollment.NewMessages(g, s, enrollment.MessagesConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// bind gives the user a phone that gets messages, and lets a day pass.
func (u *user) bind() *phone {
	u.w.t.Helper()
	p := new(phone)
	m := u.w.messages(u.w.guard, p)
	ctx := u.w.t.Context()
	b, err := m.Bind(ctx, u.id, enrollment.BindOptions{Channel: "sms", To: "+41441234567", Proof: enrollment.ByCode(u.code())})
	if err != nil {
		u.w.t.Fatal(err)
	}
	if _, err := m.Confirm(ctx, u.id, b.Token, p.last()); err != nil {
		u.w.t.Fatal(err)
	}
	u.w.advance(enrollment.MessagePause + 24*time.Hour)
	return p
}

// send signs in with the first factor and has a code sent.
func (u *user) send(m *enrollment.Messages) string {
	u.w.t.Helper()
	d, err := m.Send(u.w.t.Context(), enrollment.PurposeSignIn, u.challenge())
	if err != nil {
		u.w.t.Fatal(err)
	}
	return d.Challenge
}

// TestCase11_CounterInCopy: the counter of wrong delivered codes was incremented
// in a copy that nobody stored (CVE-2026-27801).
func TestCase11_CounterInCopy(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	challenge := u.send(m)
	right := p.last()
	answer := func(code string) error {
		// Another process each time: what counts is what is stored.
		_, err := w.guardOver(w.store).Answer(t.Context(), enrollment.PurposeSignIn, challenge, code)
		return err
	}
	for range 5 {
		before := w.record("alice").Version
		want(t, answer(otherThan(right)), enrollment.ReasonWrongCode)
		if after := w.record("alice").Version; after <= before {
			t.Fatalf("version %d after %d: the failure is not stored", after, before)
		}
	}
	w.unchanged("alice", func() {
		want(t, answer(right), enrollment.ReasonLocked)
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.challenge())
		want(t, err, enrollment.ReasonLocked)
	})
	w.advance(time.Minute)
	want(t, answer(right), enrollment.ReasonChallengeVoid)
	want(t, u.answer(u.code()), "") // the app is not held back by it
}

// TestCase15_ResendResetsAttempts: sending another code brought fresh attempts.
func TestCase15_ResendResetsAttempts(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	first := u.send(m)
	old := p.last()
	answer := func(challenge, code string) error {
		_, err := w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, code)
		return err
	}
	for range 2 {
		want(t, answer(first, otherThan(old)), enrollment.ReasonWrongCode)
	}
	w.advance(enrollment.MessagePause)
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, first)
	want(t, err, "")
	fresh := p.last()
	want(t, answer(first, old), enrollment.ReasonChallengeVoid)
	want(t, answer(first, fresh), enrollment.ReasonChallengeVoid)
	for range 3 {
		want(t, answer(d.Challenge, otherThan(old, fresh)), enrollment.ReasonWrongCode)
	}
	want(t, answer(d.Challenge, fresh), enrollment.ReasonLocked)
	want(t, answer(first, old), enrollment.ReasonLocked)
	w.advance(time.Minute)
	if old != fresh { // the old one is a wrong guess like any other
		want(t, answer(d.Challenge, old), enrollment.ReasonWrongCode)
		w.advance(2 * time.Minute)
	}
	want(t, answer(first, old), enrollment.ReasonChallengeVoid)
	want(t, answer(d.Challenge, fresh), "")
}

// TestCase27_DeliveredCodeNotBound: a delivered code was good for another user
// and for another purpose.
func TestCase27_DeliveredCodeNotBound(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	alice, bob := w.enroll("alice"), w.enroll("bob")
	pa, pb := alice.bind(), bob.bind()
	ma, mb := w.messages(w.guard, pa), w.messages(w.guard, pb)
	ca := alice.send(ma)
	a := pa.last()
	cb := bob.send(mb)
	answer := func(p enrollment.Purpose, challenge, code string) (enrollment.Success, error) {
		return w.guard.Answer(t.Context(), p, challenge, code)
	}
	if a != pb.last() {
		_, err := answer(enrollment.PurposeSignIn, cb, a)
		want(t, err, enrollment.ReasonWrongCode)
	}
	_, err := answer("delete-project", ca, a)
	want(t, err, enrollment.ReasonChallengeInvalid)
	_, err = answer(enrollment.PurposeSignIn, alice.challenge(), a) // a challenge of her own, without the message
	want(t, err, enrollment.ReasonWrongCode)
	_, err = w.guard.Verify(t.Context(), "alice", "delete-project", a)
	want(t, err, enrollment.ReasonWrongCode)
	_, err = ma.Send(t.Context(), "delete-project", ca)
	want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := answer(enrollment.PurposeSignIn, ca, a)
	want(t, err, "")
	if ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorDelivered {
		t.Errorf("success %+v", ok)
	}
	_, err = answer(enrollment.PurposeSignIn, ca, a)
	want(t, err, enrollment.ReasonChallengeSpent)
	// A code that is to prove an address proves another user's no more.
	b, err := ma.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(alice.codes[0])})
	want(t, err, enrollment.ReasonTooManyMessages)
	w.advance(enrollment.MessagePause)
	b, err = ma.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(alice.codes[0])})
	want(t, err, "")
	_, err = mb.Confirm(t.Context(), "bob", b.Token, pa.last())
	want(t, err, enrollment.ReasonSetupInvalid)
	_, err = w.guard.Confirm(t.Context(), "alice", b.Token, pa.last())
	want(t, err, enrollment.ReasonSetupInvalid)
	_, err = ma.Confirm(t.Context(), "alice", b.Token, pa.last())
	want(t, err, "")
}

// TestCase40_MessageFlooding: text messages could be had without end
// (shesha#4773).
func TestCase40_MessageFlooding(t *testing.T, open Open) {
	s := &hooked{Store: open(t)}
	w := newWorld(t, s)
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	bound := p.count()
	challenge := u.challenge()
	send := func(m *enrollment.Messages) error {
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
		return err
	}
	got := together(20, func(int) error { return send(m) })
	if n := p.count() - bound; n != 1 || got[""] != 1 || got[enrollment.ReasonTooManyMessages] != 19 {
		t.Errorf("%d were delivered, outcomes %v", n, got)
	}
	// Through every other door too, and from another process.
	other := w.messages(w.guardOver(s), p)
	w.unchanged("alice", func() {
		want(t, send(other), enrollment.ReasonTooManyMessages)
		_, err := other.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(u.code())})
		want(t, err, enrollment.ReasonTooManyMessages)
	})
	// Nothing is sent unless the count is stored.
	w.advance(enrollment.MessagePause)
	broken := errors.New("the disk is full")
	s.save = func(context.Context, store.Record, int64) error { return broken }
	before := p.count()
	for range 3 {
		if err := send(m); !errors.Is(err, broken) {
			t.Errorf("without a store: %v", err)
		}
	}
	if n := p.count() - before; n != 0 {
		t.Errorf("%d messages were sent that are not counted", n)
	}
	// When it is sent, the count is there to be seen.
	s.save = nil
	seen := false
	m = w.messages(w.guard, senderFunc(func(context.Context, enrollment.Message) error {
		seen = true
		if err := send(w.messages(w.guardOver(s), p)); reason(err) != enrollment.ReasonTooManyMessages {
			t.Errorf("while it is being sent: %v", err)
		}
		return broken
	}))
	if err := send(m); !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, broken) || !seen {
		t.Errorf("a sender that fails: %v", err)
	}
	want(t, send(m), enrollment.ReasonTooManyMessages) // it counts all the same
	w.advance(enrollment.MessagePause)
	// A reply that is lost loses neither the count nor the message.
	s.save = func(ctx context.Context, rec store.Record, prev int64) error {
		return errors.Join(s.Store.Save(ctx, rec, prev), broken)
	}
	before = p.count()
	m = w.messages(w.guard, p)
	challenge = u.challenge()
	want(t, send(m), "")
	s.save = nil
	if n := p.count() - before; n != 1 {
		t.Errorf("%d messages after a lost reply", n)
	}
	want(t, send(m), enrollment.ReasonTooManyMessages)
}

type senderFunc func(ctx context.Context, m enrollment.Message) error

func (f senderFunc) Send(ctx context.Context, m enrollment.Message) error { return f(ctx, m) }

// TestCase40_FloodingForDays: five in a day, whatever is done in between.
func TestCase40_FloodingForDays(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	before := p.count()
	sent := 0
	for range 3 * 24 * 6 { // every ten minutes for three days
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.challenge())
		if reason(err) == "" {
			sent++
		} else {
			want(t, err, enrollment.ReasonTooManyMessages)
		}
		w.advance(10 * time.Minute)
	}
	if n := p.count() - before; n != 15 || sent != 15 {
		t.Errorf("%d messages in three days, %d successes", n, sent)
	}
}

// TestCase48_HangUpAfterMessage: hanging up made a message, or a guess at one,
// free.
func TestCase48_HangUpAfterMessage(t *testing.T, open Open) {
	s := &hooked{Store: open(t)}
	w := newWorld(t, s)
	u := w.enroll("alice")
	p := u.bind()
	challenge := u.challenge()
	ctx, cancel := context.WithCancel(t.Context())
	s.save = func(ctx context.Context, rec store.Record, prev int64) error {
		cancel() // the caller hangs up now
		return s.Store.Save(ctx, rec, prev)
	}
	m := w.messages(w.guard, senderFunc(func(ctx context.Context, m enrollment.Message) error {
		return ctx.Err()
	}))
	_, err := m.Send(ctx, enrollment.PurposeSignIn, challenge)
	if !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, context.Canceled) {
		t.Errorf("who hangs up gets %v", err)
	}
	s.save = nil
	m = w.messages(w.guard, p)
	_, err = m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
	want(t, err, enrollment.ReasonTooManyMessages)
	w.advance(enrollment.MessagePause)
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
	want(t, err, "")
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		s.save = func(ctx context.Context, rec store.Record, prev int64) error {
			cancel()
			return s.Store.Save(ctx, rec, prev)
		}
		_, err := w.guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, otherThan(p.last()))
		want(t, err, enrollment.ReasonWrongCode)
	}
	s.save = nil
	_, err = w.guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, p.last())
	want(t, err, enrollment.ReasonLocked)
}

// TestCase19_DeliveredRace: parallel requests with the same right code all
// succeeded.
func TestCase19_DeliveredRace(t *testing.T, open Open) {
	const n = 30
	s := open(t)
	w := newWorld(t, s)
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	challenge := u.send(m)
	g := w.guardOver(newBarrier(s, n))
	got := together(n, func(int) error {
		_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, p.last())
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonChallengeSpent] != n-1 {
		t.Errorf("outcomes %v, want one success", got)
	}
	// Wrong ones, through the barrier too: five are answered.
	w.advance(enrollment.MessagePause)
	challenge = u.send(m)
	g = w.guardOver(newBarrier(s, n))
	got = together(n, func(int) error {
		_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, otherThan(p.last()))
		return err
	})
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != n-5 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	// The message is tried out; the next one, sent while the old is answered,
	// leaves exactly one of the two good.
	w.advance(time.Minute)
	first := u.send(m)
	right := p.last()
	w.advance(enrollment.MessagePause)
	before := p.count()
	g = w.guardOver(newBarrier(s, 2))
	racing := w.messages(g, p)
	got = together(2, func(i int) error {
		if i == 0 {
			_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, first, right)
			return err
		}
		_, err := racing.Send(t.Context(), enrollment.PurposeSignIn, first)
		return err
	})
	sent := p.count() - before
	switch {
	case got[""] == 1 && got[enrollment.ReasonChallengeSpent] == 1 && sent == 0: // answered first
	case got[""] == 1 && got[enrollment.ReasonChallengeVoid] == 1 && sent == 1: // sent first
	default:
		t.Errorf("outcomes %v with %d messages", got, sent)
	}
}

// TestCase51_ResetMessageSignsIn: a message for another purpose signed in.
func TestCase51_ResetMessageSignsIn(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	p := u.bind()
	m := w.messages(w.guard, p)
	d, err := w.guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "password-reset"})
	want(t, err, "")
	sent, err := m.Send(t.Context(), "password-reset", d.Challenge)
	want(t, err, "")
	_, err = w.guard.Answer(t.Context(), enrollment.PurposeSignIn, sent.Challenge, p.last())
	want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := w.guard.Answer(t.Context(), "password-reset", sent.Challenge, p.last())
	want(t, err, "")
	if at := w.status("alice").LastSignIn; !at.IsZero() {
		t.Error("it counts as a sign-in")
	}
	_, err = w.guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, ok.Receipt, time.Minute)
	want(t, err, enrollment.ReasonProofInvalid)
	_, err = w.guard.RecentlyVerified(t.Context(), "alice", "password-reset", ok.Receipt, time.Minute)
	want(t, err, "")
}
