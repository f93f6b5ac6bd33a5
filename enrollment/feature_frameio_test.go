package enrollment_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// R1: where it is mandated, the next sign-in or the sign-up leads into the setup
// flow.
func TestFeatureR1_MandateLeadsIntoSetup(t *testing.T) {
	s := tell(t)
	mandated := enrollment.SignInOptions{Require: true}
	for _, user := range []string{"alice, who was there before", "bob, who has just signed up"} {
		d := s.signIn(user, mandated, enrollment.MustEnroll)
		if d.Challenge != "" {
			t.Error("a challenge, and nothing to answer it with")
		}
		setup, app := s.begin(user, enrollment.BeginOptions{Account: "user"})
		s.signIn(user, mandated, enrollment.MustEnroll) // leaving the page is no way around it
		done := s.confirm(user, setup, app)
		// The session starts here: no second code.
		if done.Success.UserID != user || done.Success.Receipt == "" || done.Success.Purpose != enrollment.PurposeSetup {
			t.Errorf("%+v, want a success of %s", done.Success, user)
		}
		s.in(s.signIn(user, mandated, enrollment.AskCode).Challenge, app.Code(s.Clock.Now()))
	}
}

// R2: the user chooses an authenticator app or text messages; a phone number
// with its country code is confirmed by a code sent to it.
func TestFeatureR2_AppOrTextMessages(t *testing.T) {
	s := tell(t)
	var bobs phone
	number := enrollment.BindOptions{Channel: "sms", To: "+44 20 7946 0123"}

	strict, err := enrollment.NewMessages(s.Guard, &bobs, enrollment.MessagesConfig{})
	s.must(err)
	_, err = strict.Bind(t.Context(), "bob", number)
	s.denied(err, enrollment.ReasonNotEnrolled) // off by default

	messages, err := enrollment.NewMessages(s.Guard, &bobs, enrollment.MessagesConfig{Alone: true})
	s.must(err)
	s.Enroll("alice") // chooses the app
	binding, err := messages.Bind(t.Context(), "bob", number)
	s.must(err)
	if m := bobs.messages[0]; m.To != "+44 20 7946 0123" || m.Channel != "sms" || len(m.Code()) != 6 {
		t.Errorf("sent to %q over %q", m.To, m.Channel)
	}
	s.signIn("bob", enrollment.SignInOptions{}, enrollment.Proceed) // not confirmed yet
	wrong := "000000"
	if bobs.last() == wrong {
		wrong = "000001"
	}
	_, err = messages.Confirm(t.Context(), "bob", binding.Token, wrong)
	s.denied(err, enrollment.ReasonWrongCode)
	done, err := messages.Confirm(t.Context(), "bob", binding.Token, bobs.last())
	s.must(err)
	if done.Did != enrollment.EventEnabled || done.Codes.Len() != 10 {
		t.Errorf("confirming did %q and made %d codes", done.Did, done.Codes.Len())
	}

	s.pass(enrollment.MessagePause)
	d := s.signIn("bob", enrollment.SignInOptions{}, enrollment.AskCode)
	if want := []enrollment.Factor{enrollment.FactorDelivered, enrollment.FactorRecovery}; !slices.Equal(d.Factors, want) {
		t.Errorf("bob is offered %v, want %v", d.Factors, want)
	}
	sent, err := messages.Send(t.Context(), enrollment.PurposeSignIn, d.Challenge)
	s.must(err)
	if sent.Address.Hint != "…23" {
		t.Errorf("the page says that it went to %q", sent.Address.Hint)
	}
	if ok := s.in(sent.Challenge, bobs.last()); ok.UserID != "bob" || ok.Factor != enrollment.FactorDelivered {
		t.Errorf("%+v", ok)
	}
	s.out(sent.Challenge, bobs.last(), enrollment.ReasonChallengeSpent)
	// The first factor and the second must not come over the same way.
	magic := s.signIn("bob", enrollment.SignInOptions{Channel: "sms"}, enrollment.AskCode)
	_, err = messages.Send(t.Context(), enrollment.PurposeSignIn, magic.Challenge)
	s.denied(err, enrollment.ReasonSameChannel)
}

// R3: the key can be typed in by hand.
func TestFeatureR3_KeyTypedIn(t *testing.T) {
	s := tell(t)
	setup, _ := s.begin("alice", enrollment.BeginOptions{})
	secret, err := totp.ParseSecret(setup.Secret().Grouped()) // with the spaces that it is shown with
	s.must(err)
	app, err := totp.NewKey(secret, setup.Params())
	s.must(err)
	_, err = s.Guard.Confirm(t.Context(), "alice", setup.Token, modelShown(app, s.Clock.Now()))
	s.must(err)
}

// R4: backup codes are shown after verification, to be downloaded; each works
// once.
func TestFeatureR4_BackupCodesAfterVerification(t *testing.T) {
	s := tell(t)
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	if setup.Codes().Len() != 0 {
		t.Error("codes before the verification")
	}
	done := s.confirm("alice", setup, app)
	codes := done.Codes.Reveal()
	if len(codes) != 10 {
		t.Fatalf("%d codes after it", len(codes))
	}
	for i, c := range codes {
		challenge := s.asked("alice")
		if ok := s.in(challenge, c); ok.CodesLeft != len(codes)-1-i {
			t.Errorf("%d codes left after %d", ok.CodesLeft, i+1)
		}
		s.pass(time.Minute) // a used code counts as a wrong one
		s.out(s.asked("alice"), c, enrollment.ReasonReplayed)
	}
}

// R5: "enter a recovery code" in the sign-in flow.
func TestFeatureR5_RecoveryCodeAtSignIn(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	d := s.signIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !slices.Contains(d.Factors, enrollment.FactorRecovery) {
		t.Errorf("the page is not told to offer it: %v", d.Factors)
	}
	if ok := s.in(d.Challenge, alice.RecoveryCodes[4]); ok.Factor != enrollment.FactorRecovery || ok.CodesLeft != 9 {
		t.Errorf("%+v", ok)
	}
	if told := s.told("alice", enrollment.EventRecoveryUsed); len(told) != 1 {
		t.Errorf("alice was told %d times", len(told))
	}
}

// R6: an administrator grants a 24-hour pass; when it ends the user must set up
// two-factor authentication again.
func TestFeatureR6_PassOf24Hours(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	s.asked("alice")

	admin := s.Guard.Admin("root", "new phone is in the mail")
	_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{}) // the old one is gone for good
	s.must(err)
	end := s.Clock.Now().Add(24 * time.Hour)
	s.denied(admin.Bypass(t.Context(), "alice", end.Add(time.Second)), enrollment.ReasonInvalidBypass)
	s.must(admin.Bypass(t.Context(), "alice", end))
	if told := s.told("alice", enrollment.EventBypassGranted); len(told) != 1 || told[0].Actor != "root" {
		t.Errorf("alice was told %+v", told)
	}

	mandated := enrollment.SignInOptions{Require: true}
	d := s.signIn("alice", mandated, enrollment.Proceed)
	if d.Waived != enrollment.FactorBypass || !d.EnrollBy.Equal(end) {
		t.Errorf("%+v, want a bypass until %v", d, end)
	}
	if status := s.status("alice"); status.LastFactor != enrollment.FactorBypass || !status.BypassUntil.Equal(end) {
		t.Errorf("the page says %q, until %v", status.LastFactor, status.BypassUntil)
	}
	s.pass(24*time.Hour - time.Second)
	s.signIn("alice", mandated, enrollment.Proceed)
	s.pass(time.Second)
	s.signIn("alice", mandated, enrollment.MustEnroll)
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.MustEnroll) // whatever the rules say by then
	if !s.status("alice").MustEnroll {
		t.Error("the page does not say so")
	}

	setup, app := s.begin("alice", enrollment.BeginOptions{})
	s.confirm("alice", setup, app)
	challenge := s.asked("alice")
	s.out(challenge, alice.Code(), enrollment.ReasonWrongCode)
	s.in(challenge, app.Code(s.Clock.Now()))
}

// R6, for a phone that was only left at home: after the pass, its codes are asked
// for again.
func TestFeatureR6_PhoneLeftAtHome(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	s.must(s.Guard.Admin("root", "phone at home").Bypass(t.Context(), "alice", s.Clock.Now().Add(8*time.Hour)))
	if d := s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed); d.Waived != enrollment.FactorBypass {
		t.Errorf("waived by %q", d.Waived)
	}
	s.denied(s.Guard.Disable(t.Context(), "alice", enrollment.Proof{}), enrollment.ReasonProofRequired)
	s.signIn("alice", enrollment.SignInOptions{Purpose: "password-reset"}, enrollment.AskCode) // a sign-in, and nothing else
	s.pass(8 * time.Hour)
	s.in(s.asked("alice"), alice.Code())
}
