package enrollment_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// An address is bound to an account that has an app, unless the host says that it
// may be alone.
func TestBindAlone(t *testing.T) {
	t.Parallel()
	inbox := new(proving.Inbox)
	k := proving.New(t, func(c *enrollment.Config) { c.Sender = inbox })
	strict, alone := k.Guard.Messages(), k.Node(proving.AddressAlone).Messages()
	bind := enrollment.BindOptions{Channel: "sms", To: proving.Phone, Proof: enrollment.ByReauth("password")}
	_, err := strict.Bind(t.Context(), "alice", bind)
	proving.Want(t, err, enrollment.ReasonNoAuthenticator)
	if _, err := k.Store.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refusal left a record: %v", err)
	}
	// What was begun where it may be alone is not finished where it may not.
	b, err := alone.Bind(t.Context(), "alice", bind)
	k.Must(err)
	_, err = strict.Confirm(t.Context(), "alice", b.Token, inbox.Code())
	proving.Want(t, err, enrollment.ReasonNoAuthenticator)
	_, err = alone.Confirm(t.Context(), "alice", b.Token, inbox.Code())
	k.Must(err)
}

// Binding an address is adding a factor: it takes the proof that Begin takes.
func TestBindProofs(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone, func(c *enrollment.Config) { c.ReauthDisables = true })
	p := k.Post()
	u := k.Enroll("alice")
	verify := func(code string) enrollment.Proof {
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", code)
		proving.Want(t, err, "")
		return enrollment.ByReceipt(ok.Receipt)
	}
	for name, c := range map[string]struct {
		proof func() enrollment.Proof
		want  enrollment.Reason
	}{
		"none":               {func() enrollment.Proof { return enrollment.Proof{} }, enrollment.ReasonProofRequired},
		"a wrong code":       {func() enrollment.Proof { return enrollment.ByCode(u.Wrong()) }, enrollment.ReasonWrongCode},
		"no code":            {func() enrollment.Proof { return enrollment.ByCode("x") }, enrollment.ReasonMalformedCode},
		"no receipt":         {func() enrollment.Proof { return enrollment.ByReceipt(enrollment.ReceiptOf("x")) }, enrollment.ReasonProofInvalid},
		"a password":         {func() enrollment.Proof { return enrollment.ByReauth("password") }, enrollment.ReasonProofNotAllowed},
		"an app's code":      {func() enrollment.Proof { return enrollment.ByCode(u.Code()) }, ""},
		"a recovery code":    {func() enrollment.Proof { return enrollment.ByCode(u.Codes[0]) }, ""},
		"an app's receipt":   {func() enrollment.Proof { return verify(u.Code()) }, ""},
		"a recovery receipt": {func() enrollment.Proof { return verify(u.Codes[1]) }, ""},
	} {
		k.Pass(24 * time.Hour)
		before := p.Inbox.Len()
		b, err := p.Begin("alice", c.proof())
		if got := proving.ReasonOf(err); got != c.want {
			t.Fatalf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if sent := p.Inbox.Len() - before; (sent == 1) != (c.want == "") {
			t.Errorf("%s: %d messages", name, sent)
		}
		if c.want == "" {
			done, err := p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
			proving.Want(t, err, "")
			if done.Event != enrollment.EventAddressBound || done.Codes.Len() != 0 {
				t.Errorf("%s: %v, %d codes", name, done.Event, done.Codes.Len())
			}
		}
	}
	if n := k.Status("alice"); n.CodesLeft != 8 || len(n.Authenticators) != 1 {
		t.Errorf("%d codes left", n.CodesLeft)
	}
}

// What a user with nothing but an address can do: everything, by a recovery code.
func TestAddressAlone(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone)
	p := k.Post()
	done := p.Bound("alice", enrollment.ByReauth("password"))
	codes := done.Codes.Reveal()
	ctx := t.Context()
	_, err := p.Begin("alice", enrollment.Proof{})
	proving.Want(t, err, enrollment.ReasonProofRequired)
	proving.Want(t, p.Unbind(ctx, "alice", enrollment.ByCode(codes[0])), enrollment.ReasonLastAuthenticator)
	_, err = k.Guard.Verify(ctx, "alice", "x", "123456")
	proving.Want(t, err, enrollment.ReasonWrongCode)
	if s := k.Status("alice"); s.CodesLeft != 10 || len(s.Locks) != 0 {
		t.Errorf("%+v", s)
	}
	// It steps up by a challenge for the purpose.
	d := k.SignIn("alice", enrollment.SignInOptions{Purpose: "delete-project"}, enrollment.AskCode)
	sent, err := p.Send(ctx, "delete-project", d.Challenge)
	proving.Want(t, err, "")
	if m := p.Inbox.Last(); m.Purpose != "delete-project" {
		t.Errorf("the message says %q", m.Purpose)
	}
	ok, err := k.Guard.Answer(ctx, "delete-project", sent.Challenge, p.Inbox.Code())
	proving.Want(t, err, "")
	_, err = k.Guard.RecentlyVerified(ctx, "alice", "delete-project", ok.Receipt, time.Minute)
	proving.Want(t, err, "")
	// Another phone, an app beside it, and off.
	k.Pass(time.Hour)
	b, err := p.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: "+15550100999", Proof: enrollment.ByCode(codes[1])})
	proving.Want(t, err, "")
	if s := k.Status("alice"); s.Address.Hint != "…67" {
		t.Errorf("before it is confirmed the address is %+v", s.Address)
	}
	changed, err := p.Confirm(ctx, "alice", b.Token, p.Inbox.Code())
	proving.Want(t, err, "")
	if s := k.Status("alice"); changed.Event != enrollment.EventAddressBound || s.Address.Hint != "…99" {
		t.Errorf("%v, %+v", changed.Event, s.Address)
	}
	setup, err := k.Guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(codes[2])})
	proving.Want(t, err, "")
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	added, err := k.Guard.Confirm(ctx, "alice", setup.Token, app.Code(k.Now()))
	proving.Want(t, err, "")
	if added.Event != enrollment.EventAuthenticatorAdded {
		t.Errorf("%v", added.Event)
	}
	proving.Want(t, k.Guard.Remove(ctx, "alice", added.Success.Authenticator, enrollment.ByReceipt(added.Success.Receipt)), enrollment.ReasonLastAuthenticator)
	proving.Want(t, p.Unbind(ctx, "alice", enrollment.ByReceipt(added.Success.Receipt)), "")
	proving.Want(t, p.Unbind(ctx, "alice", enrollment.ByCode(codes[3])), enrollment.ReasonNoAddress)
	if s := k.Status("alice"); s.Address != nil || !s.Enabled() {
		t.Errorf("%+v", s)
	}
	proving.Want(t, k.Guard.Disable(ctx, "alice", enrollment.ByCode(codes[3])), "")
	proving.Want(t, p.Unbind(ctx, "alice", enrollment.ByCode(codes[4])), enrollment.ReasonNotEnrolled)
	var kinds []enrollment.EventKind
	for _, e := range k.Events() {
		kinds = append(kinds, e.Kind)
		if e.Kind == enrollment.EventAddressBound || e.Kind == enrollment.EventAddressRemoved {
			e.ID = "" // its digits could be the number's
			if text := fmt.Sprintf("%+v", e); e.Name != "sms" || strings.Contains(text, proving.Phone) || strings.Contains(text, "555") {
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

// A later address replaces one that waits, and every message of one
// that was sent before it.
func TestBindSuperseded(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	first, err := p.Begin("alice", enrollment.ByCode(u.Code()))
	proving.Want(t, err, "")
	old := p.Inbox.Code()
	k.Pass(enrollment.MessagePause)
	second, err := p.Begin("alice", enrollment.ByCode(u.Code()))
	proving.Want(t, err, "")
	_, err = p.Confirm(t.Context(), "alice", first.Token, old)
	proving.Want(t, err, enrollment.ReasonSetupSuperseded)
	_, err = p.Confirm(t.Context(), "bob", second.Token, p.Inbox.Code())
	proving.Want(t, err, enrollment.ReasonSetupInvalid)
	_, err = p.Confirm(t.Context(), "alice", second.Token, "hello")
	proving.Want(t, err, enrollment.ReasonMalformedCode)
	_, err = p.Confirm(t.Context(), "alice", second.Token, p.Inbox.Code())
	proving.Want(t, err, "")
	k.Pass(enrollment.MessagePause)
	third, err := p.Begin("alice", enrollment.ByCode(u.Code()))
	proving.Want(t, err, "")
	code := p.Inbox.Code()
	k.Pass(enrollment.MessagePause)
	p.Deliver(k.Challenge("alice"))
	_, err = p.Confirm(t.Context(), "alice", third.Token, code)
	proving.Want(t, err, enrollment.ReasonNoSetup)
	k.Pass(enrollment.DeliveryTTL)
	_, err = p.Confirm(t.Context(), "alice", third.Token, code)
	proving.Want(t, err, enrollment.ReasonSetupExpired)
}

// After a reset with a ticket, the address needs it as an app does.
func TestBindNeedsTicket(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone)
	p := k.Post()
	k.Enroll("alice")
	ticket, err := k.Guard.Admin("bob", "lost the phone").Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	proving.Want(t, err, "")
	bind := func(ticket enrollment.Ticket) error {
		b, err := p.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: proving.Phone, Ticket: ticket, Proof: enrollment.ByReauth("password")})
		if err != nil {
			return err
		}
		_, err = p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
		return err
	}
	proving.Want(t, bind(enrollment.Ticket{}), enrollment.ReasonTicketRequired)
	proving.Want(t, bind(enrollment.TicketOf(strings.Repeat("0", 16))), enrollment.ReasonTicketInvalid)
	if p.Inbox.Len() != 0 {
		t.Error("something was sent without a ticket")
	}
	proving.Want(t, bind(ticket), "")
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
		k := proving.New(t, proving.AddressAlone)
		b, err := k.Post().Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "any", To: to, Proof: enrollment.ByReauth("password")})
		k.Must(err)
		_, err = k.Post().Confirm(t.Context(), "alice", b.Token, k.Inbox.Code())
		k.Must(err)
		got := k.Status("alice").Address.Hint
		if got != want {
			t.Errorf("of %q it shows %q, want %q", to, got, want)
		}
		if shown := strings.Replace(got, "…", "", 1); shown == to || len([]rune(shown)) >= len([]rune(to)) {
			t.Errorf("of %q it shows %q, which is all of it", to, got)
		}
	}
}

// Who guesses at the code for a first address is locked. Status shows it, and an
// administrator ends it, although nothing is on.
func TestLockedBeforeTheFirstAddress(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.AddressAlone)
	p := k.Post()
	b, err := p.Begin("alice", enrollment.ByReauth("password"))
	proving.Want(t, err, "")
	for range 5 {
		_, err := p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	until := k.Now().Add(time.Minute)
	s := k.Status("alice")
	if len(s.Locks) != 1 || s.Locks[0] != (enrollment.Lock{Factor: enrollment.FactorDelivered, Until: until}) || s.Enabled() {
		t.Errorf("%+v", s)
	}
	_, err = p.Begin("alice", enrollment.ByReauth("password"))
	proving.Want(t, err, enrollment.ReasonLocked)
	admin := k.Guard.Admin("root", "called")
	proving.Want(t, admin.Unlock(t.Context(), "alice"), "")
	if e := k.Events(); len(e) != 2 || e[0].Kind != enrollment.EventLocked || e[1].Kind != enrollment.EventUnlocked || e[1].Actor != "root" {
		t.Errorf("events %+v", e)
	}
	if s := k.Status("alice"); len(s.Locks) != 0 {
		t.Errorf("locks %+v", s.Locks)
	}
	proving.Want(t, admin.Unlock(t.Context(), "alice"), enrollment.ReasonNotEnrolled) // nothing is locked any more
	k.Pass(enrollment.MessagePause - time.Second)                                     // the lock would still be there
	_, err = p.Begin("alice", enrollment.ByReauth("password"))
	proving.Want(t, err, enrollment.ReasonTooSoon)
	k.Pass(time.Second)
	b, err = p.Begin("alice", enrollment.ByReauth("password"))
	proving.Want(t, err, "")
	_, err = p.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
	proving.Want(t, err, "")
}
