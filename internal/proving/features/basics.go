package features

import (
	"bytes"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// F1: password first, then a second screen that asks for the code.
func TestFeatureF1_PasswordThenCode(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")

	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if want := []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorRecovery}; !slices.Equal(d.Factors, want) {
		t.Errorf("the second screen offers %v, want %v", d.Factors, want)
	}
	k.Out(d.Challenge, "", enrollment.ReasonMalformedCode)
	k.Out(d.Challenge, alice.Wrong(), enrollment.ReasonWrongCode)
	if ok := k.In(d.Challenge, alice.Code()); ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v, want a sign-in of alice by her app", ok)
	}
	k.SignIn("bob", enrollment.SignInOptions{}, enrollment.Proceed) // who has nothing is not asked
}

// F2: enable from the account settings: instructions, a QR code, verify a code,
// then the security page shows it as enabled.
func TestFeatureF2_EnableFromSettings(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	if k.Status("alice").Enabled() {
		t.Fatal("enabled before anything was done")
	}
	oneClick := k.Node(func(c *enrollment.Config) { c.UnprovenSetup = true })
	_, err := oneClick.Begin(t.Context(), "bob", enrollment.BeginOptions{Account: "bob"})
	k.Must(err)

	setup, app := k.Begin("alice", enrollment.BeginOptions{Account: "alice@example.com"})
	code, err := setup.QR()
	k.Must(err)
	image, err := code.PNG(200)
	k.Must(err)
	if _, err := png.Decode(bytes.NewReader(image)); err != nil {
		t.Errorf("the QR code is no picture: %v", err)
	}
	if p := setup.Params(); p.Digits != 6 || setup.Secret().IsZero() {
		t.Errorf("nothing to write instructions from: %+v", p)
	}
	if issuer, account := label(t, setup); issuer != "Acme" || account != "alice@example.com" {
		t.Errorf("the app shows %q, %q", issuer, account)
	}
	if status := k.Status("alice"); status.Enabled() || !status.SetupExpires.Equal(setup.Expires) {
		t.Error("a pending setup counts as enabled")
	}

	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, proving.WrongCode(k.Now(), app))
	proving.Want(t, err, enrollment.ReasonWrongCode)
	if k.Status("alice").Enabled() {
		t.Error("enabled by a wrong code")
	}
	if done := k.Confirm("alice", setup, app); done.Event != enrollment.EventEnabled {
		t.Errorf("confirming did %q", done.Event)
	}
	if status := k.Status("alice"); !status.Enabled() || len(status.Authenticators) != 1 || status.CodesLeft != 10 {
		t.Errorf("the security page shows %+v", status)
	}
}

// F3: backup codes in sets of ten; making a set needs a current code of the app;
// a new set makes the old one inactive; copied or printed.
func TestFeatureF3_BackupCodesInSetsOfTen(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	if len(alice.Codes) != 10 {
		t.Fatalf("%d codes in the first set", len(alice.Codes))
	}

	used := alice.Code()
	k.In(k.Challenge("alice"), used)
	for _, c := range []struct {
		proof enrollment.Proof
		want  enrollment.Reason
	}{
		{enrollment.Proof{}, enrollment.ReasonProofRequired},
		{enrollment.ByCode(""), enrollment.ReasonMalformedCode},
		{enrollment.ByCode(used), enrollment.ReasonReplayed},
		{enrollment.ByCode(alice.Wrong()), enrollment.ReasonWrongCode},
	} {
		_, err := k.Guard.RenewCodes(t.Context(), "alice", c.proof)
		proving.Want(t, err, c.want)
	}
	k.Pass(30 * time.Second)
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	k.Must(err)

	codes := renewed.Codes.Reveal() // to be copied
	if len(codes) != 10 {
		t.Fatalf("%d codes in the next set", len(codes))
	}
	sheet := renewed.Codes.Sheet(recovery.Sheet{Issuer: "Example", Account: "alice", Created: k.Now()})
	for _, c := range codes {
		if !strings.Contains(sheet, c) {
			t.Error("a code is not on the sheet to be printed")
		}
	}
	challenge := k.Challenge("alice")
	k.Out(challenge, alice.Codes[0], enrollment.ReasonWrongCode)
	k.In(challenge, codes[0])
}

// F4: disabling needs a current code of the app.
func TestFeatureF4_DisableByAppCode(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	used := alice.Code()
	k.In(k.Challenge("alice"), used)

	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(used)), enrollment.ReasonReplayed)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Wrong())), enrollment.ReasonWrongCode)
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)

	k.Pass(30 * time.Second)
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
}

// F5: an administrator disables it for another user.
func TestFeatureF5_AdministratorDisables(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	k.Enroll("root")
	admin := k.Guard.Admin("root", "lost the phone, ticket 4711")

	_, err := admin.Reset(t.Context(), "root", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonOwnAccount) // of another user
	_, err = k.Guard.Admin("root", "").Reset(t.Context(), "alice", enrollment.ResetOptions{})
	if err == nil {
		t.Error("a reset without a reason")
	}

	_, err = admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
	k.Must(err)
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if got := k.Status("alice").State; got != store.Disabled {
		t.Errorf("alice is %v", got)
	}
	if told := k.EventsOf("alice", enrollment.EventReset); len(told) != 1 || told[0].Actor != "root" || told[0].Note != "lost the phone, ticket 4711" {
		t.Errorf("alice was told %+v", told)
	}
	k.SignIn("root", enrollment.SignInOptions{}, enrollment.AskCode) // nobody else is touched
}

// F6: the codes are lost, the phone is there: ten new ones, which replace the
// old.
func TestFeatureF6_CodesLostPhoneThere(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")

	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	k.Must(err)
	if status := k.Status("alice"); renewed.Codes.Len() != 10 || status.CodesLeft != 10 || status.CodesTotal != 10 {
		t.Errorf("%d new codes, %d of %d left", renewed.Codes.Len(), status.CodesLeft, status.CodesTotal)
	}
	challenge := k.Challenge("alice")
	for _, old := range alice.Codes[:3] { // also for a person who finds them
		k.Out(challenge, old, enrollment.ReasonWrongCode)
	}
	k.In(challenge, renewed.Codes.Reveal()[9])
}

// F7: a new phone: move over, without an unprotected moment.
func TestFeatureF7_NewPhone(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	old := k.Status("alice").Authenticators[0]

	setup, phone := k.Begin("alice", enrollment.BeginOptions{Replace: old.ID, Proof: enrollment.ByCode(alice.Code())})
	k.Pass(30 * time.Second)
	challenge := k.Challenge("alice")
	k.Out(challenge, k.Code(phone), enrollment.ReasonWrongCode) // not proven yet
	k.In(challenge, alice.Code())                               // still the one to use
	k.Pass(30 * time.Second)

	if done := k.Confirm("alice", setup, phone); done.Event != enrollment.EventAuthenticatorReplaced {
		t.Errorf("confirming did %q", done.Event)
	}
	challenge = k.Challenge("alice")
	k.Out(challenge, alice.Code(), enrollment.ReasonWrongCode)
	k.In(challenge, k.Code(phone))
	if status := k.Status("alice"); len(status.Authenticators) != 1 || status.CodesLeft != 10 {
		t.Errorf("after the move: %+v", status)
	}
}
