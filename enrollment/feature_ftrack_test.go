package enrollment_test

import (
	"bytes"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// F1: password first, then a second screen that asks for the code.
func TestFeatureF1_PasswordThenCode(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")

	d := s.signIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if want := []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorRecovery}; !slices.Equal(d.Factors, want) {
		t.Errorf("the second screen offers %v, want %v", d.Factors, want)
	}
	s.out(d.Challenge, "", enrollment.ReasonMalformedCode)
	s.out(d.Challenge, alice.WrongCode(), enrollment.ReasonWrongCode)
	if ok := s.in(d.Challenge, alice.Code()); ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorTOTP {
		t.Errorf("%+v, want a sign-in of alice by her app", ok)
	}
	s.signIn("bob", enrollment.SignInOptions{}, enrollment.Proceed) // who has nothing is not asked
}

// F2: enable from the account settings: instructions, a QR code, verify a code,
// then the security page shows it as enabled.
func TestFeatureF2_EnableFromSettings(t *testing.T) {
	s := tell(t)
	if s.status("alice").Enabled() {
		t.Fatal("enabled before anything was done")
	}

	setup, app := s.begin("alice", enrollment.BeginOptions{})
	code, err := setup.QR()
	s.must(err)
	image, err := code.PNG(200)
	s.must(err)
	if _, err := png.Decode(bytes.NewReader(image)); err != nil {
		t.Errorf("the QR code is no picture: %v", err)
	}
	if p := setup.Params(); p.Digits != 6 || setup.Secret().IsZero() {
		t.Errorf("nothing to write instructions from: %+v", p)
	}
	if app.Issuer() != "Example" || app.Account() != "alice@example.com" {
		t.Errorf("the app shows %q, %q", app.Issuer(), app.Account())
	}
	if status := s.status("alice"); status.Enabled() || !status.SetupExpires.Equal(setup.Expires) {
		t.Error("a setup that waits is not one that is enabled")
	}

	_, err = s.Guard.Confirm(t.Context(), "alice", setup.Token, app.WrongCode(s.Clock.Now()))
	s.denied(err, enrollment.ReasonWrongCode)
	if s.status("alice").Enabled() {
		t.Error("enabled by a wrong code")
	}
	if done := s.confirm("alice", setup, app); done.Did != enrollment.EventEnabled {
		t.Errorf("confirming did %q", done.Did)
	}
	if status := s.status("alice"); !status.Enabled() || len(status.Authenticators) != 1 || status.CodesLeft != 10 {
		t.Errorf("the security page shows %+v", status)
	}
}

// F3: backup codes in sets of ten; making a set needs a current code of the app;
// a new set makes the old one inactive; copied or printed.
func TestFeatureF3_BackupCodesInSetsOfTen(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	if len(alice.RecoveryCodes) != 10 {
		t.Fatalf("%d codes in the first set", len(alice.RecoveryCodes))
	}

	used := alice.Code()
	s.in(s.asked("alice"), used)
	for _, c := range []struct {
		proof enrollment.Proof
		want  enrollment.Reason
	}{
		{enrollment.Proof{}, enrollment.ReasonProofRequired},
		{enrollment.ByCode(""), enrollment.ReasonMalformedCode},
		{enrollment.ByCode(used), enrollment.ReasonReplayed},
		{enrollment.ByCode(alice.WrongCode()), enrollment.ReasonWrongCode},
	} {
		_, err := s.Guard.RenewCodes(t.Context(), "alice", c.proof)
		s.denied(err, c.want)
	}
	s.nextCode()
	renewed, err := s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	s.must(err)

	codes := renewed.Codes.Reveal() // to be copied
	if len(codes) != 10 {
		t.Fatalf("%d codes in the next set", len(codes))
	}
	sheet := renewed.Codes.Sheet(recovery.Sheet{Issuer: "Example", Account: "alice", Created: s.Clock.Now()})
	for _, c := range codes {
		if !strings.Contains(sheet, c) {
			t.Error("a code is not on the sheet to be printed")
		}
	}
	challenge := s.asked("alice")
	s.out(challenge, alice.RecoveryCodes[0], enrollment.ReasonWrongCode)
	s.in(challenge, codes[0])
}

// F4: disabling needs a current code of the app.
func TestFeatureF4_DisableByAppCode(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	used := alice.Code()
	s.in(s.asked("alice"), used)

	s.denied(s.Guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	s.denied(s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(used)), enrollment.ReasonReplayed)
	s.denied(s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.WrongCode())), enrollment.ReasonWrongCode)
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)

	s.nextCode()
	s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
}

// F5: an administrator disables it for another user.
func TestFeatureF5_AdministratorDisables(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	s.Enroll("root")
	admin := s.Guard.Admin("root", "lost the phone, ticket 4711")

	_, err := admin.Reset(t.Context(), "root", enrollment.ResetOptions{})
	s.denied(err, enrollment.ReasonOwnAccount) // of another user
	_, err = s.Guard.Admin("root", "").Reset(t.Context(), "alice", enrollment.ResetOptions{})
	if err == nil {
		t.Error("a reset without a reason")
	}

	_, err = admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
	s.must(err)
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if got := s.status("alice").State; got != store.Disabled {
		t.Errorf("alice is %v", got)
	}
	if told := s.told("alice", enrollment.EventReset); len(told) != 1 || told[0].Actor != "root" || told[0].Note != "lost the phone, ticket 4711" {
		t.Errorf("alice was told %+v", told)
	}
	s.signIn("root", enrollment.SignInOptions{}, enrollment.AskCode) // nobody else is touched
}

// F6: the codes are lost, the phone is there: ten new ones, which replace the
// old.
func TestFeatureF6_CodesLostPhoneThere(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")

	renewed, err := s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(alice.Code()))
	s.must(err)
	if status := s.status("alice"); renewed.Codes.Len() != 10 || status.CodesLeft != 10 || status.CodesTotal != 10 {
		t.Errorf("%d new codes, %d of %d left", renewed.Codes.Len(), status.CodesLeft, status.CodesTotal)
	}
	challenge := s.asked("alice")
	for _, old := range alice.RecoveryCodes[:3] { // whoever finds them
		s.out(challenge, old, enrollment.ReasonWrongCode)
	}
	s.in(challenge, renewed.Codes.Reveal()[9])
}

// F7: a new phone: move over, without an unprotected moment.
func TestFeatureF7_NewPhone(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	old := s.status("alice").Authenticators[0]

	setup, phone := s.begin("alice", enrollment.BeginOptions{Replace: old.ID, Proof: enrollment.ByCode(alice.Code())})
	s.nextCode()
	challenge := s.asked("alice")
	s.out(challenge, phone.Code(s.Clock.Now()), enrollment.ReasonWrongCode) // not proven yet
	s.in(challenge, alice.Code())                                           // still the one to use
	s.nextCode()

	if done := s.confirm("alice", setup, phone); done.Did != enrollment.EventAuthenticatorReplaced {
		t.Errorf("confirming did %q", done.Did)
	}
	challenge = s.asked("alice")
	s.out(challenge, alice.Code(), enrollment.ReasonWrongCode)
	s.in(challenge, phone.Code(s.Clock.Now()))
	if status := s.status("alice"); len(status.Authenticators) != 1 || status.CodesLeft != 10 {
		t.Errorf("after the move: %+v", status)
	}
}
