package features

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A1: not active until a code confirms it; walking away means starting again.
func TestFeatureA1_WalkingAway(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	k.Pass(15 * time.Minute)
	_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
	proving.Want(t, err, enrollment.ReasonSetupExpired)
	if status := k.Status("alice"); status.State != store.None || !status.SetupExpires.IsZero() {
		t.Errorf("something is left: %+v", status)
	}

	next, other := k.Begin("alice", enrollment.BeginOptions{})
	if next.Secret().Equal(setup.Secret()) {
		t.Error("starting again shows the same secret")
	}
	_, err = k.Guard.Confirm(t.Context(), "alice", next.Token, k.Code(app))
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Confirm("alice", next, other)
}

// A2: the label in the app shows the company's or reseller's name: the issuer
// differs per tenant.
func TestFeatureA2_IssuerPerTenant(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	for tenant, user := range map[string]string{"Nordlicht GmbH": "alice", "山田商店": "bob", "A & B": "carol"} {
		setup, app := k.Begin(user, enrollment.BeginOptions{Issuer: tenant})
		if issuer, _ := label(t, setup); issuer != tenant {
			t.Errorf("the app shows %q, want %q", issuer, tenant)
		}
		k.Confirm(user, setup, app)
	}
	setup, _ := k.Begin("dave", enrollment.BeginOptions{})
	if issuer, _ := label(t, setup); issuer != "Acme" {
		t.Errorf("the app shows %q without a tenant", issuer)
	}
	// A login name can have what no label can have.
	for login, want := range map[string]string{"@erin:example.org": "@erin∶example.org", `DOMAIN\erin`: `DOMAIN\erin`, " erin": "erin"} {
		setup, _ := k.Begin("erin", enrollment.BeginOptions{Account: login})
		if _, account := label(t, setup); account != want {
			t.Errorf("the app shows %q for %q, want %q", account, login, want)
		}
	}
}

// label is what the app shows that has scanned a setup.
func label(t *testing.T, setup enrollment.Setup) (issuer, account string) {
	t.Helper()
	app, err := enrollmenttest.Scan(setup.URI())
	if err != nil {
		t.Fatal(err)
	}
	return app.Issuer(), app.Account()
}

// A3: eight recovery codes; each used one is replaced at once, so that there are
// always eight.
func TestFeatureA3_AlwaysEightCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.RecoveryCodes, c.ReplenishCodes = 8, true })
	alice := k.Enroll("alice")
	if len(alice.Codes) != 8 {
		t.Fatalf("%d codes", len(alice.Codes))
	}
	code := alice.Codes[0]
	for range 20 { // more often than there are codes
		ok := k.In(k.Challenge("alice"), code)
		if ok.CodesLeft != 8 || ok.NewCode.IsZero() {
			t.Fatalf("%d codes left", ok.CodesLeft)
		}
		k.Out(k.Challenge("alice"), code, enrollment.ReasonWrongCode) // it works once
		code = ok.NewCode.Reveal()
	}
	k.In(k.Challenge("alice"), alice.Codes[7])
	if status := k.Status("alice"); status.CodesLeft != 8 || status.CodesTotal != 8 {
		t.Errorf("%d of %d codes left", status.CodesLeft, status.CodesTotal)
	}
	if ok := k.In(k.Challenge("alice"), alice.Code()); !ok.NewCode.IsZero() {
		t.Error("an app's code buys a recovery code")
	}
}

// A3: off by default.
func TestFeatureA3_OffByDefault(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	if ok := k.In(k.Challenge("alice"), alice.Codes[0]); !ok.NewCode.IsZero() || ok.CodesLeft != 9 {
		t.Errorf("%d codes left, a new one: %v", ok.CodesLeft, !ok.NewCode.IsZero())
	}
}

// A4: recovery codes can be shown again at any time.
func TestFeatureA4_CodesShownAgain(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.KeepCodes = true })
	alice := k.Enroll("alice")
	k.In(k.Challenge("alice"), alice.Codes[3])

	for _, proof := range []func() enrollment.Proof{
		func() enrollment.Proof { return enrollment.ByCode(alice.Code()) },
		func() enrollment.Proof { return enrollment.ByReceipt(alice.Receipt()) },
	} {
		shown, err := k.Guard.RecoveryCodes(t.Context(), "alice", proof())
		k.Must(err)
		k.NextCode(alice.Key)
		want := slices.Delete(slices.Clone(alice.Codes), 3, 4)
		if !slices.Equal(shown.Reveal(), want) {
			t.Error("shown are not those that are left")
		}
	}
	_, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.Proof{})
	proving.Want(t, err, enrollment.ReasonProofRequired)
	_, err = k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Codes[0]))
	proving.Want(t, err, enrollment.ReasonProofNotAllowed) // one code does not give the others away
	if told := k.EventsOf("alice", enrollment.EventCodesShown); len(told) != 2 {
		t.Errorf("alice was told %d times, want 2", len(told))
	}
}

// A4: off by default.
func TestFeatureA4_OffByDefault(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	_, err := k.Guard.RecoveryCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	proving.Want(t, err, enrollment.ReasonCodesNotKept)
	k.In(k.Challenge("alice"), alice.Code()) // and the code was not used up
}

// A5: regenerate: all earlier codes stop working at once.
func TestFeatureA5_Regenerate(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	k.Must(err)
	challenge := k.Challenge("alice")
	for _, old := range alice.Codes {
		k.Pass(enrollment.ChallengeTTL / 20) // no faster than guessing goes
		denied := k.Out(challenge, old, enrollment.ReasonWrongCode)
		k.Pass(max(0, denied.RetryAt.Sub(k.Now())))
		challenge = k.Challenge("alice")
	}
}

// A6: disable takes effect immediately.
func TestFeatureA6_DisableAtOnce(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	receipt := alice.Receipt()
	device, err := k.Guard.Devices().Trust(t.Context(), "alice", receipt, "laptop")
	k.Must(err)
	tab := k.Challenge("alice") // another tab
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(receipt)))

	d := k.SignIn("alice", enrollment.SignInOptions{Device: device.Token}, enrollment.Proceed)
	if d.Waived != "" {
		t.Errorf("waived by %q, and there is nothing to waive", d.Waived)
	}
	k.Pass(30 * time.Second)
	k.Out(tab, alice.Code(), enrollment.ReasonChallengeVoid)
	k.Out(tab, alice.Codes[0], enrollment.ReasonChallengeVoid)
	if status := k.Status("alice"); status.Enabled() || status.CodesTotal != 0 || status.Devices != 0 || len(status.Authenticators) != 0 {
		t.Errorf("something is left: %+v", status)
	}
}
