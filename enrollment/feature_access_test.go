package enrollment_test

import (
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A1: not active until a code confirms it; walking away means starting again.
func TestFeatureA1_WalkingAway(t *testing.T) {
	s := tell(t)
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	s.pass(enrollment.DefaultSetupTTL)
	_, err := s.Guard.Confirm(t.Context(), "alice", setup.Token, app.Code(s.Clock.Now()))
	s.denied(err, enrollment.ReasonSetupExpired)
	if status := s.status("alice"); status.State != store.None || !status.SetupExpires.IsZero() {
		t.Errorf("something is left: %+v", status)
	}

	next, other := s.begin("alice", enrollment.BeginOptions{})
	if next.Secret().Equal(setup.Secret()) {
		t.Error("starting again shows the same secret")
	}
	_, err = s.Guard.Confirm(t.Context(), "alice", next.Token, app.Code(s.Clock.Now()))
	s.denied(err, enrollment.ReasonWrongCode)
	s.confirm("alice", next, other)
}

// A2: the label in the app shows the company's or reseller's name: the issuer
// differs per tenant.
func TestFeatureA2_IssuerPerTenant(t *testing.T) {
	s := tell(t)
	for tenant, user := range map[string]string{"Nordlicht GmbH": "alice", "山田商店": "bob", "A & B": "carol"} {
		setup, app := s.begin(user, enrollment.BeginOptions{Issuer: tenant})
		if app.Issuer() != tenant {
			t.Errorf("the app shows %q, want %q", app.Issuer(), tenant)
		}
		s.confirm(user, setup, app)
	}
	if _, app := s.begin("dave", enrollment.BeginOptions{}); app.Issuer() != "Example" {
		t.Errorf("the app shows %q without a tenant", app.Issuer())
	}
}

// A3: eight recovery codes; each used one is replaced at once, so that there are
// always eight.
func TestFeatureA3_AlwaysEightCodes(t *testing.T) {
	s := tell(t, func(c *enrollment.Config) { c.RecoveryCodes, c.ReplenishCodes = 8, true })
	alice := s.Enroll("alice")
	if len(alice.RecoveryCodes) != 8 {
		t.Fatalf("%d codes", len(alice.RecoveryCodes))
	}
	code := alice.RecoveryCodes[0]
	for range 20 { // more often than there are codes
		ok := s.in(s.asked("alice"), code)
		if ok.CodesLeft != 8 || ok.NewCode.IsZero() {
			t.Fatalf("%d codes left", ok.CodesLeft)
		}
		s.out(s.asked("alice"), code, enrollment.ReasonWrongCode) // it works once
		code = ok.NewCode.Reveal()
	}
	s.in(s.asked("alice"), alice.RecoveryCodes[7])
	if status := s.status("alice"); status.CodesLeft != 8 || status.CodesTotal != 8 {
		t.Errorf("%d of %d codes left", status.CodesLeft, status.CodesTotal)
	}
	if ok := s.in(s.asked("alice"), alice.Code()); !ok.NewCode.IsZero() {
		t.Error("an app's code buys a recovery code")
	}
}

// A3: off by default.
func TestFeatureA3_OffByDefault(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	if ok := s.in(s.asked("alice"), alice.RecoveryCodes[0]); !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, a new one: %v", ok.CodesLeft, !ok.NewCode.IsZero())
	}
}

// A4: recovery codes can be shown again at any time.
func TestFeatureA4_CodesShownAgain(t *testing.T) {
	s := tell(t, func(c *enrollment.Config) { c.KeepCodes = true })
	alice := s.Enroll("alice")
	s.in(s.asked("alice"), alice.RecoveryCodes[3])

	for _, proof := range []func() enrollment.Proof{
		func() enrollment.Proof { return enrollment.ByCode(alice.Code()) },
		func() enrollment.Proof { return enrollment.ByReceipt(s.receipt(alice)) },
	} {
		shown, err := s.Guard.RecoveryCodes(t.Context(), "alice", proof())
		s.must(err)
		want := slices.Delete(slices.Clone(alice.RecoveryCodes), 3, 4)
		if !slices.Equal(shown.Reveal(), want) {
			t.Error("shown are not those that are left")
		}
	}
	_, err := s.Guard.RecoveryCodes(t.Context(), "alice", enrollment.Proof{})
	s.denied(err, enrollment.ReasonProofRequired)
	_, err = s.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.RecoveryCodes[0]))
	s.denied(err, enrollment.ReasonProofNotAllowed) // one code does not give the others away
	if told := s.told("alice", enrollment.EventCodesShown); len(told) != 2 {
		t.Errorf("alice was told %d times, want 2", len(told))
	}
}

// A4: off by default.
func TestFeatureA4_OffByDefault(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	_, err := s.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	s.denied(err, enrollment.ReasonCodesNotKept)
	s.in(s.asked("alice"), alice.Code()) // and the code was not used up
}

// A5: regenerate: all earlier codes stop working at once.
func TestFeatureA5_Regenerate(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	_, err := s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	s.must(err)
	challenge := s.asked("alice")
	for _, old := range alice.RecoveryCodes {
		s.pass(enrollment.ChallengeTTL / 20) // no faster than guessing goes
		denied := s.out(challenge, old, enrollment.ReasonWrongCode)
		s.Clock.Advance(max(0, denied.RetryAt.Sub(s.Clock.Now())))
		challenge = s.asked("alice")
	}
}

// A6: disable takes effect immediately.
func TestFeatureA6_DisableAtOnce(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	receipt := s.receipt(alice)
	device, err := s.Guard.Devices().Trust(t.Context(), "alice", receipt, "laptop")
	s.must(err)
	open := s.asked("alice") // another tab
	s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt)))

	d := s.signIn("alice", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	if d.Waived != "" {
		t.Errorf("waived by %q, and there is nothing to waive", d.Waived)
	}
	s.nextCode()
	s.out(open, alice.Code(), enrollment.ReasonChallengeVoid)
	s.out(open, alice.RecoveryCodes[0], enrollment.ReasonChallengeVoid)
	if status := s.status("alice"); status.Enabled() || status.CodesTotal != 0 || status.Devices != 0 || len(status.Authenticators) != 0 {
		t.Errorf("something is left: %+v", status)
	}
}
