package features

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// TestFeatureA3_CodesAreReplaced: eight recovery codes; each used one is
// replaced at once, so that there are always eight, and the new one is shown to
// the user who has just used one.
func TestFeatureA3_CodesAreReplaced(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.Over(t, open(t), scheme, proving.ReplenishCodes)
		codes := k.Enroll("alice").Codes
		k.Told()
		old, current := codes[1], codes[1]
		for range 3 {
			ok, err := k.Answer(k.Challenge("alice"), current)
			if err != nil {
				t.Fatal(err)
			}
			if ok.CodesLeft != count || ok.NewCode.IsZero() || ok.NewCode.Scheme() != k.Config.RecoveryScheme || slices.Contains(codes, ok.NewCode.Reveal()) {
				t.Fatalf("%d codes left, the new one is %q", ok.CodesLeft, ok.NewCode.Reveal())
			}
			if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventRecoveryUsed {
				t.Errorf("told: %+v", e)
			}
			current = ok.NewCode.Reveal()
		}
		_, err := k.Answer(k.Challenge("alice"), old)
		proving.Want(t, err, enrollment.ReasonWrongCode)
		// The others are as good as before, also for Verify.
		if ok, err := k.Guard.Verify(t.Context(), "alice", "x", codes[0]); err != nil || ok.CodesLeft != count || ok.NewCode.IsZero() {
			t.Errorf("%d codes left, %v", ok.CodesLeft, err)
		}
		if s := k.Status("alice"); s.CodesLeft != count || s.CodesTotal != count {
			t.Errorf("%d of %d codes", s.CodesLeft, s.CodesTotal)
		}
	})
}

// TestFeatureA4_CodesAgain: recovery codes can be shown again at any time, and
// each time is noted and told.
func TestFeatureA4_CodesAgain(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.Over(t, open(t), scheme, proving.KeepCodes)
		alice := k.Enroll("alice")
		key, codes := alice.Key, alice.Codes
		k.Told()
		show := func(p enrollment.Proof, want ...string) {
			t.Helper()
			got, err := k.Guard.RecoveryCodes(t.Context(), "alice", p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Reveal(), want) {
				t.Errorf("shown are %v, want %v", got.Reveal(), want)
			}
			if e := k.Told(); len(e) != 1 || e[0].Kind != enrollment.EventCodesShown || e[0].Factor != enrollment.FactorTOTP || e[0].UserID != "alice" {
				t.Errorf("told: %+v", e)
			}
			if h := k.Status("alice").History; h[0].Kind != enrollment.EventCodesShown {
				t.Errorf("the history begins with %+v", h[0])
			}
		}
		show(enrollment.ByCode(k.Code(key)), codes...)
		k.Pass(time.Minute)
		byApp, err := k.Guard.Verify(t.Context(), "alice", "x", k.Code(key))
		if err != nil {
			t.Fatal(err)
		}
		show(enrollment.ByReceipt(byApp.Receipt), codes...)
		show(enrollment.ByReceipt(byApp.Receipt), codes...)

		refused := func(p enrollment.Proof, want enrollment.Reason) {
			t.Helper()
			got, err := k.Guard.RecoveryCodes(t.Context(), "alice", p)
			proving.Want(t, err, want)
			if got.Len() > 0 || len(k.Told()) > 0 {
				t.Error("something was shown or told")
			}
		}
		before := k.Record("alice")
		refused(enrollment.Proof{}, enrollment.ReasonProofRequired)
		refused(enrollment.ByCode(codes[0]), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByCode("no code at all"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByCode("hello"), enrollment.ReasonMalformedCode)
		refused(enrollment.ByReauth("password"), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt(enrollment.ReceiptOf("nothing")), enrollment.ReasonProofInvalid)
		refused(enrollment.ByCode(k.Code(key)), enrollment.ReasonReplayed)
		if k.Record("alice").Version != before.Version {
			t.Error("a refusal was written, or has used a code up")
		}

		// Only what is unspent is shown. The receipt of a recovery code shows
		// nothing.
		byCode, err := k.Guard.Verify(t.Context(), "alice", "x", codes[1])
		if err != nil {
			t.Fatal(err)
		}
		k.Told()
		refused(enrollment.ByReceipt(byCode.Receipt), enrollment.ReasonProofNotAllowed)
		refused(enrollment.ByReceipt(byApp.Receipt), enrollment.ReasonProofInvalid)
		k.Pass(time.Minute)
		show(enrollment.ByCode(k.Code(key)), slices.Delete(slices.Clone(codes), 1, 2)...)

		// A new set replaces all.
		k.Pass(time.Minute)
		renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(k.Code(key)))
		if err != nil {
			t.Fatal(err)
		}
		k.Told()
		show(enrollment.ByReceipt(renewed.Receipt), renewed.Codes.Reveal()...)
		if err := k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(renewed.Receipt)); err != nil {
			t.Fatal(err)
		}
		k.Told()
		refused(enrollment.ByReceipt(renewed.Receipt), enrollment.ReasonNotEnrolled)
	})
}

// TestFeatureT1_CodesAtSetup: recovery codes are shown on the setup page, before
// the first code is verified; they become valid with it.
func TestFeatureT1_CodesAtSetup(t *testing.T, open proving.Open) {
	proving.Schemes(t, func(t *testing.T, scheme func(*enrollment.Config), count int) {
		k := proving.Over(t, open(t), scheme, proving.CodesAtSetup)
		setup, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "alice", Proof: enrollment.ByReauth("password")})
		if err != nil {
			t.Fatal(err)
		}
		shown := setup.Codes().Reveal()
		if len(shown) != count || setup.Codes().Scheme() != k.Config.RecoveryScheme {
			t.Fatalf("%d codes of %v", len(shown), setup.Codes().Scheme())
		}
		again, err := k.Guard.Resume(t.Context(), "alice", setup.Token)
		if err != nil || !slices.Equal(again.Codes().Reveal(), shown) {
			t.Errorf("after a reload: %v, %v", again.Codes().Reveal(), err)
		}
		// They are good for nothing yet.
		_, err = k.Guard.Verify(t.Context(), "alice", "x", shown[0])
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
		if s := k.Status("alice"); s.CodesLeft != 0 || s.CodesTotal != 0 {
			t.Errorf("%d of %d codes before the confirmation", s.CodesLeft, s.CodesTotal)
		}
		_, err = k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(shown[0]))
		proving.Want(t, err, enrollment.ReasonNotEnrolled)

		// What the configuration says by then does not matter.
		k.Guard = k.Node(func(c *enrollment.Config) {
			c.RecoveryScheme, c.RecoveryCodes, c.CodesAtSetup = recovery.Fast-c.RecoveryScheme, recovery.MaxCount, false
		})
		key := proving.KeyOf(t, setup)
		done, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(key))
		if err != nil || !slices.Equal(done.Codes.Reveal(), shown) || done.Success.CodesLeft != count {
			t.Fatalf("confirmed: %v, %d left, %v", done.Codes.Reveal(), done.Success.CodesLeft, err)
		}
		for i, c := range shown {
			if ok, err := k.Answer(k.Challenge("alice"), c); err != nil || ok.CodesLeft != count-1-i {
				t.Errorf("code %d: %d left, %v", i, ok.CodesLeft, err)
			}
		}
	})
}
