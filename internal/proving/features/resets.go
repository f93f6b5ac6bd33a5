package features

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// T1: recovery codes are shown on the setup page, before the first code is
// verified; they become valid with it.
func TestFeatureT1_CodesOnTheSetupPage(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.CodesAtSetup = true })
	left, _ := k.Begin("alice", enrollment.BeginOptions{}) // a page that is walked away from
	setup, app := k.Begin("alice", enrollment.BeginOptions{})
	codes := setup.Codes().Reveal()
	if len(codes) != 10 {
		t.Fatalf("%d codes on the page", len(codes))
	}
	again, err := k.Guard.Resume(t.Context(), "alice", setup.Token)
	k.Must(err)
	if !slices.Equal(again.Codes().Reveal(), codes) {
		t.Error("the page shows other codes when it is loaded again")
	}
	_, err = k.Guard.Verify(t.Context(), "alice", "test", codes[0])
	proving.Want(t, err, enrollment.ReasonNotEnrolled) // not valid yet

	done := k.Confirm("alice", setup, app)
	if !slices.Equal(done.Codes.Reveal(), codes) {
		t.Error("Confirm returns other codes than the page has shown")
	}
	challenge := k.Challenge("alice")
	k.Out(challenge, left.Codes().Reveal()[0], enrollment.ReasonWrongCode)
	k.In(challenge, codes[0])
}

// T2: an e-mail confirms enabling and disabling.
func TestFeatureT2_MailOnEnablingAndDisabling(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(alice.Code())))

	var mails []enrollment.EventKind
	for _, e := range k.Events() { // what Config.Notify was handed
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
func TestFeatureT3_DisableWithThePassword(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ReauthDisables = true })
	k.Enroll("alice")
	_, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReauth("password"))
	proving.Want(t, err, enrollment.ReasonProofNotAllowed) // good for less, not for more
	k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByReauth("password")))
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
	if told := k.EventsOf("alice", enrollment.EventDisabled); len(told) != 1 || told[0].Method != "password" || told[0].Factor != "" {
		t.Errorf("alice was told %+v", told)
	}
}

// T3: it is off by default.
func TestFeatureT3_OffByDefault(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReauth("password")), enrollment.ReasonProofNotAllowed)
	k.Challenge("alice")
}

// T5: a password reset asks for the second factor before a new password is
// accepted.
func TestFeatureT5_PasswordResetAsksForTheCode(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	const reset enrollment.Purpose = "password-reset"

	// The link in the mail is the first factor.
	d := k.SignIn("alice", enrollment.SignInOptions{Purpose: reset, Channel: "email"}, enrollment.AskCode)
	_, err := k.Guard.Answer(t.Context(), reset, d.Challenge, alice.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeInvalid) // it does not sign in
	ok, err := k.Guard.Answer(t.Context(), reset, d.Challenge, alice.Code())
	k.Must(err)
	if ok.UserID != "alice" || ok.Purpose != reset {
		t.Errorf("%+v", ok)
	}
	if at := k.Status("alice").LastSignIn; !at.IsZero() {
		t.Errorf("a password reset counts as a sign-in, at %v", at)
	}
	k.Pass(30 * time.Second)
	_, err = k.Guard.Answer(t.Context(), reset, k.Challenge("alice"), alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeInvalid) // nor the other way round
}

// T6: phone and codes are both lost: a reset can be requested, takes days on
// purpose, and may be refused.
func TestFeatureT6_ResetTakesDays(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ResetWait = 5 * 24 * time.Hour })
	k.Enroll("alice")
	resets := k.Guard.ResetRequests()
	asked := k.Now()
	request, err := resets.Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	if !request.Matures.Equal(asked.Add(5 * 24 * time.Hour)) {
		t.Errorf("matures at %v", request.Matures)
	}
	if r := k.Status("alice").Reset; r == nil || *r != request {
		t.Errorf("the page shows %+v", r)
	}

	support := k.Guard.Admin("root", "passport seen, ticket 4711")
	k.Pass(5*24*time.Hour - time.Second)
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	if denied := proving.Want(t, err, enrollment.ReasonResetWaiting); !denied.RetryAt.Equal(request.Matures) {
		t.Errorf("again at %v", denied.RetryAt)
	}
	k.Challenge("alice") // nothing has changed so far
	k.Pass(time.Second)
	k.Challenge("alice") // nor by itself
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	k.Must(err)
	k.SignIn("alice", enrollment.SignInOptions{}, enrollment.Proceed)
}

// T6: it may be refused.
func TestFeatureT6_MayBeRefused(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	resets := k.Guard.ResetRequests()
	_, err := resets.Open(t.Context(), k.Challenge("alice"))
	k.Must(err)
	k.Pass(time.Hour)
	support := k.Guard.Admin("root", "could not say what she works on")
	k.Must(support.RefuseReset(t.Context(), "alice"))
	k.Pass(3 * 24 * time.Hour)
	_, err = support.ApproveReset(t.Context(), "alice", enrollment.ResetOptions{})
	proving.Want(t, err, enrollment.ReasonNoReset)
	k.Challenge("alice")
	if told := k.EventsOf("alice", enrollment.EventResetRefused); len(told) != 1 || told[0].Note != "could not say what she works on" {
		t.Errorf("alice was told %+v", told)
	}
}
