package enrollment_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// T1: recovery codes are shown on the setup page, before the first code is
// verified; they become valid with it.
func TestFeatureT1_CodesOnTheSetupPage(t *testing.T) {
	s := tell(t, func(c *enrollment.Config) { c.CodesAtSetup = true })
	left, _ := s.begin("alice", enrollment.BeginOptions{}) // a page that is walked away from
	setup, app := s.begin("alice", enrollment.BeginOptions{})
	codes := setup.Codes().Reveal()
	if len(codes) != 10 {
		t.Fatalf("%d codes on the page", len(codes))
	}
	again, err := s.Guard.Resume(t.Context(), "alice", setup.Token)
	s.must(err)
	if !slices.Equal(again.Codes().Reveal(), codes) {
		t.Error("the page shows other codes when it is loaded again")
	}
	_, err = s.Guard.Verify(t.Context(), "alice", "test", codes[0])
	s.denied(err, enrollment.ReasonNotEnrolled) // not valid yet

	done := s.confirm("alice", setup, app)
	if !slices.Equal(done.Codes.Reveal(), codes) {
		t.Error("Confirm returns other codes than the page has shown")
	}
	challenge := s.asked("alice")
	s.out(challenge, left.Codes().Reveal()[0], enrollment.ReasonWrongCode)
	s.in(challenge, codes[0])
}

// T2: an e-mail confirms enabling and disabling.
func TestFeatureT2_MailOnEnablingAndDisabling(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))

	var mails []enrollment.EventKind
	for _, e := range s.Events() { // what Config.Notify was handed
		if e.UserID != "alice" || e.ID == "" || e.At.IsZero() {
			t.Errorf("nothing to write a mail from: %+v", e)
		}
		mails = append(mails, e.Kind)
	}
	if want := []enrollment.EventKind{enrollment.EventEnabled, enrollment.EventDisabled}; !slices.Equal(mails, want) {
		t.Errorf("mails for %v, want %v", mails, want)
	}
}

// T3: disabling with the password.
func TestFeatureT3_DisableWithThePassword(t *testing.T) {
	s := tell(t, func(c *enrollment.Config) { c.AllowReauth = true })
	s.Enroll("alice")
	_, err := s.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReauth("password"))
	s.denied(err, enrollment.ReasonProofNotAllowed) // good for less, not for more
	s.must(s.Guard.Disable(t.Context(), "alice", enrollment.ByReauth("password")))
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if told := s.told("alice", enrollment.EventDisabled); len(told) != 1 || told[0].Method != "password" || told[0].Factor != "" {
		t.Errorf("alice was told %+v", told)
	}
}

// T3: it is off by default.
func TestFeatureT3_OffByDefault(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	s.denied(s.Guard.Disable(t.Context(), "alice", enrollment.ByReauth("password")), enrollment.ReasonProofNotAllowed)
	s.asked("alice")
}

// T5: a password reset asks for the second factor before a new password is
// accepted.
func TestFeatureT5_PasswordResetAsksForTheCode(t *testing.T) {
	s := tell(t)
	alice := s.Enroll("alice")
	const reset enrollment.Purpose = "password-reset"

	// The link in the mail is the first factor.
	d := s.signIn("alice", enrollment.SignInOptions{Purpose: reset, Channel: "email"}, enrollment.AskCode)
	_, err := s.Guard.Answer(t.Context(), reset, d.Challenge, alice.WrongCode())
	s.denied(err, enrollment.ReasonWrongCode)
	s.out(d.Challenge, alice.Code(), enrollment.ReasonChallengeInvalid) // it does not sign in
	ok, err := s.Guard.Answer(t.Context(), reset, d.Challenge, alice.Code())
	s.must(err)
	if ok.UserID != "alice" || ok.Purpose != reset {
		t.Errorf("%+v", ok)
	}
	if at := s.status("alice").LastSignIn; !at.IsZero() {
		t.Errorf("a password reset counts as a sign-in, at %v", at)
	}
	s.nextCode()
	_, err = s.Guard.Answer(t.Context(), reset, s.asked("alice"), alice.Code())
	s.denied(err, enrollment.ReasonChallengeInvalid) // nor the other way round
}

// T6: phone and codes are both lost: a reset can be requested, takes days on
// purpose, and may be refused.
func TestFeatureT6_ResetTakesDays(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	resets, err := enrollment.NewResets(s.Guard, enrollment.ResetsConfig{Wait: 5 * 24 * time.Hour})
	s.must(err)
	asked := s.Clock.Now()
	request, err := resets.Open(t.Context(), s.asked("alice"))
	s.must(err)
	if !request.Matures.Equal(asked.Add(5 * 24 * time.Hour)) {
		t.Errorf("matures at %v", request.Matures)
	}
	if r := s.status("alice").Reset; r == nil || *r != request {
		t.Errorf("the page shows %+v", r)
	}

	support := s.Guard.Admin("root", "passport seen, ticket 4711")
	s.pass(5*24*time.Hour - time.Second)
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	if denied := s.denied(err, enrollment.ReasonResetWaiting); !denied.RetryAt.Equal(request.Matures) {
		t.Errorf("again at %v", denied.RetryAt)
	}
	s.asked("alice") // nothing has changed so far
	s.pass(time.Second)
	s.asked("alice") // nor by itself
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	s.must(err)
	s.signIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
}

// T6: it may be refused.
func TestFeatureT6_MayBeRefused(t *testing.T) {
	s := tell(t)
	s.Enroll("alice")
	resets, err := enrollment.NewResets(s.Guard, enrollment.ResetsConfig{})
	s.must(err)
	_, err = resets.Open(t.Context(), s.asked("alice"))
	s.must(err)
	s.pass(time.Hour)
	support := s.Guard.Admin("root", "could not say what she works on")
	s.must(support.RefuseReset(t.Context(), "alice"))
	s.pass(enrollment.DefaultResetWait)
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	s.denied(err, enrollment.ReasonNoReset)
	s.asked("alice")
	if told := s.told("alice", enrollment.EventResetRefused); len(told) != 1 || told[0].Note != "could not say what she works on" {
		t.Errorf("alice was told %+v", told)
	}
}
