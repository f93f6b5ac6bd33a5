package enrollment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// An inbox is a Sender whose messages arrive at once. Fail, if it is set, is
// asked first.
type inbox struct {
	mu   sync.Mutex
	got  []enrollment.Message
	fail func(ctx context.Context) error
}

func (b *inbox) Send(ctx context.Context, m enrollment.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(ctx); err != nil {
			return err
		}
	}
	b.got = append(b.got, m)
	return nil
}

func (b *inbox) last(t *testing.T) enrollment.Message {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) == 0 {
		t.Fatal("no message has come")
	}
	return b.got[len(b.got)-1]
}

func (b *inbox) code(t *testing.T) string { t.Helper(); return b.last(t).Code() }

// wrong returns a code that is not the last one.
func (b *inbox) wrong(t *testing.T) string {
	t.Helper()
	if b.code(t) == "000000" {
		return "000001"
	}
	return "000000"
}

// A post is a Kit with Messages.
type post struct {
	*enrollmenttest.Kit
	enrollment.Messages
	t     *testing.T
	inbox *inbox
}

func newPost(t *testing.T, adjust ...func(*enrollment.Config)) *post {
	t.Helper()
	p := &post{t: t, inbox: new(inbox)}
	p.Kit = enrollmenttest.New(t, append(adjust, func(c *enrollment.Config) { c.Sender = p.inbox })...)
	p.Messages = p.Guard.Messages()
	return p
}

// addressAlone lets an address be all that an account has.
func addressAlone(c *enrollment.Config) { c.AddressAlone = true }

const phoneNumber = "+41441234567"

func (p *post) begin(user string, proof enrollment.Proof) (enrollment.Binding, error) {
	return p.Bind(p.t.Context(), user, enrollment.BindOptions{Channel: "sms", To: phoneNumber, Proof: proof})
}

// bind binds the phone and lets the messages of the day be forgotten.
func (p *post) bind(user string, proof enrollment.Proof) enrollment.Confirmed {
	p.t.Helper()
	b, err := p.begin(user, proof)
	if err != nil {
		p.t.Fatal(err)
	}
	done, err := p.Confirm(p.t.Context(), user, b.Token, p.inbox.code(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	p.Clock.Advance(24 * time.Hour)
	return done
}

func (p *post) challenge(user string, l enrollment.SignInOptions) enrollment.Decision {
	p.t.Helper()
	d, err := p.Guard.SignIn(p.t.Context(), user, l)
	if err != nil || d.Next != enrollment.AskCode {
		p.t.Fatalf("SignIn: %v, %v", d.Next, err)
	}
	return d
}

func (p *post) send(challenge string) enrollment.Delivery {
	p.t.Helper()
	d, err := p.Send(p.t.Context(), enrollment.PurposeSignIn, challenge)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func (p *post) answer(challenge, code string) error {
	_, err := p.Guard.Answer(p.t.Context(), enrollment.PurposeSignIn, challenge, code)
	return err
}

func (p *post) status(user string) enrollment.Status {
	p.t.Helper()
	s, err := p.Guard.Status(p.t.Context(), user)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *post) want(err error, r enrollment.Reason) {
	p.t.Helper()
	if got := modelReason(err); got != r {
		p.t.Fatalf("got %q (%v), want %q", got, err, r)
	}
}

// TestFeatureR2_TextMessages: the user chooses text messages; the phone number is
// confirmed by a code sent to it.
func TestFeatureR2_TextMessages(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone)
	b, err := p.begin("alice", enrollment.Proof{})
	p.want(err, "")
	m := p.inbox.last(t)
	if m.UserID != "alice" || m.Purpose != enrollment.PurposeSetup || m.Channel != "sms" || m.To != phoneNumber ||
		!m.Expires.Equal(b.Expires) || !b.Expires.Equal(p.Clock.Now().Add(enrollment.DeliveryTTL)) || len(m.Code()) != 6 {
		t.Errorf("the message is %+v to %s until %v", m, m.To, m.Expires)
	}
	if s := p.status("alice"); s.Enabled() || s.Address != nil {
		t.Errorf("before the code, the status is %+v", s)
	}
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.inbox.wrong(t))
	p.want(err, enrollment.ReasonWrongCode)
	done, err := p.Confirm(t.Context(), "alice", b.Token, m.Code())
	p.want(err, "")
	if done.Did != enrollment.EventEnabled || done.Codes.Len() != 10 || done.Success.Factor != enrollment.FactorDelivered ||
		done.Success.Purpose != enrollment.PurposeSetup || done.Success.UserID != "alice" {
		t.Errorf("%v, %d codes, %+v", done.Did, done.Codes.Len(), done.Success)
	}
	if e := p.Events(); len(e) != 1 || e[0].Kind != enrollment.EventEnabled || e[0].Factor != enrollment.FactorDelivered || e[0].Name != "sms" {
		t.Errorf("events %+v", e)
	}
	_, err = p.Confirm(t.Context(), "alice", b.Token, m.Code())
	p.want(err, enrollment.ReasonNoSetup)

	p.Clock.Advance(enrollment.MessagePause)
	d := p.challenge("alice", enrollment.SignInOptions{})
	if !slices.Equal(d.Factors, []enrollment.Factor{enrollment.FactorDelivered, enrollment.FactorRecovery}) {
		t.Errorf("factors %v", d.Factors)
	}
	sent := p.send(d.Challenge)
	if sent.Address.Channel != "sms" || sent.Address.Hint != "…67" {
		t.Errorf("sent to %+v", sent.Address)
	}
	ok, err := p.Guard.Answer(t.Context(), enrollment.PurposeSignIn, sent.Challenge, p.inbox.code(t))
	p.want(err, "")
	s := p.status("alice")
	if ok.Factor != enrollment.FactorDelivered || s.LastFactor != enrollment.FactorDelivered || !s.LastSignIn.Equal(p.Clock.Now()) ||
		!s.Address.Used.Equal(p.Clock.Now()) || !s.Address.Added.Before(s.Address.Used) {
		t.Errorf("%+v, %+v", ok, s)
	}
}

// A Guard that can't send neither offers nor takes what needs a message, and all
// else works.
func TestMessagesWithoutSender(t *testing.T) {
	t.Parallel()
	inbox := new(proving.Inbox)
	k := proving.New(t, func(c *enrollment.Config) { c.Sender = inbox })
	alice := k.Enroll("alice")
	mute := k.Node(func(c *enrollment.Config) { c.Sender = nil })
	bind := func(g *enrollment.Guard) (enrollment.Binding, error) {
		return g.Messages().Bind(t.Context(), "alice", enrollment.BindOptions{
			Channel: "sms", To: phoneNumber, Proof: enrollment.ByReceipt(alice.Receipt()),
		})
	}
	wantSender := func(err error) {
		t.Helper()
		if err == nil || errors.As(err, new(*enrollment.Denied)) || !strings.Contains(err.Error(), "Config.Sender") {
			t.Errorf("without a sender: %v", err)
		}
	}
	_, err := bind(mute)
	wantSender(err)
	b, err := bind(k.Guard)
	granted(t, err)
	_, err = mute.Messages().Confirm(t.Context(), "alice", b.Token, inbox.Code())
	granted(t, err)
	k.Pass(enrollment.MessagePause)
	for g, want := range map[*enrollment.Guard]bool{k.Guard: true, mute: false} {
		d, err := g.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		granted(t, err)
		if offered := slices.Contains(d.Factors, enrollment.FactorDelivered); offered != want {
			t.Errorf("with a sender %v: offered are %v", want, d.Factors)
		}
	}
	k.Unchanged("alice", func() {
		_, err = mute.Messages().Send(t.Context(), enrollment.PurposeSignIn, alice.Challenge())
		wantSender(err)
	})
	d, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, alice.Challenge())
	granted(t, err)
	ok, err := mute.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, inbox.Code())
	granted(t, err)
	if ok.Factor != enrollment.FactorDelivered {
		t.Errorf("answered with %q", ok.Factor)
	}
	granted(t, mute.Messages().Unbind(t.Context(), "alice", enrollment.ByReceipt(alice.Receipt())))
}

func TestMessagesRefuse(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	for name, o := range map[string]enrollment.BindOptions{
		"no channel":       {To: "x"},
		"a long channel":   {Channel: strings.Repeat("c", enrollment.MaxChannel+1), To: "x"},
		"a broken channel": {Channel: "a\nb", To: "x"},
		"no address":       {Channel: "sms"},
		"a long address":   {Channel: "sms", To: strings.Repeat("1", enrollment.MaxAddress+1)},
		"a broken address": {Channel: "sms", To: "+41\r\nBcc: x"},
		"no text":          {Channel: "sms", To: "\xff"},
	} {
		_, err := p.Bind(t.Context(), "alice", o)
		if err == nil || errors.As(err, new(*enrollment.Denied)) || o.To != "" && o.To != "x" && strings.Contains(err.Error(), o.To) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Send(t.Context(), "", "x"); err == nil {
		t.Error("sent for no purpose")
	}
	_, err := p.Send(t.Context(), enrollment.PurposeSignIn, "x")
	p.want(err, enrollment.ReasonChallengeInvalid)
	_, err = p.Confirm(t.Context(), "alice", "x", "123456")
	p.want(err, enrollment.ReasonSetupInvalid)
	if len(p.inbox.got) != 0 {
		t.Error("something was sent")
	}
}

// An address is bound to an account that has an app, unless the host says that it
// may be alone.
func TestBindAlone(t *testing.T) {
	t.Parallel()
	inbox := new(proving.Inbox)
	k := proving.New(t, func(c *enrollment.Config) { c.Sender = inbox })
	strict, alone := k.Guard.Messages(), k.Node(addressAlone).Messages()
	bind := enrollment.BindOptions{Channel: "sms", To: phoneNumber}
	_, err := strict.Bind(t.Context(), "alice", bind)
	wantReason(t, err, enrollment.ReasonNotEnrolled)
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refusal left a record: %v", err)
	}
	// What was begun where it may be alone is not finished where it may not.
	b, err := alone.Bind(t.Context(), "alice", bind)
	granted(t, err)
	_, err = strict.Confirm(t.Context(), "alice", b.Token, inbox.Code())
	wantReason(t, err, enrollment.ReasonNotEnrolled)
	_, err = alone.Confirm(t.Context(), "alice", b.Token, inbox.Code())
	granted(t, err)
}

// Binding an address is adding a factor: it takes the proof that Begin takes.
func TestBindProofs(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone, func(c *enrollment.Config) { c.AllowReauth = true })
	u := p.Enroll("alice")
	verify := func(code string) enrollment.Proof {
		ok, err := p.Guard.Verify(t.Context(), "alice", "x", code)
		p.want(err, "")
		return enrollment.ByReceipt(ok.Receipt)
	}
	for name, c := range map[string]struct {
		proof func() enrollment.Proof
		want  enrollment.Reason
	}{
		"none":               {func() enrollment.Proof { return enrollment.Proof{} }, enrollment.ReasonProofRequired},
		"a wrong code":       {func() enrollment.Proof { return enrollment.ByCode(u.WrongCode()) }, enrollment.ReasonWrongCode},
		"no code":            {func() enrollment.Proof { return enrollment.ByCode("x") }, enrollment.ReasonMalformedCode},
		"no receipt":         {func() enrollment.Proof { return enrollment.ByReceipt("x") }, enrollment.ReasonProofInvalid},
		"a password":         {func() enrollment.Proof { return enrollment.ByReauth("password") }, enrollment.ReasonProofNotAllowed},
		"an app's code":      {func() enrollment.Proof { return enrollment.ByCode(u.Code()) }, ""},
		"a recovery code":    {func() enrollment.Proof { return enrollment.ByCode(u.RecoveryCodes[0]) }, ""},
		"an app's receipt":   {func() enrollment.Proof { return verify(u.Code()) }, ""},
		"a recovery receipt": {func() enrollment.Proof { return verify(u.RecoveryCodes[1]) }, ""},
	} {
		p.Clock.Advance(24 * time.Hour)
		before := len(p.inbox.got)
		b, err := p.begin("alice", c.proof())
		if got := modelReason(err); got != c.want {
			t.Fatalf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if sent := len(p.inbox.got) - before; (sent == 1) != (c.want == "") {
			t.Errorf("%s: %d messages", name, sent)
		}
		if c.want == "" {
			done, err := p.Confirm(t.Context(), "alice", b.Token, p.inbox.code(t))
			p.want(err, "")
			if done.Did != enrollment.EventAddressBound || done.Codes.Len() != 0 {
				t.Errorf("%s: %v, %d codes", name, done.Did, done.Codes.Len())
			}
		}
	}
	if n := p.status("alice"); n.CodesLeft != 8 || len(n.Authenticators) != 1 {
		t.Errorf("%d codes left", n.CodesLeft)
	}
}

// The receipt of a delivered code says who answered, and changes nothing.
func TestDeliveredReceiptChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPost(t, func(c *enrollment.Config) { c.KeepCodes = true })
	u := p.Enroll("alice")
	bound := p.bind("alice", enrollment.ByCode(u.Code()))
	d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	ok, err := p.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, p.inbox.code(t))
	p.want(err, "")
	p.Clock.Advance(enrollment.MessagePause)
	if p.status("alice").CodesLeft != 10 || bound.Codes.Len() != 0 {
		t.Error("the account had codes and got others")
	}
	ctx, by := t.Context(), enrollment.ByReceipt(ok.Receipt)
	before, err := p.Store.Load(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"begin": func() error {
			_, err := p.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: by})
			return err
		},
		"new_codes": func() error { _, err := p.Guard.RenewCodes(ctx, "alice", by); return err },
		"codes":     func() error { _, err := p.Guard.RecoveryCodes(ctx, "alice", by); return err },
		"disable":   func() error { return p.Guard.Disable(ctx, "alice", by) },
		"bind":      func() error { _, err := p.begin("alice", by); return err },
		"unbind":    func() error { return p.Unbind(ctx, "alice", by) },
	} {
		if r := modelReason(change()); r != enrollment.ReasonProofNotAllowed {
			t.Errorf("%s: %q", name, r)
		}
	}
	if after, err := p.Store.Load(ctx, "alice"); err != nil || after.Version != before.Version {
		t.Error("the record has changed")
	}
	if _, err := p.Guard.RecentlyVerified(ctx, "alice", enrollment.PurposeSignIn, ok.Receipt, time.Hour); err != nil {
		t.Error(err)
	}
}

// What a user with nothing but an address can do: everything, by a recovery code.
func TestAddressAlone(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone)
	done := p.bind("alice", enrollment.Proof{})
	codes := done.Codes.Reveal()
	ctx := t.Context()
	_, err := p.begin("alice", enrollment.Proof{})
	p.want(err, enrollment.ReasonProofRequired)
	p.want(p.Unbind(ctx, "alice", enrollment.ByCode(codes[0])), enrollment.ReasonLastAuthenticator)
	_, err = p.Guard.Verify(ctx, "alice", "x", "123456")
	p.want(err, enrollment.ReasonWrongCode)
	if s := p.status("alice"); s.CodesLeft != 10 || len(s.Locks) != 0 {
		t.Errorf("%+v", s)
	}
	// It steps up by a challenge for the purpose.
	d := p.challenge("alice", enrollment.SignInOptions{Purpose: "delete-project"})
	sent, err := p.Send(ctx, "delete-project", d.Challenge)
	p.want(err, "")
	if m := p.inbox.last(t); m.Purpose != "delete-project" {
		t.Errorf("the message says %q", m.Purpose)
	}
	ok, err := p.Guard.Answer(ctx, "delete-project", sent.Challenge, p.inbox.code(t))
	p.want(err, "")
	_, err = p.Guard.RecentlyVerified(ctx, "alice", "delete-project", ok.Receipt, time.Minute)
	p.want(err, "")
	// Another phone, an app beside it, and off.
	p.Clock.Advance(time.Hour)
	b, err := p.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: "+15550100999", Proof: enrollment.ByCode(codes[1])})
	p.want(err, "")
	if s := p.status("alice"); s.Address.Hint != "…67" {
		t.Errorf("before it is confirmed the address is %+v", s.Address)
	}
	changed, err := p.Confirm(ctx, "alice", b.Token, p.inbox.code(t))
	p.want(err, "")
	if s := p.status("alice"); changed.Did != enrollment.EventAddressBound || s.Address.Hint != "…99" {
		t.Errorf("%v, %+v", changed.Did, s.Address)
	}
	setup, err := p.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(codes[2])})
	p.want(err, "")
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	added, err := p.Guard.Confirm(ctx, "alice", setup.Token, app.Code(p.Clock.Now()))
	p.want(err, "")
	if added.Did != enrollment.EventAuthenticatorAdded {
		t.Errorf("%v", added.Did)
	}
	p.want(p.Guard.Remove(ctx, "alice", added.Success.Authenticator, enrollment.ByReceipt(added.Success.Receipt)), enrollment.ReasonLastAuthenticator)
	p.want(p.Unbind(ctx, "alice", enrollment.ByReceipt(added.Success.Receipt)), "")
	p.want(p.Unbind(ctx, "alice", enrollment.ByCode(codes[3])), enrollment.ReasonNoAddress)
	if s := p.status("alice"); s.Address != nil || !s.Enabled() {
		t.Errorf("%+v", s)
	}
	p.want(p.Guard.Disable(ctx, "alice", enrollment.ByCode(codes[3])), "")
	p.want(p.Unbind(ctx, "alice", enrollment.ByCode(codes[4])), enrollment.ReasonNotEnrolled)
	var kinds []enrollment.EventKind
	for _, e := range p.Events() {
		kinds = append(kinds, e.Kind)
		if e.Kind == enrollment.EventAddressBound || e.Kind == enrollment.EventAddressRemoved {
			e.ID = "" // its digits could be the number's
			if text := fmt.Sprintf("%+v", e); e.Name != "sms" || strings.Contains(text, phoneNumber) || strings.Contains(text, "555") {
				t.Errorf("%+v", e)
			}
		}
	}
	if want := []enrollment.EventKind{
		enrollment.EventEnabled, enrollment.EventRecoveryUsed, enrollment.EventAddressBound, enrollment.EventRecoveryUsed,
		enrollment.EventAuthenticatorAdded, enrollment.EventAddressRemoved, enrollment.EventRecoveryUsed, enrollment.EventDisabled,
	}; !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
}

// A message prolongs what it was asked for with once, not for ever.
func TestLifetimeOfDelivery(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	d := p.challenge("alice", enrollment.SignInOptions{})
	issued := p.Clock.Now()
	first := p.send(d.Challenge)
	p.Clock.Advance(enrollment.ChallengeTTL - time.Second)
	second := p.send(first.Challenge) // sending another, with what Send returned
	if want := p.Clock.Now().Add(enrollment.DeliveryTTL); !second.Expires.Equal(want) || !p.inbox.last(t).Expires.Equal(want) {
		t.Errorf("it expires %v after the sign-in", second.Expires.Sub(issued))
	}
	p.Clock.Advance(enrollment.MessagePause)
	for name, c := range map[string]string{"of SignIn": d.Challenge, "of the first": first.Challenge, "of the second": second.Challenge} {
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, c)
		if got := modelReason(err); got != enrollment.ReasonChallengeExpired {
			t.Errorf("the challenge %s sends: %q", name, got)
		}
	}
	p.want(p.answer(d.Challenge, u.Code()), enrollment.ReasonChallengeExpired)
	p.Clock.Advance(second.Expires.Sub(p.Clock.Now()) - time.Microsecond)
	p.want(p.answer(second.Challenge, p.inbox.wrong(t)), enrollment.ReasonWrongCode)
	p.Clock.Advance(time.Microsecond)
	p.want(p.answer(second.Challenge, p.inbox.code(t)), enrollment.ReasonChallengeExpired)
	p.Clock.Advance(-time.Hour) // the clock goes back
	p.want(p.answer(second.Challenge, p.inbox.code(t)), enrollment.ReasonChallengeExpired)
	p.Clock.Advance(time.Hour - time.Microsecond)
	p.want(p.answer(second.Challenge, p.inbox.code(t)), "")
}

// The challenge of a message and the one that it came from are one: who has
// answered either can't answer the other, now or later.
func TestDeliverySpendsBoth(t *testing.T) {
	t.Parallel()
	for name, messageFirst := range map[string]bool{"the message first": true, "the app first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			u := p.Enroll("alice")
			p.bind("alice", enrollment.ByCode(u.Code()))
			d := p.challenge("alice", enrollment.SignInOptions{})
			p.Clock.Advance(9 * time.Minute)
			sent := p.send(d.Challenge)
			byMessage := func() error { return p.answer(sent.Challenge, p.inbox.code(t)) }
			byApp := func() error { return p.answer(d.Challenge, u.Code()) }
			first, second := byApp, byMessage
			if messageFirst {
				first, second = byMessage, byApp
			}
			p.want(first(), "")
			p.Clock.Advance(30 * time.Second)
			p.want(second(), enrollment.ReasonChallengeSpent)
			_, err := p.Send(t.Context(), enrollment.PurposeSignIn, sent.Challenge)
			p.want(err, enrollment.ReasonChallengeSpent)
			p.Clock.Advance(time.Minute) // SignIn's has expired
			p.want(byApp(), enrollment.ReasonChallengeExpired)
			p.want(byMessage(), enrollment.ReasonChallengeSpent)
			// A write tidies the list of spent ones.
			p.want(p.answer(p.challenge("alice", enrollment.SignInOptions{}).Challenge, u.Code()), "")
			p.want(byMessage(), enrollment.ReasonChallengeSpent)
		})
	}
}

// What can't be answered can't send.
func TestSendNeedsAnOpenChallenge(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	send := func(c string) error {
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, c)
		return err
	}
	spent, void, other := p.challenge("alice", enrollment.SignInOptions{}), p.challenge("alice", enrollment.SignInOptions{}), p.challenge("alice", enrollment.SignInOptions{Purpose: "x"})
	p.want(p.answer(spent.Challenge, u.Code()), "")
	p.want(send(spent.Challenge), enrollment.ReasonChallengeSpent)
	p.want(send(other.Challenge), enrollment.ReasonChallengeInvalid)
	p.want(send(void.Challenge[1:]), enrollment.ReasonChallengeInvalid)
	if _, err := p.Guard.Verify(t.Context(), "alice", "x", u.RecoveryCodes[0]); err != nil {
		t.Fatal(err)
	}
	p.want(send(void.Challenge), enrollment.ReasonChallengeVoid)
	if n := len(p.inbox.got); n != 1 {
		t.Errorf("%d messages were sent", n-1)
	}
	d := p.challenge("alice", enrollment.SignInOptions{})
	p.want(p.Unbind(t.Context(), "alice", enrollment.ByCode(u.RecoveryCodes[1])), "")
	p.want(send(d.Challenge), enrollment.ReasonChallengeVoid)
	p.want(send(p.challenge("alice", enrollment.SignInOptions{}).Challenge), enrollment.ReasonNoAddress)
}

// A code over the channel of the first factor is no second factor.
func TestSameChannel(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	for channel, refused := range map[string]bool{"sms": true, "SMS": true, "email": false, "": false} {
		d := p.challenge("alice", enrollment.SignInOptions{Channel: channel})
		if slices.Contains(d.Factors, enrollment.FactorDelivered) == refused {
			t.Errorf("after %q the factors are %v", channel, d.Factors)
		}
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
		want := enrollment.Reason("")
		if refused {
			want = enrollment.ReasonSameChannel
		}
		p.want(err, want)
		p.Clock.Advance(24 * time.Hour)
	}
	// It stays with the challenges that Send returns.
	d := p.send(p.challenge("alice", enrollment.SignInOptions{Channel: "email"}).Challenge)
	p.Clock.Advance(enrollment.MessagePause)
	b, err := p.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "email", To: "alice@example.com", Proof: enrollment.ByCode(u.Code())})
	p.want(err, "")
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.inbox.code(t))
	p.want(err, "")
	_, err = p.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
	p.want(err, enrollment.ReasonChallengeVoid)
}

// What is typed for a message is held against the message or the recovery codes,
// once.
func TestWhatIsTypedForMessage(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	if c := u.Code(); c != p.inbox.code(t) {
		p.want(p.answer(d.Challenge, c), enrollment.ReasonWrongCode)
		if _, err := p.Guard.Verify(t.Context(), "alice", "x", c); err != nil {
			t.Errorf("the app's code was used up: %v", err)
		}
	}
	p.want(p.answer(d.Challenge, "hello"), enrollment.ReasonMalformedCode)
	p.want(p.answer(d.Challenge, "12345"), enrollment.ReasonMalformedCode)
	p.want(p.answer(d.Challenge, "0"+p.inbox.code(t)), enrollment.ReasonMalformedCode)
	p.want(p.answer(d.Challenge, u.RecoveryCodes[0]), "")
	if s := p.status("alice"); s.CodesLeft != 9 || s.LastFactor != enrollment.FactorRecovery {
		t.Errorf("%+v", s)
	}
	// In any script.
	p.Clock.Advance(24 * time.Hour)
	for _, zero := range []rune{'0', '０', '٠', '०', '𝟎'} {
		d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
		var typed strings.Builder
		for i, r := range p.inbox.code(t) {
			if i == 3 {
				typed.WriteRune(' ')
			}
			typed.WriteRune(zero + r - '0')
		}
		p.want(p.answer(d.Challenge, typed.String()), "")
		p.Clock.Advance(enrollment.MessagePause)
	}
}

// A later address takes the place of one that waits, and every message of one
// that was sent before it.
func TestBindSuperseded(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	first, err := p.begin("alice", enrollment.ByCode(u.Code()))
	p.want(err, "")
	old := p.inbox.code(t)
	p.Clock.Advance(enrollment.MessagePause)
	second, err := p.begin("alice", enrollment.ByCode(u.Code()))
	p.want(err, "")
	_, err = p.Confirm(t.Context(), "alice", first.Token, old)
	p.want(err, enrollment.ReasonSetupSuperseded)
	_, err = p.Confirm(t.Context(), "bob", second.Token, p.inbox.code(t))
	p.want(err, enrollment.ReasonSetupInvalid)
	_, err = p.Confirm(t.Context(), "alice", second.Token, "hello")
	p.want(err, enrollment.ReasonMalformedCode)
	_, err = p.Confirm(t.Context(), "alice", second.Token, p.inbox.code(t))
	p.want(err, "")
	p.Clock.Advance(enrollment.MessagePause)
	third, err := p.begin("alice", enrollment.ByCode(u.Code()))
	p.want(err, "")
	code := p.inbox.code(t)
	p.Clock.Advance(enrollment.MessagePause)
	p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	_, err = p.Confirm(t.Context(), "alice", third.Token, code)
	p.want(err, enrollment.ReasonNoSetup)
	p.Clock.Advance(enrollment.DeliveryTTL)
	_, err = p.Confirm(t.Context(), "alice", third.Token, code)
	p.want(err, enrollment.ReasonSetupExpired)
}

// After a reset with a ticket, the address needs it as an app does.
func TestBindNeedsTicket(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone)
	p.Enroll("alice")
	ticket, err := p.Guard.Admin("bob", "lost the phone").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	p.want(err, "")
	bind := func(ticket string) error {
		b, err := p.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: phoneNumber, Ticket: ticket})
		if err != nil {
			return err
		}
		_, err = p.Confirm(t.Context(), "alice", b.Token, p.inbox.code(t))
		return err
	}
	p.want(bind(""), enrollment.ReasonTicketRequired)
	p.want(bind(strings.Repeat("0", 16)), enrollment.ReasonTicketInvalid)
	if len(p.inbox.got) != 0 {
		t.Error("something was sent without a ticket")
	}
	p.want(bind(ticket.Reveal()), "")
}

// A Sender can fail, panic and take its time. The message counts.
func TestSenderFails(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	down := errors.New("the gateway is down")
	send := func(ctx context.Context) (enrollment.Delivery, error) {
		return p.Send(ctx, enrollment.PurposeSignIn, p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	}
	for name, fail := range map[string]func(ctx context.Context) error{
		"fails":  func(context.Context) error { return down },
		"panics": func(context.Context) error { panic("CANARY") },
		"ends":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		p.Clock.Advance(24 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		p.inbox.fail = func(ctx context.Context) error { cancel(); return fail(ctx) }
		d, err := send(ctx)
		if !errors.Is(err, enrollment.ErrNotSent) || errors.As(err, new(*enrollment.Denied)) || d != (enrollment.Delivery{}) ||
			strings.Contains(err.Error(), "CANARY") || name == "fails" && !errors.Is(err, down) {
			t.Errorf("a sender that %s: %v", name, err)
		}
		p.inbox.fail = nil
		_, err = send(t.Context())
		p.want(err, enrollment.ReasonTooManyMessages)
		p.Clock.Advance(enrollment.MessagePause)
		b, err := p.begin("alice", enrollment.ByCode(u.Code()))
		p.want(err, "")
		if b.Token == "" {
			t.Error("no token")
		}
		p.Clock.Advance(enrollment.MessagePause)
		ctx, cancel = context.WithCancel(t.Context())
		p.inbox.fail = func(ctx context.Context) error { cancel(); return fail(ctx) }
		b, err = p.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: phoneNumber, Proof: enrollment.ByCode(u.Code())})
		if !errors.Is(err, enrollment.ErrNotSent) || b != (enrollment.Binding{}) {
			t.Errorf("Bind, a sender that %s: %v", name, err)
		}
		p.inbox.fail = nil
	}
	// While one takes its time, the account serves others.
	p.Clock.Advance(24 * time.Hour)
	entered, leave := make(chan struct{}), make(chan struct{})
	p.inbox.fail = func(context.Context) error {
		close(entered)
		<-leave
		return nil
	}
	c := p.challenge("alice", enrollment.SignInOptions{}).Challenge
	done := make(chan error)
	go func() {
		_, err := p.Send(context.Background(), enrollment.PurposeSignIn, c)
		done <- err
	}()
	<-entered
	p.want(p.answer(c, u.RecoveryCodes[0]), "")
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCase55_Message: whatever a host does with a message, the code does not
// show.
func TestCase55_Message(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	p := newPost(t, addressAlone, func(c *enrollment.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "id" { // their digits could be anybody's code
					return slog.Attr{}
				}
				return a
			},
		}))
	})
	p.bind("alice", enrollment.Proof{})
	d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	m := p.inbox.last(t)
	p.want(p.answer(d.Challenge, p.inbox.wrong(t)), enrollment.ReasonWrongCode)
	p.want(p.answer(d.Challenge, m.Code()), "")
	code := m.Code()
	canaries := []string{code, fmt.Sprintf("%x", code), fmt.Sprintf("%X", code), strings.Trim(fmt.Sprint([]byte(code)), "[]")}
	type host struct {
		m enrollment.Message
		p *enrollment.Message
	}
	m.Expires = time.Time{} // its digits could be the code's
	h := host{m, &m}
	for _, x := range []any{m, &m, h, &h, []host{h}, map[string]host{"x": h}, p.Messages, p.inbox.got[:0]} {
		texts := make(map[string]string)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%b", "%e", "%U"} {
			texts[verb] = fmt.Sprintf(verb, x)
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
		_, texts["slog"], _ = strings.Cut(b.String(), "msg=")
		if j, err := json.Marshal(x); err == nil {
			texts["json"] = string(j)
		}
		for how, text := range texts {
			if how == "%#v" || how == "%p" || strings.Contains(text, "0x") {
				continue // addresses in memory have digits of their own
			}
			for i, c := range canaries {
				if strings.Contains(text, c) {
					t.Errorf("%s of %T shows canary %d: %s", how, x, i, text)
				}
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s %d", m, m, m, &m, m); strings.Contains(text, phoneNumber) || strings.Count(text, "redacted") != 5 {
		t.Errorf("a message shows as %s", text)
	}
	if j, err := json.Marshal(m); err == nil {
		t.Errorf("a message marshals: %s", j)
	}
	if !strings.Contains(m.String(), "redacted") || m.GoString() != m.String() || m.LogValue().String() != m.String() {
		t.Errorf("a message shows as %q", m.String())
	}
	if (enrollment.Message{}).Code() != "" {
		t.Error("the zero message has a code")
	}
	if text := logged.String(); strings.Count(text, "\n") < 6 || strings.Contains(text, code) || strings.Contains(text, phoneNumber) {
		t.Errorf("the log says\n%s", text)
	}
}

// TestCase31_StatusShowsNoAddress: the status says where codes go as far as the
// owner has to know.
func TestCase31_StatusShowsNoAddress(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone)
	p.bind("alice", enrollment.Proof{})
	s := p.status("alice")
	j, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "s", s, "a", *s.Address)
	_, said, _ := strings.Cut(logged.String(), `"msg"`) // the digits of the time could be the number's
	for _, text := range []string{string(j), said, fmt.Sprintf("%+v %+v", s, *s.Address)} {
		if strings.Contains(text, phoneNumber[1:]) || strings.Contains(text, "4123") || !strings.Contains(text, "…67") {
			t.Errorf("the status shows %s", text)
		}
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"+41441234567":          "…67",
		"+4144 123 45 67":       "…67",
		"123456":                "…56",
		"12345":                 "…",
		"123":                   "…",
		"1":                     "…",
		"alice@example.com":     "a…@example.com",
		"émile@example.com":     "é…@example.com",
		"bob@example.com":       "b…@example.com",
		"al@example.com":        "…@example.com",
		"a@b.c":                 "…@b.c",
		"\"a@b\"@example.com":   "\"…@example.com",
		"@alice":                "…ce",
		"@x":                    "…",
		"alice@":                "a…@",
		"日本語電話番号":               "…番号",
		"device-7f3a90b1c2d3e4": "…e4",
	} {
		got := enrollment.Hint(to)
		if got != want {
			t.Errorf("of %q it shows %q, want %q", to, got, want)
		}
		if shown := strings.Replace(got, "…", "", 1); shown == to || len([]rune(shown)) >= len([]rune(to)) {
			t.Errorf("of %q it shows %q, which is all of it", to, got)
		}
	}
}

// TestCase21_DeliveredCodesAreUniform: codes were drawn with a bias.
func TestCase21_DeliveredCodesAreUniform(t *testing.T) {
	t.Parallel()
	const n = 3000
	p := newPost(t, addressAlone)
	var count [6][10]int
	for i := range n {
		if _, err := p.begin(fmt.Sprint("user-", i), enrollment.Proof{}); err != nil {
			t.Fatal(err)
		}
		code := p.inbox.code(t)
		if len(code) != 6 {
			t.Fatalf("a code of %d digits", len(code))
		}
		for place, r := range code {
			count[place][r-'0']++
		}
	}
	for place, digits := range count {
		for digit, times := range digits {
			if times < n/10-100 || times > n/10+100 { // six standard deviations
				t.Errorf("digit %d comes %d times at place %d", digit, times, place)
			}
		}
	}
}

// A source of randomness that is stuck does not hang the draw, and one that
// fails fails it.
func TestDrawingFromBrokenSource(t *testing.T) {
	t.Parallel()
	for _, b := range []byte{0x00, 0x7f, 0xff} {
		p := newPost(t, addressAlone)
		p.Guard.SetRandom(stuck(b))
		if _, err := p.begin("alice", enrollment.Proof{}); err != nil || len(p.inbox.code(t)) != 6 {
			t.Errorf("stuck at %x: %v", b, err)
		}
	}
	p := newPost(t, addressAlone)
	for n := range 24 {
		p.Guard.SetRandom(bytes.NewReader(make([]byte, n)))
		if _, err := p.begin("alice", enrollment.Proof{}); err == nil || len(p.inbox.got) != 0 {
			t.Fatalf("with %d bytes of randomness: %v", n, err)
		}
	}
}

// stuck is a source that always returns the same byte.
type stuck byte

func (s stuck) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(s)
	}
	return len(b), nil
}

// A lock of delivered codes is told, shown, and ended like that of an app.
func TestDeliveredLock(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	u := p.Enroll("alice")
	p.bind("alice", enrollment.ByCode(u.Code()))
	d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
	var err error
	for range 5 {
		err = p.answer(d.Challenge, p.inbox.wrong(t))
		p.want(err, enrollment.ReasonWrongCode)
	}
	var denied *enrollment.Denied
	until := p.Clock.Now().Add(time.Minute)
	if !errors.As(err, &denied) || denied.Factor != enrollment.FactorDelivered || !denied.RetryAt.Equal(until) {
		t.Errorf("%+v", denied)
	}
	if l := p.status("alice").Locks; len(l) != 1 || l[0] != (enrollment.Lock{Factor: enrollment.FactorDelivered, Until: until}) {
		t.Errorf("locks %+v", l)
	}
	events := p.Events()
	if e := events[len(events)-1]; e.Kind != enrollment.EventLocked || e.Factor != enrollment.FactorDelivered {
		t.Errorf("event %+v", e)
	}
	p.Clock.Advance(30 * time.Second)
	p.want(p.Unbind(t.Context(), "alice", enrollment.ByCode(u.Code())), "")
	_, err = p.begin("alice", enrollment.ByCode(u.RecoveryCodes[0]))
	p.want(err, enrollment.ReasonLocked) // before the proof is looked at
	if s := p.status("alice"); len(s.Locks) != 1 || s.CodesLeft != 10 {
		t.Errorf("%+v", s)
	}
	_, err = p.Guard.Verify(t.Context(), "alice", "x", u.RecoveryCodes[0])
	p.want(err, "")
	_, err = p.begin("alice", enrollment.ByCode(u.RecoveryCodes[1]))
	p.want(err, enrollment.ReasonTooManyMessages) // which a recovery code does not end
}

// Who guesses at the code for a first address is locked. Status shows it, and an
// administrator ends it, although nothing is on.
func TestLockedBeforeTheFirstAddress(t *testing.T) {
	t.Parallel()
	p := newPost(t, addressAlone)
	b, err := p.begin("alice", enrollment.Proof{})
	p.want(err, "")
	for range 5 {
		_, err := p.Confirm(t.Context(), "alice", b.Token, p.inbox.wrong(t))
		p.want(err, enrollment.ReasonWrongCode)
	}
	until := p.Clock.Now().Add(time.Minute)
	s := p.status("alice")
	if len(s.Locks) != 1 || s.Locks[0] != (enrollment.Lock{Factor: enrollment.FactorDelivered, Until: until}) || s.Enabled() {
		t.Errorf("%+v", s)
	}
	_, err = p.begin("alice", enrollment.Proof{})
	p.want(err, enrollment.ReasonLocked)
	admin := p.Guard.Admin("root", "called")
	p.want(admin.Unlock(t.Context(), "alice"), "")
	if e := p.Events(); len(e) != 2 || e[0].Kind != enrollment.EventLocked || e[1].Kind != enrollment.EventUnlocked || e[1].Actor != "root" {
		t.Errorf("events %+v", e)
	}
	if s := p.status("alice"); len(s.Locks) != 0 {
		t.Errorf("locks %+v", s.Locks)
	}
	p.want(admin.Unlock(t.Context(), "alice"), enrollment.ReasonNotEnrolled) // nothing is locked any more
	p.Clock.Advance(enrollment.MessagePause - time.Second)                   // the lock would still be there
	_, err = p.begin("alice", enrollment.Proof{})
	p.want(err, enrollment.ReasonTooManyMessages)
	p.Clock.Advance(time.Second)
	b, err = p.begin("alice", enrollment.Proof{})
	p.want(err, "")
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.inbox.code(t))
	p.want(err, "")
}

// Where a code from a message is asked for, a recovery code of another system is
// taken as well, digits or not; six of them are the message's.
func TestImportedCodeInsteadOfTheMessage(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	key := proving.TheirKey(t, "alice", totp.Params{})
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	for _, code := range []string{"12345678", "123456", "1234567"} {
		sum := sha256.Sum256([]byte(code))
		im.RecoveryHashes = append(im.RecoveryHashes, sum[:])
	}
	p.want(p.Guard.Admin("root", "moving").Import(t.Context(), "alice", im), "")
	p.Clock.Advance(time.Hour)
	p.bind("alice", enrollment.ByCode(modelShown(key, p.Clock.Now())))
	for _, x := range []struct {
		code string
		want enrollment.Reason
		left int
	}{{"123456", enrollment.ReasonWrongCode, 3}, {"12345678", "", 2}, {"12345678", enrollment.ReasonReplayed, 2}, {"1234567", "", 1}} {
		p.Clock.Advance(time.Hour)
		d := p.send(p.challenge("alice", enrollment.SignInOptions{}).Challenge)
		if p.inbox.code(t) == x.code {
			continue // once in a million times
		}
		p.want(p.answer(d.Challenge, x.code), x.want)
		if left := p.status("alice").CodesLeft; left != x.left {
			t.Errorf("%d codes are left after %s, want %d", left, x.code, x.left)
		}
	}
}
