package enrollment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What the model has found and random sequences come to seldom, once more in
// plain steps.

// modelGateway keeps the code of the last message.
type modelGateway struct{ code string }

func (g *modelGateway) Send(_ context.Context, m enrollment.Message) error {
	g.code = m.Code()
	return nil
}

func modelMessages(t *testing.T, kit *enrollmenttest.Kit) (*enrollment.Messages, *modelGateway) {
	t.Helper()
	gateway := new(modelGateway)
	m, err := enrollment.NewMessages(kit.Guard, gateway, enrollment.MessagesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return m, gateway
}

func modelWants(t *testing.T, err error, want enrollment.Reason, what string) {
	t.Helper()
	if got := modelReason(err); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// An address whose code is on its way goes with a change of factor, like an
// authenticator that waits: who staged it may be who the change was to keep out.
func TestWaitingAddressIsVoid(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(kit *enrollmenttest.Kit, receipt string) error{
		"new_codes": func(kit *enrollmenttest.Kit, receipt string) error {
			_, err := kit.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(receipt))
			return err
		},
		"disable": func(kit *enrollmenttest.Kit, receipt string) error {
			return kit.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt))
		},
	} {
		kit := enrollmenttest.New(t)
		alice := kit.Enroll("alice")
		messages, gateway := modelMessages(t, kit)
		ok, err := kit.Guard.Verify(t.Context(), "alice", "x", alice.Code())
		modelWants(t, err, "", "Verify")
		bound, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByReceipt(ok.Receipt)})
		modelWants(t, err, "", "Bind")
		modelWants(t, change(kit, ok.Receipt), "", name)
		_, err = messages.Confirm(t.Context(), "alice", bound.Token, gateway.code)
		modelWants(t, err, enrollment.ReasonNoSetup, "Confirm after "+name)
	}
}

// A bypass ends with every change that takes a factor away.
func TestRemovalEndsBypass(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.AllowReauth = true })
	alice := kit.Enroll("alice")
	messages, gateway := modelMessages(t, kit)
	ctx := t.Context()
	ok, err := kit.Guard.Verify(ctx, "alice", "x", alice.Code())
	modelWants(t, err, "", "Verify")
	bound, err := messages.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByReceipt(ok.Receipt)})
	modelWants(t, err, "", "Bind")
	_, err = messages.Confirm(ctx, "alice", bound.Token, gateway.code)
	modelWants(t, err, "", "Confirm of the address")
	kit.Clock.Advance(time.Minute)
	setup, app := begin(t, kit, "alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.Code())})
	done, err := kit.Guard.Confirm(ctx, "alice", setup.Token, app.Code(kit.Clock.Now()))
	modelWants(t, err, "", "Confirm")

	for name, take := range map[string]func() error{
		"Remove": func() error {
			return kit.Guard.Remove(ctx, "alice", done.Success.Authenticator, enrollment.ByReauth("password"))
		},
		"Unbind": func() error { return messages.Unbind(ctx, "alice", enrollment.ByReauth("password")) },
	} {
		err := kit.Guard.Admin("root", "left the phone at home").Bypass(ctx, "alice", kit.Clock.Now().Add(time.Hour))
		modelWants(t, err, "", "Bypass")
		modelWants(t, take(), "", name)
		d, err := kit.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
		if err != nil || d.Next != enrollment.AskCode {
			t.Errorf("after %s: %v %v, want a code to be asked for", name, d.Next, err)
		}
	}
}

// A recovery code that is a proof is not replaced: nobody would see the new one,
// and the count would say that there is one more than the owner has.
func TestProofIsNotReplenished(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.ReplenishCodes = true })
	alice := kit.Enroll("alice")
	begin(t, kit, "alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.RecoveryCodes[0])})
	s, err := kit.Guard.Status(t.Context(), "alice")
	if err != nil || s.CodesLeft != s.CodesTotal-1 {
		t.Errorf("%d of %d codes are left, %v; want one less", s.CodesLeft, s.CodesTotal, err)
	}
	ok, err := kit.Guard.Verify(t.Context(), "alice", "x", alice.RecoveryCodes[1])
	if err != nil || ok.NewCode.IsZero() || ok.CodesLeft != s.CodesLeft {
		t.Errorf("a code that was answered with is not replaced: %v, %d left, %v", ok.NewCode, ok.CodesLeft, err)
	}
}

// An import that is refused takes nothing away.
func TestRefusedImportChangesNothing(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	admin := kit.Guard.Admin("root", "moves over")
	_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	modelWants(t, err, "", "Reset")
	before, err := kit.Store.Load(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	key := modelImportedKey(t)
	err = admin.Import(t.Context(), "alice", enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: key}, {Key: key}}, Again: true,
	})
	modelWants(t, err, enrollment.ReasonDuplicateSecret, "Import of one secret twice")
	after, err := kit.Store.Load(t.Context(), "alice")
	if err != nil || after.Version != before.Version || !bytes.Equal(after.Data, before.Data) {
		t.Errorf("the refused import was written: %v", err)
	}
}

func modelImportedKey(t *testing.T) totp.Key {
	t.Helper()
	secret, err := totp.ParseSecret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// "After a bypass has ended": a node whose clock is behind has not seen its
// beginning, and demands nothing.
func TestBypassThatHasNotBegun(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	err := kit.Guard.Admin("root", "first day").Bypass(t.Context(), "alice", kit.Clock.Now().Add(time.Hour))
	modelWants(t, err, "", "Bypass")
	for _, x := range []struct {
		after time.Duration
		want  enrollment.Next
	}{{-time.Second, enrollment.Proceed}, {0, enrollment.Proceed}, {time.Hour, enrollment.MustEnroll}} {
		at := kit.Clock.Now()
		kit.Clock.Advance(x.after)
		d, err := kit.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if err != nil || d.Next != x.want {
			t.Errorf("%v after its beginning: %v, %v; want %v", x.after, d.Next, err, x.want)
		}
		kit.Clock.Advance(at.Sub(kit.Clock.Now()))
	}
}

// Factors are what the challenge can be answered with.
func TestFactorsOverTheSameChannel(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	alice := kit.Enroll("alice")
	messages, gateway := modelMessages(t, kit)
	bound, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByCode(alice.Code())})
	modelWants(t, err, "", "Bind")
	_, err = messages.Confirm(t.Context(), "alice", bound.Token, gateway.code)
	modelWants(t, err, "", "Confirm")
	for channel, want := range map[string]bool{"": true, "email": true, "sms": false} {
		d, err := kit.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Channel: channel})
		if err != nil || slices.Contains(d.Factors, enrollment.FactorDelivered) != want {
			t.Errorf("over %q: %v, %v", channel, d.Factors, err)
		}
	}
}

// "It is an error anywhere else."
func TestRecentForSetupPurpose(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t)
	setup, app := begin(t, kit, "alice", enrollment.BeginOptions{})
	done, err := kit.Guard.Confirm(t.Context(), "alice", setup.Token, app.Code(kit.Clock.Now()))
	modelWants(t, err, "", "Confirm")
	if ok, err := kit.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSetup, done.Success.Receipt, time.Minute); modelReason(err) != "fault" {
		t.Errorf("Recent returned %+v, %v", ok, err)
	}
}

// A text in the form of no code is malformed also where only an app's code is
// taken.
func TestMalformedProofForCodes(t *testing.T) {
	t.Parallel()
	kit := enrollmenttest.New(t, func(c *enrollment.Config) { c.KeepCodes = true })
	alice := kit.Enroll("alice")
	for code, want := range map[string]enrollment.Reason{
		"hello, world": enrollment.ReasonMalformedCode, "x": enrollment.ReasonMalformedCode, alice.RecoveryCodes[0]: enrollment.ReasonProofNotAllowed,
	} {
		_, err := kit.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(code))
		modelWants(t, err, want, code)
	}
}

// An Observation says what a code was taken for, not what it looks like.
func TestImportedCodeIsObserved(t *testing.T) {
	t.Parallel()
	var seen []enrollment.Observation
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
	})
	texts := []string{"abc-def-12", "12345678"}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: modelImportedKey(t)}}}
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		im.RecoveryHashes = append(im.RecoveryHashes, sum[:])
	}
	modelWants(t, kit.Guard.Admin("root", "moves over").Import(t.Context(), "alice", im), "", "Import")
	for _, text := range texts {
		seen = nil
		_, err := kit.Guard.Verify(t.Context(), "alice", "x", text)
		modelWants(t, err, "", text)
		if len(seen) == 0 || seen[len(seen)-1] != (enrollment.Observation{Operation: "verify", Outcome: "ok", Factor: enrollment.FactorRecovery}) {
			t.Errorf("observed was %+v", seen)
		}
	}
}

// "Each account that was due is a line of the log", and is counted.
func TestSweepIsCounted(t *testing.T) {
	t.Parallel()
	var seen []enrollment.Observation
	var log bytes.Buffer
	kit := enrollmenttest.New(t, func(c *enrollment.Config) {
		c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	begin(t, kit, "alice", enrollment.BeginOptions{})
	kit.Clock.Advance(time.Hour)
	begin(t, kit, "bob", enrollment.BeginOptions{}) // not due
	directory, err := enrollment.NewDirectory(kit.Guard, kit.Store)
	if err != nil {
		t.Fatal(err)
	}
	seen = nil
	log.Reset()
	done, err := directory.Sweep(t.Context())
	if err != nil || done.Seen != 1 || done.Expired != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if want := []enrollment.Observation{{Operation: "sweep", Outcome: "ok"}}; !slices.Equal(seen, want) {
		t.Errorf("observed was %+v, want %+v", seen, want)
	}
	text := log.String()
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "twofactor sweep") || !strings.Contains(text, "user=alice") {
		t.Errorf("logged was %q", text)
	}
}
