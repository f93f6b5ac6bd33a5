package model

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// What the model has found and random sequences come to seldom, once more in
// plain steps.

// Tests are those steps.
var Tests = []proving.Test{
	{Name: "TestWaitingAddressIsVoid", Run: TestWaitingAddressIsVoid},
	{Name: "TestRemovalEndsBypass", Run: TestRemovalEndsBypass},
	{Name: "TestProofIsNotReplenished", Run: TestProofIsNotReplenished},
	{Name: "TestRefusedImportChangesNothing", Run: TestRefusedImportChangesNothing},
	{Name: "TestBypassThatHasNotBegun", Run: TestBypassThatHasNotBegun},
	{Name: "TestFactorsOverTheSameChannel", Run: TestFactorsOverTheSameChannel},
	{Name: "TestRecentForSetupPurpose", Run: TestRecentForSetupPurpose},
	{Name: "TestMalformedProofForCodes", Run: TestMalformedProofForCodes},
	{Name: "TestImportedCodeIsObserved", Run: TestImportedCodeIsObserved},
	{Name: "TestSweepIsCounted", Run: TestSweepIsCounted},
	{Name: "TestOperationsAreModelled", Run: TestOperationsAreModelled, Once: true},
}

// modelMessages sends to an inbox from now on.
func modelMessages(k *proving.Kit) (enrollment.Messages, *proving.Inbox) {
	inbox := new(proving.Inbox)
	k.Configure(func(c *enrollment.Config) { c.Sender = inbox })
	return k.Guard.Messages(), inbox
}

func modelWants(t *testing.T, err error, want enrollment.Reason, what string) {
	t.Helper()
	if got := proving.ReasonOf(err); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// An address whose code is on its way goes with a change of factor, like an
// pending authenticator: who staged it may be who the change was to keep out.
func TestWaitingAddressIsVoid(t *testing.T, open proving.Open) {
	for name, change := range map[string]func(k *proving.Kit, receipt enrollment.Receipt) error{
		"renew_codes": func(k *proving.Kit, receipt enrollment.Receipt) error {
			_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(receipt))
			return err
		},
		"disable": func(k *proving.Kit, receipt enrollment.Receipt) error {
			return k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt))
		},
	} {
		k := proving.Over(t, open(t))
		alice := k.Enroll("alice")
		messages, inbox := modelMessages(k)
		ok, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Code())
		modelWants(t, err, "", "Verify")
		bound, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByReceipt(ok.Receipt)})
		modelWants(t, err, "", "Bind")
		modelWants(t, change(k, ok.Receipt), "", name)
		_, err = messages.Confirm(t.Context(), "alice", bound.Token, inbox.Code())
		modelWants(t, err, enrollment.ReasonNoSetup, "Confirm after "+name)
	}
}

// A bypass ends with every change that takes a factor away.
func TestRemovalEndsBypass(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ReauthDisables = true })
	alice := k.Enroll("alice")
	messages, inbox := modelMessages(k)
	ctx := t.Context()
	ok, err := k.Guard.Verify(ctx, "alice", "x", alice.Code())
	modelWants(t, err, "", "Verify")
	bound, err := messages.Bind(ctx, "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByReceipt(ok.Receipt)})
	modelWants(t, err, "", "Bind")
	_, err = messages.Confirm(ctx, "alice", bound.Token, inbox.Code())
	modelWants(t, err, "", "Confirm of the address")
	k.Pass(time.Minute)
	setup, app := k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.Code())})
	done, err := k.Guard.Confirm(ctx, "alice", setup.Token, k.Code(app))
	modelWants(t, err, "", "Confirm")

	for name, take := range map[string]func() error{
		"Remove": func() error {
			return k.Guard.Remove(ctx, "alice", done.Success.Authenticator, enrollment.ByReauth("password"))
		},
		"Unbind": func() error { return messages.Unbind(ctx, "alice", enrollment.ByReauth("password")) },
	} {
		err := k.Guard.Admin("root", "left the phone at home").Bypass(ctx, "alice", k.Now().Add(time.Hour))
		modelWants(t, err, "", "Bypass")
		modelWants(t, take(), "", name)
		d, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
		if err != nil || d.Next != enrollment.AskCode {
			t.Errorf("after %s: %v %v, want a code to be asked for", name, d.Next, err)
		}
	}
}

// A recovery code that is a proof is not replaced: nobody would see the new one,
// and the count would say that there is one more than the owner has.
func TestProofIsNotReplenished(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ReplenishCodes = true })
	alice := k.Enroll("alice")
	k.Begin("alice", enrollment.BeginOptions{Proof: enrollment.ByCode(alice.Codes[0])})
	s, err := k.Guard.Status(t.Context(), "alice")
	if err != nil || s.CodesLeft != s.CodesTotal-1 {
		t.Errorf("%d of %d codes are left, %v; want one less", s.CodesLeft, s.CodesTotal, err)
	}
	ok, err := k.Guard.Verify(t.Context(), "alice", "x", alice.Codes[1])
	if err != nil || ok.NewCode.IsZero() || ok.CodesLeft != s.CodesLeft {
		t.Errorf("a code that was answered with is not replaced: %v, %d left, %v", ok.NewCode, ok.CodesLeft, err)
	}
}

// An import that is refused takes nothing away.
func TestRefusedImportChangesNothing(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	admin := k.Guard.Admin("root", "moves over")
	_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{Ticket: true})
	modelWants(t, err, "", "Reset")
	before := k.Record("alice")
	key := proving.TheirKey(t, "alice", totp.Params{})
	err = admin.Import(t.Context(), "alice", enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: key}, {Key: key}}, Again: true,
	})
	modelWants(t, err, enrollment.ReasonDuplicateSecret, "Import of one secret twice")
	if after := k.Record("alice"); after.Version != before.Version || !bytes.Equal(after.Data, before.Data) {
		t.Error("the refused import was written")
	}
}

// "After a bypass has ended": a node whose clock is behind has not seen its
// beginning, and demands nothing.
func TestBypassThatHasNotBegun(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	err := k.Guard.Admin("root", "first day").Bypass(t.Context(), "alice", k.Now().Add(time.Hour))
	modelWants(t, err, "", "Bypass")
	for _, x := range []struct {
		after time.Duration
		want  enrollment.Next
	}{{-time.Second, enrollment.Proceed}, {0, enrollment.Proceed}, {time.Hour, enrollment.MustEnroll}} {
		at := k.Now()
		k.Pass(x.after)
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{})
		if err != nil || d.Next != x.want {
			t.Errorf("%v after its beginning: %v, %v; want %v", x.after, d.Next, err, x.want)
		}
		k.Pass(at.Sub(k.Now()))
	}
}

// Factors are what the challenge can be answered with.
func TestFactorsOverTheSameChannel(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	messages, inbox := modelMessages(k)
	bound, err := messages.Bind(t.Context(), "alice", enrollment.BindOptions{Channel: "sms", To: "+491234", Proof: enrollment.ByCode(alice.Code())})
	modelWants(t, err, "", "Bind")
	_, err = messages.Confirm(t.Context(), "alice", bound.Token, inbox.Code())
	modelWants(t, err, "", "Confirm")
	for channel, want := range map[string]bool{"": true, "email": true, "sms": false} {
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Channel: channel})
		if err != nil || slices.Contains(d.Factors, enrollment.FactorDelivered) != want {
			t.Errorf("over %q: %v, %v", channel, d.Factors, err)
		}
	}
}

// "It is an error anywhere else."
func TestRecentForSetupPurpose(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	modelWants(t, err, "", "Confirm")
	if ok, err := k.Guard.RecentlyVerified(t.Context(), "alice", enrollment.PurposeSetup, done.Success.Receipt, time.Minute); proving.ReasonOf(err) != proving.Fault {
		t.Errorf("Recent returned %+v, %v", ok, err)
	}
}

// A text in the form of no code is malformed also where only an app's code is
// taken.
func TestMalformedProofForCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.KeepCodes = true })
	alice := k.Enroll("alice")
	for code, want := range map[string]enrollment.Reason{
		"hello, world": enrollment.ReasonMalformedCode, "x": enrollment.ReasonMalformedCode, alice.Codes[0]: enrollment.ReasonProofNotAllowed,
	} {
		_, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(code))
		modelWants(t, err, want, code)
	}
}

// An Observation says what a code was taken for, not what it looks like.
func TestImportedCodeIsObserved(t *testing.T, open proving.Open) {
	var seen []enrollment.Observation
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
	})
	texts := []string{"abc-def-12", "12345678"}
	im := enrollment.Import{
		Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, "alice", totp.Params{})}},
		RecoveryHashes: proving.Hashes(proving.Summed(texts...)...),
	}
	modelWants(t, k.Guard.Admin("root", "moves over").Import(t.Context(), "alice", im), "", "Import")
	for _, text := range texts {
		seen = nil
		_, err := k.Guard.Verify(t.Context(), "alice", "x", text)
		modelWants(t, err, "", text)
		if len(seen) == 0 || seen[len(seen)-1] != (enrollment.Observation{Operation: "verify", Outcome: "ok", Factor: enrollment.FactorRecovery}) {
			t.Errorf("observed was %+v", seen)
		}
	}
}

// "Each account that was due is a line of the log", and is counted.
func TestSweepIsCounted(t *testing.T, open proving.Open) {
	var seen []enrollment.Observation
	var log bytes.Buffer
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.Observe = func(o enrollment.Observation) { seen = append(seen, o) }
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	k.Begin("alice", enrollment.BeginOptions{})
	k.Pass(time.Hour)
	k.Begin("bob", enrollment.BeginOptions{}) // not due
	seen = nil
	log.Reset()
	done, err := k.Directory().Sweep(t.Context())
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

// The model knows every operation that is observed, and no other. It sees each of
// them counted, whatever the answer, but for the repair of what somebody else has
// written.
func TestOperationsAreModelled(t *testing.T, _ proving.Open) {
	known := append(slices.Collect(maps.Values(modelWords)), "sweep", "repair_due")
	if slices.Sort(known); !slices.Equal(known, enrollment.Operations()) {
		t.Errorf("the model knows\n%q, want\n%q", known, enrollment.Operations())
	}
}
