package cases

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases about codes that are sent in messages.

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

// messages returns the Messages of another node, which sends with the sender.
func messages(k *proving.Kit, s enrollment.Sender) enrollment.Messages {
	return k.Node(func(c *enrollment.Config) { c.Sender = s }).Messages()
}

// bind gives the person a phone that gets messages, and lets a day pass.
func bind(t *testing.T, p *proving.Person) *proving.Inbox {
	t.Helper()
	phone := new(proving.Inbox)
	m := messages(p.Kit, phone)
	b, err := m.Bind(t.Context(), p.ID, enrollment.BindOptions{Channel: "sms", To: "+41441234567", Proof: enrollment.ByCode(p.Code())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Confirm(t.Context(), p.ID, b.Token, phone.Code()); err != nil {
		t.Fatal(err)
	}
	p.Kit.Pass(enrollment.MessagePause + 24*time.Hour)
	return phone
}

// send signs in with the first factor and has a code sent.
func send(t *testing.T, m enrollment.Messages, p *proving.Person) enrollment.Challenge {
	t.Helper()
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, p.Challenge())
	if err != nil {
		t.Fatal(err)
	}
	return d.Challenge
}

// TestCase11_CounterInCopy: the counter of wrong delivered codes was incremented
// in a copy that nobody stored (CVE-2026-27801).
func TestCase11_CounterInCopy(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	challenge := send(t, m, u)
	right := p.Code()
	answer := func(code string) error {
		// Another process each time: what counts is what is stored.
		_, err := k.Node().Answer(t.Context(), enrollment.PurposeSignIn, challenge, code)
		return err
	}
	for range 5 {
		before := k.Record("alice").Version
		proving.Want(t, answer(otherThan(right)), enrollment.ReasonWrongCode)
		if after := k.Record("alice").Version; after == before {
			t.Fatalf("version %d again: the failure is not stored", after)
		}
	}
	k.Unchanged("alice", func() {
		proving.Want(t, answer(right), enrollment.ReasonLocked)
		_, err := m.Send(t.Context(), enrollment.PurposeSignIn, u.Challenge())
		proving.Want(t, err, enrollment.ReasonLocked)
	})
	k.Pass(time.Minute)
	proving.Want(t, answer(right), enrollment.ReasonChallengeVoid)
	proving.Want(t, signIn(u, u.Code()), "") // the app is not held back by it
}

// TestCase15_ResendResetsAttempts: sending another code brought fresh attempts.
func TestCase15_ResendResetsAttempts(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	first := send(t, m, u)
	old := p.Code()
	answer := func(challenge enrollment.Challenge, code string) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, code)
		return err
	}
	for range 2 {
		proving.Want(t, answer(first, otherThan(old)), enrollment.ReasonWrongCode)
	}
	k.Pass(enrollment.MessagePause)
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, first)
	proving.Want(t, err, "")
	fresh := p.Code()
	proving.Want(t, answer(first, old), enrollment.ReasonChallengeVoid)
	proving.Want(t, answer(first, fresh), enrollment.ReasonChallengeVoid)
	for range 3 {
		proving.Want(t, answer(d.Challenge, otherThan(old, fresh)), enrollment.ReasonWrongCode)
	}
	proving.Want(t, answer(d.Challenge, fresh), enrollment.ReasonLocked)
	proving.Want(t, answer(first, old), enrollment.ReasonLocked)
	k.Pass(time.Minute)
	if old != fresh { // the old one is a wrong guess like any other
		proving.Want(t, answer(d.Challenge, old), enrollment.ReasonWrongCode)
		k.Pass(2 * time.Minute)
	}
	proving.Want(t, answer(first, old), enrollment.ReasonChallengeVoid)
	proving.Want(t, answer(d.Challenge, fresh), "")
}

// TestCase27_DeliveredCodeNotBound: a delivered code was good for another user
// and for another purpose.
func TestCase27_DeliveredCodeNotBound(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	pa, pb := bind(t, alice), bind(t, bob)
	ma, mb := messages(k, pa), messages(k, pb)
	ca := send(t, ma, alice)
	a := pa.Code()
	cb := send(t, mb, bob)
	answer := func(p enrollment.Purpose, challenge enrollment.Challenge, code string) (enrollment.Success, error) {
		return k.Guard.Answer(t.Context(), p, challenge, code)
	}
	if a != pb.Code() {
		_, err := answer(enrollment.PurposeSignIn, cb, a)
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	_, err := answer("delete-project", ca, a)
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	_, err = answer(enrollment.PurposeSignIn, alice.Challenge(), a) // a challenge of her own, without the message
	proving.Want(t, err, enrollment.ReasonWrongCode)
	_, err = k.Guard.Verify(t.Context(), "alice", "delete-project", a)
	proving.Want(t, err, enrollment.ReasonWrongCode)
	_, err = ma.Send(t.Context(), "delete-project", ca)
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := answer(enrollment.PurposeSignIn, ca, a)
	proving.Want(t, err, "")
	if ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorDelivered {
		t.Errorf("success %+v", ok)
	}
	_, err = answer(enrollment.PurposeSignIn, ca, a)
	proving.Want(t, err, enrollment.ReasonChallengeSpent)
	// A code that is to prove an address proves another user's no more.
	b, err := ma.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(alice.Codes[0])})
	proving.Want(t, err, enrollment.ReasonTooSoon)
	k.Pass(enrollment.MessagePause)
	b, err = ma.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+1", Proof: enrollment.ByCode(alice.Codes[0])})
	proving.Want(t, err, "")
	_, err = mb.Confirm(t.Context(), "bob", b.Token, pa.Code())
	proving.Want(t, err, enrollment.ReasonSetupInvalid)
	_, err = k.Guard.Confirm(t.Context(), "alice", b.Token, pa.Code())
	proving.Want(t, err, enrollment.ReasonSetupInvalid)
	_, err = ma.Confirm(t.Context(), "alice", b.Token, pa.Code())
	proving.Want(t, err, "")
}

// TestCase48_HangUpAfterMessage: hanging up made a message, or a guess at one,
// free.
func TestCase48_HangUpAfterMessage(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	challenge, before := u.Challenge(), p.Len()
	ctx, cancel := context.WithCancel(t.Context())
	k.Store.Before(proving.Save, func(context.Context, *proving.Call) { cancel() }) // the caller hangs up now
	m := messages(k, senderFunc(func(ctx context.Context, m enrollment.Message) error {
		return ctx.Err()
	}))
	_, err := m.Send(ctx, enrollment.PurposeSignIn, challenge)
	if !errors.Is(err, enrollment.ErrNotSent) || !errors.Is(err, context.Canceled) {
		t.Errorf("who hangs up gets %v", err)
	}
	k.Store.Straighten()
	m = messages(k, p)
	d, err := m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
	proving.Want(t, err, "")
	if !d.Earlier || p.Len() != before {
		t.Error("another message was sent")
	}
	k.Pass(enrollment.MessagePause)
	d, err = m.Send(t.Context(), enrollment.PurposeSignIn, challenge)
	proving.Want(t, err, "")
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		k.Store.Before(proving.Save, func(context.Context, *proving.Call) { cancel() })
		_, err := k.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, otherThan(p.Code()))
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	k.Store.Straighten()
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, p.Code())
	proving.Want(t, err, enrollment.ReasonLocked)
}

// TestCase19_DeliveredRace: parallel requests with the same right code all
// succeeded.
func TestCase19_DeliveredRace(t *testing.T, open proving.Open) {
	const n = 30
	s := open(t)
	k := proving.Over(t, s)
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	challenge := send(t, m, u)
	k.Store.Gather(n)
	got := proving.Together(n, func(int) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, p.Code())
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonChallengeSpent] != n-1 {
		t.Errorf("outcomes %v, want one success", got)
	}
	// Wrong ones, through the barrier too: five are answered.
	k.Pass(enrollment.MessagePause)
	challenge = send(t, m, u)
	k.Store.Gather(n)
	got = proving.Together(n, func(int) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, otherThan(p.Code()))
		return err
	})
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != n-5 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	// The message is tried out; the next one, sent while the old is answered,
	// leaves exactly one of the two good.
	k.Pass(time.Minute)
	first := send(t, m, u)
	right := p.Code()
	k.Pass(enrollment.MessagePause)
	before := p.Len()
	k.Store.Gather(2)
	racing := messages(k, p)
	got = proving.Together(2, func(i int) error {
		if i == 0 {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, first, right)
			return err
		}
		_, err := racing.Send(t.Context(), enrollment.PurposeSignIn, first)
		return err
	})
	sent := p.Len() - before
	switch {
	case got[""] == 1 && got[enrollment.ReasonChallengeSpent] == 1 && sent == 0: // answered first
	case got[""] == 1 && got[enrollment.ReasonChallengeVoid] == 1 && sent == 1: // sent first
	default:
		t.Errorf("outcomes %v with %d messages", got, sent)
	}
}

// TestCase51_ResetMessageSignsIn: a message for another purpose signed in.
func TestCase51_ResetMessageSignsIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	p := bind(t, u)
	m := messages(k, p)
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "password-reset"})
	proving.Want(t, err, "")
	sent, err := m.Send(t.Context(), "password-reset", d.Challenge)
	proving.Want(t, err, "")
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, sent.Challenge, p.Code())
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := k.Guard.Answer(t.Context(), "password-reset", sent.Challenge, p.Code())
	proving.Want(t, err, "")
	if at := k.Status("alice").LastSignIn; !at.IsZero() {
		t.Error("it counts as a sign-in")
	}
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSignIn, ok.Receipt, time.Minute)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", "password-reset", ok.Receipt, time.Minute)
	proving.Want(t, err, "")
}
