package enrollment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// answer answers the challenge of a sign-in.
func answer(k *proving.Kit, challenge enrollment.Challenge, code string) error {
	_, err := k.Answer(challenge, code)
	return err
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
			Channel: "sms", To: proving.Phone, Proof: enrollment.ByReceipt(alice.Receipt()),
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
	k.Must(err)
	_, err = mute.Messages().Confirm(t.Context(), "alice", b.Token, inbox.Code())
	k.Must(err)
	k.Pass(enrollment.MessagePause)
	for g, want := range map[*enrollment.Guard]bool{k.Guard: true, mute: false} {
		d, err := g.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		k.Must(err)
		if offered := slices.Contains(d.Factors, enrollment.FactorDelivered); offered != want {
			t.Errorf("with a sender %v: offered are %v", want, d.Factors)
		}
	}
	k.Unchanged("alice", func() {
		_, err = mute.Messages().Send(t.Context(), enrollment.PurposeSignIn, alice.Challenge())
		wantSender(err)
	})
	d, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, alice.Challenge())
	k.Must(err)
	ok, err := mute.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, inbox.Code())
	k.Must(err)
	if ok.Factor != enrollment.FactorDelivered {
		t.Errorf("answered with %q", ok.Factor)
	}
	k.Must(mute.Messages().Unbind(t.Context(), "alice", enrollment.ByReceipt(alice.Receipt())))
}

func TestMessagesRefuse(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
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
	widest := enrollment.BindOptions{Channel: strings.Repeat("c", 32), To: "x"} // as databases are made for
	_, err := p.Bind(t.Context(), "alice", widest)
	proving.Want(t, err, enrollment.ReasonNoAuthenticator)
	if _, err := p.Send(t.Context(), "", enrollment.ChallengeOf("x")); err == nil {
		t.Error("sent for no purpose")
	}
	_, err = p.Send(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf("x"))
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	_, err = p.Confirm(t.Context(), "alice", enrollment.SetupTokenOf("x"), "123456")
	proving.Want(t, err, enrollment.ReasonSetupInvalid)
	if p.Inbox.Len() != 0 {
		t.Error("something was sent")
	}
}

// The receipt of a delivered code says who answered, and changes nothing.
func TestDeliveredReceiptChangesNothing(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.KeepCodes = true })
	p := k.Post()
	u := k.Enroll("alice")
	bound := p.Bound("alice", enrollment.ByCode(u.Code()))
	d := p.Deliver(k.Challenge("alice"))
	ok, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, p.Inbox.Code())
	proving.Want(t, err, "")
	k.Pass(enrollment.MessagePause)
	if k.Status("alice").CodesLeft != 10 || bound.Codes.Len() != 0 {
		t.Error("the account had codes and got others")
	}
	ctx, by := t.Context(), enrollment.ByReceipt(ok.Receipt)
	before, err := k.Store.Load(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"begin": func() error {
			_, err := k.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: by})
			return err
		},
		"new_codes": func() error { _, err := k.Guard.RenewCodes(ctx, "alice", by); return err },
		"codes":     func() error { _, err := k.Guard.RecoveryCodes(ctx, "alice", by); return err },
		"disable":   func() error { return k.Guard.Disable(ctx, "alice", by) },
		"bind":      func() error { _, err := p.Begin("alice", by); return err },
		"unbind":    func() error { return p.Unbind(ctx, "alice", by) },
	} {
		if r := proving.ReasonOf(change()); r != enrollment.ReasonProofNotAllowed {
			t.Errorf("%s: %q", name, r)
		}
	}
	if after, err := k.Store.Load(ctx, "alice"); err != nil || after.Version != before.Version {
		t.Error("the record has changed")
	}
	if _, err := k.Guard.RecentlyVerified(ctx, "alice", enrollment.PurposeSignIn, ok.Receipt, time.Hour); err != nil {
		t.Error(err)
	}
}

// A message prolongs what it was asked for with once, not for ever.
func TestLifetimeOfDelivery(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	issued := k.Now()
	first := p.Deliver(d.Challenge)
	k.Pass(enrollment.ChallengeTTL - time.Second)
	second := p.Deliver(first.Challenge) // sending another, with what Send returned
	if want := k.Now().Add(enrollment.DeliveryTTL); !second.Expires.Equal(want) || !p.Inbox.Last().Expires.Equal(want) {
		t.Errorf("it expires %v after the sign-in", second.Expires.Sub(issued))
	}
	k.Pass(enrollment.MessagePause)
	for name, c := range map[string]enrollment.Challenge{"of SignIn": d.Challenge, "of the first": first.Challenge, "of the second": second.Challenge} {
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, c)
		if got := proving.ReasonOf(err); got != enrollment.ReasonChallengeExpired {
			t.Errorf("the challenge %s sends: %q", name, got)
		}
	}
	proving.Want(t, answer(k, d.Challenge, u.Code()), enrollment.ReasonChallengeExpired)
	k.Pass(second.Expires.Sub(k.Now()) - time.Microsecond)
	proving.Want(t, answer(k, second.Challenge, p.Inbox.Wrong()), enrollment.ReasonWrongCode)
	k.Pass(time.Microsecond)
	proving.Want(t, answer(k, second.Challenge, p.Inbox.Code()), enrollment.ReasonChallengeExpired)
	k.Pass(-time.Hour) // the clock goes back
	proving.Want(t, answer(k, second.Challenge, p.Inbox.Code()), enrollment.ReasonChallengeExpired)
	k.Pass(time.Hour - time.Microsecond)
	proving.Want(t, answer(k, second.Challenge, p.Inbox.Code()), "")
}

// The challenge of a message and the one that it came from are one: who has
// answered either can't answer the other, now or later.
func TestDeliverySpendsBoth(t *testing.T) {
	t.Parallel()
	for name, messageFirst := range map[string]bool{"the message first": true, "the app first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := proving.New(t)
			p := k.Post()
			u := k.Enroll("alice")
			p.Bound("alice", enrollment.ByCode(u.Code()))
			d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
			k.Pass(9 * time.Minute)
			sent := p.Deliver(d.Challenge)
			byMessage := func() error { return answer(k, sent.Challenge, p.Inbox.Code()) }
			byApp := func() error { return answer(k, d.Challenge, u.Code()) }
			first, second := byApp, byMessage
			if messageFirst {
				first, second = byMessage, byApp
			}
			proving.Want(t, first(), "")
			k.Pass(30 * time.Second)
			proving.Want(t, second(), enrollment.ReasonChallengeSpent)
			_, err := p.Send(t.Context(), enrollment.PurposeSignIn, sent.Challenge)
			proving.Want(t, err, enrollment.ReasonChallengeSpent)
			k.Pass(time.Minute) // SignIn's has expired
			proving.Want(t, byApp(), enrollment.ReasonChallengeExpired)
			proving.Want(t, byMessage(), enrollment.ReasonChallengeSpent)
			// A write tidies the list of spent ones.
			proving.Want(t, answer(k, k.Challenge("alice"), u.Code()), "")
			proving.Want(t, byMessage(), enrollment.ReasonChallengeSpent)
		})
	}
}

// What can't be answered can't send.
func TestSendNeedsAnOpenChallenge(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	send := func(c enrollment.Challenge) error {
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, c)
		return err
	}
	spent, void, other := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode), k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode), k.SignIn("alice", enrollment.SignInOptions{Purpose: "x"}, enrollment.AskCode)
	proving.Want(t, answer(k, spent.Challenge, u.Code()), "")
	proving.Want(t, send(spent.Challenge), enrollment.ReasonChallengeSpent)
	proving.Want(t, send(other.Challenge), enrollment.ReasonChallengeInvalid)
	proving.Want(t, send(enrollment.ChallengeOf(void.Challenge.Reveal()[1:])), enrollment.ReasonChallengeInvalid)
	if _, err := k.Guard.Verify(t.Context(), "alice", "x", u.Codes[0]); err != nil {
		t.Fatal(err)
	}
	proving.Want(t, send(void.Challenge), enrollment.ReasonChallengeVoid)
	if n := p.Inbox.Len(); n != 1 {
		t.Errorf("%d messages were sent", n-1)
	}
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	proving.Want(t, p.Unbind(t.Context(), "alice", enrollment.ByCode(u.Codes[1])), "")
	proving.Want(t, send(d.Challenge), enrollment.ReasonChallengeVoid)
	proving.Want(t, send(k.Challenge("alice")), enrollment.ReasonNoAddress)
}

// A code over the channel of the first factor is no second factor.
func TestSameChannel(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	for channel, refused := range map[string]bool{"sms": true, "SMS": true, "email": false, "": false} {
		d := k.SignIn("alice", enrollment.SignInOptions{Channel: channel}, enrollment.AskCode)
		if slices.Contains(d.Factors, enrollment.FactorDelivered) == refused {
			t.Errorf("after %q the factors are %v", channel, d.Factors)
		}
		_, err := p.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
		want := enrollment.Reason("")
		if refused {
			want = enrollment.ReasonSameChannel
		}
		proving.Want(t, err, want)
		k.Pass(24 * time.Hour)
	}
	// It stays with the challenges that Send returns.
	d := p.Deliver(k.SignIn("alice", enrollment.SignInOptions{Channel: "email"}, enrollment.AskCode).Challenge)
	k.Pass(enrollment.MessagePause)
	b, err := p.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "email", To: "alice@example.com", Proof: enrollment.ByCode(u.Code())})
	proving.Want(t, err, "")
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
	proving.Want(t, err, "")
	_, err = p.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
	proving.Want(t, err, enrollment.ReasonChallengeVoid)
}

// What is typed for a message is held against the message or the recovery codes,
// once.
func TestWhatIsTypedForMessage(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	d := p.Deliver(k.Challenge("alice"))
	if c := u.Code(); c != p.Inbox.Code() {
		proving.Want(t, answer(k, d.Challenge, c), enrollment.ReasonWrongCode)
		if _, err := k.Guard.Verify(t.Context(), "alice", "x", c); err != nil {
			t.Errorf("the app's code was used up: %v", err)
		}
	}
	proving.Want(t, answer(k, d.Challenge, "hello"), enrollment.ReasonMalformedCode)
	proving.Want(t, answer(k, d.Challenge, "12345"), enrollment.ReasonMalformedCode)
	proving.Want(t, answer(k, d.Challenge, "0"+p.Inbox.Code()), enrollment.ReasonMalformedCode)
	proving.Want(t, answer(k, d.Challenge, u.Codes[0]), "")
	if s := k.Status("alice"); s.CodesLeft != 9 || s.LastFactor != enrollment.FactorRecovery {
		t.Errorf("%+v", s)
	}
	// In any script.
	k.Pass(24 * time.Hour)
	for _, zero := range []rune{'0', '０', '٠', '०', '𝟎'} {
		d := p.Deliver(k.Challenge("alice"))
		var typed strings.Builder
		for i, r := range p.Inbox.Code() {
			if i == 3 {
				typed.WriteRune(' ')
			}
			typed.WriteRune(zero + r - '0')
		}
		proving.Want(t, answer(k, d.Challenge, typed.String()), "")
		k.Pass(enrollment.MessagePause)
	}
}

// A Sender can fail, panic and take its time. The message counts.
func TestSenderFails(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	down := errors.New("the gateway is down")
	send := func(ctx context.Context) (enrollment.Delivery, error) {
		return p.Send(ctx, enrollment.PurposeSignIn, k.Challenge("alice"))
	}
	for name, fail := range map[string]func(ctx context.Context) error{
		"fails":  func(context.Context) error { return down },
		"panics": func(context.Context) error { panic("CANARY") },
		"ends":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		k.Pass(24 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		p.Inbox.Fail = func(ctx context.Context) error { cancel(); return fail(ctx) }
		d, err := send(ctx)
		if !errors.Is(err, enrollment.ErrNotSent) || errors.As(err, new(*enrollment.Denied)) || !reflect.DeepEqual(d, enrollment.Delivery{}) ||
			strings.Contains(err.Error(), "CANARY") || name == "fails" && !errors.Is(err, down) {
			t.Errorf("a sender that %s: %v", name, err)
		}
		p.Inbox.Fail = nil
		arrived := p.Inbox.Len()
		d, err = send(t.Context()) // the message may have arrived
		proving.Want(t, err, "")
		if !d.Earlier || p.Inbox.Len() != arrived {
			t.Error("another message was sent")
		}
		k.Pass(enrollment.MessagePause)
		b, err := p.Begin("alice", enrollment.ByCode(u.Code()))
		proving.Want(t, err, "")
		if b.Token.IsZero() {
			t.Error("no token")
		}
		k.Pass(enrollment.MessagePause)
		ctx, cancel = context.WithCancel(t.Context())
		p.Inbox.Fail = func(ctx context.Context) error { cancel(); return fail(ctx) }
		b, err = p.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: proving.Phone, Proof: enrollment.ByCode(u.Code())})
		if !errors.Is(err, enrollment.ErrNotSent) || !reflect.DeepEqual(b, enrollment.Binding{}) {
			t.Errorf("Bind, a sender that %s: %v", name, err)
		}
		p.Inbox.Fail = nil
	}
	// While one takes its time, the account serves others.
	k.Pass(24 * time.Hour)
	entered, leave := make(chan struct{}), make(chan struct{})
	p.Inbox.Fail = func(context.Context) error {
		close(entered)
		<-leave
		return nil
	}
	c := k.Challenge("alice")
	done := make(chan error)
	go func() {
		_, err := p.Send(context.Background(), enrollment.PurposeSignIn, c)
		done <- err
	}()
	<-entered
	proving.Want(t, answer(k, c, u.Codes[0]), "")
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A source of randomness that is stuck does not hang the draw, and one that
// fails fails it.
func TestDrawingFromBrokenSource(t *testing.T) {
	t.Parallel()
	for _, b := range []byte{0x00, 0x7f, 0xff} {
		k := proving.New(t, proving.AddressAlone)
		p := k.Post()
		k.Keys.Random = stuck(b)
		if _, err := p.Begin("alice", enrollment.ByReauth("password")); err != nil || len(p.Inbox.Code()) != 6 {
			t.Errorf("stuck at %x: %v", b, err)
		}
	}
	k := proving.New(t, proving.AddressAlone)
	p := k.Post()
	for n := range 24 {
		k.Keys.Random = bytes.NewReader(make([]byte, n))
		if _, err := p.Begin("alice", enrollment.ByReauth("password")); err == nil || p.Inbox.Len() != 0 {
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
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	p.Bound("alice", enrollment.ByCode(u.Code()))
	d := p.Deliver(k.Challenge("alice"))
	var err error
	for range 5 {
		err = answer(k, d.Challenge, p.Inbox.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	var denied *enrollment.Denied
	until := k.Now().Add(time.Minute)
	if !errors.As(err, &denied) || denied.Factor != enrollment.FactorDelivered || !denied.RetryAt.Equal(until) {
		t.Errorf("%+v", denied)
	}
	if l := k.Status("alice").Locks; len(l) != 1 || l[0] != (enrollment.Lock{Factor: enrollment.FactorDelivered, Until: until}) {
		t.Errorf("locks %+v", l)
	}
	events := k.Events()
	if e := events[len(events)-1]; e.Kind != enrollment.EventLocked || e.Factor != enrollment.FactorDelivered {
		t.Errorf("event %+v", e)
	}
	k.Pass(30 * time.Second)
	proving.Want(t, p.Unbind(t.Context(), "alice", enrollment.ByCode(u.Code())), "")
	_, err = p.Begin("alice", enrollment.ByCode(u.Codes[0]))
	proving.Want(t, err, enrollment.ReasonLocked) // before the proof is looked at
	if s := k.Status("alice"); len(s.Locks) != 1 || s.CodesLeft != 10 {
		t.Errorf("%+v", s)
	}
	_, err = k.Guard.Verify(t.Context(), "alice", "x", u.Codes[0])
	proving.Want(t, err, "")
	_, err = p.Begin("alice", enrollment.ByCode(u.Codes[1]))
	proving.Want(t, err, enrollment.ReasonTooSoon) // which a recovery code does not end
}

// Where a code from a message is asked for, a recovery code of another system is
// taken as well, digits or not; six of them are the message's.
func TestImportedCodeInsteadOfTheMessage(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	key := proving.TheirKey(t, "alice", totp.Params{})
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	for _, code := range []string{"12345678", "123456", "1234567"} {
		sum := sha256.Sum256([]byte(code))
		im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(sum[:]))
	}
	proving.Want(t, k.Guard.Admin("root", "moving").Import(t.Context(), "alice", im), "")
	k.Pass(time.Hour)
	p.Bound("alice", enrollment.ByCode(k.Code(key)))
	for _, x := range []struct {
		code string
		want enrollment.Reason
		left int
	}{{"123456", enrollment.ReasonWrongCode, 3}, {"12345678", "", 2}, {"12345678", enrollment.ReasonReplayed, 2}, {"1234567", "", 1}} {
		k.Pass(time.Hour)
		d := p.Deliver(k.Challenge("alice"))
		if p.Inbox.Code() == x.code {
			continue // once in a million times
		}
		proving.Want(t, answer(k, d.Challenge, x.code), x.want)
		if left := k.Status("alice").CodesLeft; left != x.left {
			t.Errorf("%d codes are left after %s, want %d", left, x.code, x.left)
		}
	}
}
