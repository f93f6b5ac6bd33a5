package formats_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/bcrypt"
)

const goldenFullFile = "v1-record-full.json"

// A goldenFull is stored accounts that use all there is, with what their owners,
// their browsers and their host hold at Now.
type goldenFull struct {
	Keys      string
	Namespace string
	Now       time.Time
	Records   []store.Record // of the users full, imported, ticket and begun

	// Of the user full: two apps, codes that are kept, of which one was replaced
	// and one is spent, a locked factor, a staged setup, two devices, a bypass,
	// an address with a message on its way, an open request for a reset, events
	// that nobody has taken.
	URIs      []string
	Recovery  []string // unspent, in order
	Spent     string
	Device    enrollment.DeviceToken
	DeviceID  string // of the other device
	Challenge enrollment.Challenge
	Sent      enrollment.Challenge // of the message
	Message   string               // the code in it
	Receipt   enrollment.Receipt
	Setup     enrollment.SetupToken // of the staged setup
	Staged    string                // its URI

	// Of the user imported: codes of another system, the first of which is
	// spent.
	ImportedURI string
	System      []string

	// Of the user ticket, whom an administrator has reset, and who may sign in
	// without a second factor for an hour.
	Ticket enrollment.Ticket

	// Of the user begun: a setup that has shown its codes.
	Begun      enrollment.SetupToken
	BegunURI   string
	BegunCodes []string
}

func (f *goldenFull) config(notify func(context.Context, enrollment.Event) error, s enrollment.Sender) enrollment.Config {
	return enrollment.Config{
		Issuer: "Acme", Namespace: f.Namespace, Now: func() time.Time { return f.Now }, Notify: notify,
		RecoveryScheme: recovery.Fast, RecoveryCodes: recovery.MinCount, KeepCodes: true, ReplenishCodes: true, CodesAtSetup: true,
		Sender: s,
	}
}

// What version 1 stored with everything in use is good for whatever comes later,
// with all that it does. This file never changes.
func TestGoldenFullRecord(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the accounts are for SHA-1")
	}
	if *update {
		makeGoldenFull(t)
	}
	f := formats.Read[goldenFull](t, goldenFullFile)
	keys := proving.Value[*keyring.Ring](t)(keyring.Parse(f.Keys))
	type G = *enrollment.Guard
	var told []enrollment.Event
	code := func(uri string) string {
		key, _, err := totp.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		return proving.Shown(key, f.Now)
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	status := func(t *testing.T, g G, user string) enrollment.Status {
		t.Helper()
		return proving.Value[enrollment.Status](t)(g.Status(t.Context(), user))
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, ctx context.Context, g G)
	}{
		{"the status", func(t *testing.T, ctx context.Context, g G) {
			s := status(t, g, "full")
			if s.State != store.Confirmed || len(s.Authenticators) != 2 || s.Authenticators[1].Name != "tablet" || s.SetupExpires.IsZero() ||
				s.Address == nil || s.Address.Channel != "sms" || s.Address.Hint != "…42" || s.CodesLeft != recovery.MinCount-1 || s.CodesTotal != recovery.MinCount ||
				s.Devices != 2 || !s.BypassUntil.Equal(f.Now.Add(time.Hour)) || s.MustEnroll || s.Reset == nil || !s.Reset.Matures.Equal(f.Now.Add(3*24*time.Hour)) ||
				len(s.Locks) != 1 || s.Locks[0].Factor != enrollment.FactorRecovery || s.LastFactor != enrollment.FactorTrustedDevice || len(s.History) < 8 {
				t.Errorf("full: %+v", s)
			}
			kinds := make(map[enrollment.EventKind]enrollment.Event)
			for _, e := range s.History {
				kinds[e.Kind] = e
			}
			if e := kinds[enrollment.EventBypassGranted]; e.Actor != "root" || e.Note != "phone at home" || e.ID == "" || !e.At.Equal(f.Now) {
				t.Errorf("the history: %+v", e)
			}
			if e := kinds[enrollment.EventDeviceTrusted]; e.Name != "browser" || e.Factor != enrollment.FactorTOTP {
				t.Errorf("the history: %+v", e)
			}
			if s := status(t, g, "imported"); s.State != store.Confirmed || s.CodesLeft != 2 || s.CodesTotal != 3 {
				t.Errorf("imported: %+v", s)
			}
			if s := status(t, g, "ticket"); s.State != store.Disabled || s.BypassUntil.IsZero() {
				t.Errorf("ticket: %+v", s)
			}
			if s := status(t, g, "begun"); s.State != store.Pending || s.SetupExpires.IsZero() {
				t.Errorf("begun: %+v", s)
			}
		}},
		{"a trusted device", func(t *testing.T, ctx context.Context, g G) {
			d, err := g.SignIn(ctx, "full", enrollment.SignInOptions{Device: f.Device})
			if err != nil || d.Waived != enrollment.FactorTrustedDevice {
				t.Errorf("%+v, %v", d, err)
			}
			must(t, g.Devices().Revoke(ctx, "full", f.DeviceID))
			list, err := g.Devices().List(ctx, "full")
			if err != nil || len(list) != 1 || list[0].Name != "browser" || !list[0].Expires.Equal(list[0].Added.Add(enrollment.DefaultDeviceTTL)) || !list[0].Used.Equal(f.Now) {
				t.Errorf("%+v, %v", list, err)
			}
		}},
		{"a bypass, and its end by a code", func(t *testing.T, ctx context.Context, g G) {
			d, err := g.SignIn(ctx, "full", enrollment.SignInOptions{})
			if err != nil || d.Waived != enrollment.FactorBypass {
				t.Errorf("%+v, %v", d, err)
			}
			ok, err := g.Answer(ctx, enrollment.PurposeSignIn, f.Challenge, code(f.URIs[1]))
			if err != nil || ok.UserID != "full" || ok.Factor != enrollment.FactorTOTP {
				t.Errorf("Answer: %+v, %v", ok, err)
			}
			if s := status(t, g, "full"); !s.BypassUntil.IsZero() || s.Reset != nil {
				t.Errorf("%+v", s)
			}
		}},
		{"a delivered code", func(t *testing.T, ctx context.Context, g G) {
			ok, err := g.Answer(ctx, enrollment.PurposeSignIn, f.Sent, f.Message)
			if err != nil || ok.Factor != enrollment.FactorDelivered {
				t.Errorf("%+v, %v", ok, err)
			}
			_, err = g.Answer(ctx, enrollment.PurposeSignIn, f.Challenge, code(f.URIs[0]))
			proving.Want(t, err, enrollment.ReasonChallengeSpent)
		}},
		{"the limit of messages", func(t *testing.T, ctx context.Context, g G) {
			_, err := g.Messages().Send(ctx, enrollment.PurposeSignIn, f.Challenge)
			proving.Want(t, err, enrollment.ReasonTooSoon)
			must(t, g.Messages().Unbind(ctx, "full", enrollment.ByReceipt(f.Receipt)))
		}},
		{"codes that are kept", func(t *testing.T, ctx context.Context, g G) {
			codes, err := g.RecoveryCodes(ctx, "full", enrollment.ByReceipt(f.Receipt))
			if err != nil || !slices.Equal(codes.Reveal(), f.Recovery) {
				t.Errorf("%v, %v", codes.Reveal(), err)
			}
		}},
		{"a lock, and recovery codes after it", func(t *testing.T, ctx context.Context, g G) {
			_, err := g.Verify(ctx, "full", "x", f.Recovery[0])
			proving.Want(t, err, enrollment.ReasonLocked)
			must(t, g.Admin("root", "x").Unlock(ctx, "full"))
			_, err = g.Verify(ctx, "full", "x", f.Spent)
			proving.Want(t, err, enrollment.ReasonReplayed)
			for _, code := range f.Recovery {
				ok, err := g.Verify(ctx, "full", "x", code)
				if err != nil || ok.NewCode.IsZero() {
					t.Errorf("%+v, %v", ok, err)
				}
			}
		}},
		{"a receipt", func(t *testing.T, ctx context.Context, g G) {
			ok, err := g.RecentlyVerified(ctx, "full", "step-up", f.Receipt, time.Minute)
			if err != nil || ok.Factor != enrollment.FactorTOTP {
				t.Errorf("%+v, %v", ok, err)
			}
			trusted, err := g.Devices().Trust(ctx, "full", f.Receipt, "third")
			must(t, err)
			if list, err := g.Devices().List(ctx, "full"); err != nil || len(list) != 3 || list[2] != trusted.Device {
				t.Errorf("%+v, %v", list, err)
			}
		}},
		{"a staged setup", func(t *testing.T, ctx context.Context, g G) {
			setup, err := g.Resume(ctx, "full", f.Setup)
			if err != nil || setup.URI() != f.Staged {
				t.Fatal(err)
			}
			done, err := g.Confirm(ctx, "full", f.Setup, code(f.Staged))
			if err != nil || done.Event != enrollment.EventAuthenticatorReplaced {
				t.Errorf("%+v, %v", done, err)
			}
			if s := status(t, g, "full"); len(s.Authenticators) != 2 || s.Devices != 0 {
				t.Errorf("%+v", s)
			}
		}},
		{"a request for a reset", func(t *testing.T, ctx context.Context, g G) {
			_, err := g.Admin("root", "x").ApproveReset(ctx, "full", enrollment.ResetOptions{})
			proving.Want(t, err, enrollment.ReasonResetWaiting)
			must(t, g.ResetRequests().Cancel(ctx, "full"))
			_, err = g.ResetRequests().Open(ctx, f.Challenge)
			proving.Want(t, err, enrollment.ReasonTooManyResets)
		}},
		{"events that nobody has taken", func(t *testing.T, ctx context.Context, g G) {
			before := f.Now
			f.Now = f.Now.Add(2 * time.Minute)
			defer func() { f.Now = before }()
			told = nil
			_, err := g.Verify(ctx, "full", "x", code(f.URIs[1]))
			must(t, err)
			kinds := make(map[enrollment.EventKind]bool)
			for _, e := range told {
				kinds[e.Kind] = true
			}
			if len(told) < 5 || !kinds[enrollment.EventBypassGranted] || !kinds[enrollment.EventResetRequested] {
				t.Errorf("told of %+v", told)
			}
			rec, err := g.Status(ctx, "full")
			must(t, err)
			if len(rec.Locks) != 0 {
				t.Errorf("%+v", rec.Locks)
			}
		}},
		{"codes of another system", func(t *testing.T, ctx context.Context, g G) {
			_, err := g.Verify(ctx, "imported", "x", f.System[0])
			proving.Want(t, err, enrollment.ReasonReplayed)
			for _, text := range []string{strings.ToUpper(f.System[1]), f.System[2]} {
				ok, err := g.Verify(ctx, "imported", "x", text)
				if err != nil || ok.Factor != enrollment.FactorRecovery {
					t.Errorf("%+v, %v", ok, err)
				}
			}
			_, err = g.Verify(ctx, "imported", "x", code(f.ImportedURI))
			must(t, err)
		}},
		{"a ticket", func(t *testing.T, ctx context.Context, g G) {
			_, err := g.Begin(ctx, "ticket", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
			proving.Want(t, err, enrollment.ReasonTicketRequired)
			setup, err := g.Begin(ctx, "ticket", enrollment.BeginOptions{Account: "a", Ticket: f.Ticket, Proof: enrollment.ByReauth("password")})
			must(t, err)
			_, err = g.Confirm(ctx, "ticket", setup.Token, code(setup.URI()))
			must(t, err)
		}},
		{"the end of a bypass", func(t *testing.T, ctx context.Context, g G) {
			d, err := g.SignIn(ctx, "ticket", enrollment.SignInOptions{Require: true})
			if err != nil || d.Waived != enrollment.FactorBypass {
				t.Errorf("%+v, %v", d, err)
			}
			before := f.Now
			f.Now = f.Now.Add(2 * time.Hour)
			defer func() { f.Now = before }()
			if d, err = g.SignIn(ctx, "ticket", enrollment.SignInOptions{}); err != nil || d.Next != enrollment.MustEnroll {
				t.Errorf("%+v, %v", d, err)
			}
		}},
		{"codes that a setup has shown", func(t *testing.T, ctx context.Context, g G) {
			setup, err := g.Resume(ctx, "begun", f.Begun)
			if err != nil || setup.URI() != f.BegunURI || !slices.Equal(setup.Codes().Reveal(), f.BegunCodes) {
				t.Errorf("%v, %v", setup.Codes().Reveal(), err)
			}
			done, err := g.Confirm(ctx, "begun", f.Begun, code(f.BegunURI))
			if err != nil || !slices.Equal(done.Codes.Reveal(), f.BegunCodes) {
				t.Errorf("%v, %v", done.Codes.Reveal(), err)
			}
			// Tokens had no seeds.
			_, err = g.SetupCodes(ctx, "begun", f.Begun)
			proving.Want(t, err, enrollment.ReasonCodesNotKept)
			_, err = g.Verify(ctx, "begun", "x", f.BegunCodes[0])
			must(t, err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) { // one after the other: they share the clock
			s := formats.Holding(t, f.Records...)
			notify := func(_ context.Context, e enrollment.Event) error { told = append(told, e); return nil }
			c.do(t, t.Context(), proving.Value[*enrollment.Guard](t)(enrollment.New(s, keys, f.config(notify, new(proving.Inbox)))))
		})
	}
}

func makeGoldenFull(t *testing.T) {
	t.Helper()
	keys := proving.Value[*keyring.Ring](t)(keyring.Generate("golden"))
	f := goldenFull{Keys: keys.Reveal(), Namespace: "golden", Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	s := memory.New()
	full := func(context.Context, enrollment.Event) error { return errors.New("the queue is full") }
	box, ctx := new(proving.Inbox), t.Context()
	g := proving.Value[*enrollment.Guard](t)(enrollment.New(s, keys, f.config(full, box)))
	code := func(uri string) string {
		key, _, err := totp.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		return proving.Shown(key, f.Now)
	}
	pass := func(d time.Duration) { f.Now = f.Now.Add(d) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	setup := proving.Value[enrollment.Setup](t)(g.Begin(ctx, "full", enrollment.BeginOptions{Account: "álice", Name: "phone", Proof: enrollment.ByReauth("password")}))
	f.URIs = append(f.URIs, setup.URI())
	done := proving.Value[enrollment.Confirmed](t)(g.Confirm(ctx, "full", setup.Token, code(setup.URI())))
	pass(time.Minute)
	setup = proving.Value[enrollment.Setup](t)(g.Begin(ctx, "full", enrollment.BeginOptions{Account: "álice", Name: "tablet", Proof: enrollment.ByCode(code(f.URIs[0]))}))
	f.URIs = append(f.URIs, setup.URI())
	proving.Value[enrollment.Confirmed](t)(g.Confirm(ctx, "full", setup.Token, code(setup.URI())))
	codes := done.Codes.Reveal()
	ok := proving.Value[enrollment.Success](t)(g.Verify(ctx, "full", "x", codes[1]))
	codes[1] = ok.NewCode.Reveal()
	// A proof is spent and not replaced.
	f.Spent, f.Recovery = codes[0], codes[1:]
	proving.Value[enrollment.Setup](t)(g.Begin(ctx, "full", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(f.Spent)}))
	pass(time.Minute)

	messages := g.Messages()
	binding := proving.Value[enrollment.Binding](t)(messages.Bind(ctx, "full", enrollment.BindOptions{Channel: "sms", To: "+43 1 555 0142", Proof: enrollment.ByCode(code(f.URIs[0]))}))
	proving.Value[enrollment.Confirmed](t)(messages.Confirm(ctx, "full", binding.Token, box.Code()))
	pass(time.Minute)
	for range 5 {
		_, err := g.Verify(ctx, "full", "x", strings.Repeat("7", 26))
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	pass(10 * time.Second) // shorter than the wait
	ok = proving.Value[enrollment.Success](t)(g.Verify(ctx, "full", "step-up", code(f.URIs[0])))
	f.Receipt = ok.Receipt
	for _, name := range []string{"browser", "laptop"} {
		d := proving.Value[enrollment.TrustedDevice](t)(g.Devices().Trust(ctx, "full", f.Receipt, name))
		if f.Device.IsZero() {
			f.Device = d.Token
		}
		f.DeviceID = d.Device.ID
	}
	proving.Value[enrollment.Decision](t)(g.SignIn(ctx, "full", enrollment.SignInOptions{Device: f.Device}))
	status := proving.Value[enrollment.Status](t)(g.Status(ctx, "full"))
	setup = proving.Value[enrollment.Setup](t)(g.Begin(ctx, "full", enrollment.BeginOptions{
		Account: "álice", Name: "new phone", Replace: status.Authenticators[0].ID, Proof: enrollment.ByReceipt(f.Receipt),
	}))
	f.Setup, f.Staged = setup.Token, setup.URI()
	f.Challenge = proving.Value[enrollment.Decision](t)(g.SignIn(ctx, "full", enrollment.SignInOptions{})).Challenge
	delivery := proving.Value[enrollment.Delivery](t)(messages.Send(ctx, enrollment.PurposeSignIn, f.Challenge))
	f.Sent, f.Message = delivery.Challenge, box.Code()
	must(g.Admin("root", "phone at home").Bypass(ctx, "full", f.Now.Add(time.Hour)))
	proving.Value[enrollment.ResetRequest](t)(g.ResetRequests().Open(ctx, f.Challenge))

	other := proving.Value[enrollment.Setup](t)(g.Begin(ctx, "nobody", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}))
	f.ImportedURI = other.URI()
	key, _, err := totp.ParseURI(other.URI())
	must(err)
	f.System = []string{"aaaa-bbbb", "cccc-dddd", "eeee-FFFF"}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key, Name: "of old", Added: f.Now.Add(-1000 * time.Hour)}}}
	for _, text := range f.System[:2] {
		hash := sha256.Sum256([]byte(text))
		im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(hash[:]))
	}
	slow, err := bcrypt.GenerateFromPassword([]byte(f.System[2]), bcrypt.MinCost)
	must(err)
	im.RecoveryHashes = append(im.RecoveryHashes, enrollment.RecoveryHashOf(slow))
	before := f.Now
	f.Now = f.Now.Add(-5 * time.Minute) // so that the current step is not used up
	must(g.Admin("root", "moving in").Import(ctx, "imported", im))
	proving.Value[enrollment.Success](t)(g.Verify(ctx, "imported", "x", f.System[0]))
	f.Now = before

	setup = proving.Value[enrollment.Setup](t)(g.Begin(ctx, "ticket", enrollment.BeginOptions{Account: "t", Proof: enrollment.ByReauth("password")}))
	proving.Value[enrollment.Confirmed](t)(g.Confirm(ctx, "ticket", setup.Token, code(setup.URI())))
	ticket, err := g.Admin("root", "new phone").Reset(ctx, "ticket", enrollment.ResetOptions{Ticket: true})
	must(err)
	f.Ticket = ticket
	must(g.Admin("root", "until the shop opens").Bypass(ctx, "ticket", f.Now.Add(time.Hour)))

	setup = proving.Value[enrollment.Setup](t)(g.Begin(ctx, "begun", enrollment.BeginOptions{Account: "b", Proof: enrollment.ByReauth("password")}))
	f.Begun, f.BegunURI, f.BegunCodes = setup.Token, setup.URI(), setup.Codes().Reveal()

	for _, user := range []string{"full", "imported", "ticket", "begun"} {
		f.Records = append(f.Records, proving.Value[store.Record](t)(s.Load(ctx, user)))
	}
	writeGolden(t, goldenFullFile, f)
}
