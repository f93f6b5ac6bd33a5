package features

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// X4: a pending-login challenge that works after any first factor, expires, and
// is spent once.
func TestFeatureX4_Challenge(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	for _, first := range []string{"", "email", "oauth:github", "passkey"} {
		d := k.SignIn("alice", enrollment.SignInOptions{Channel: first}, enrollment.AskCode)
		k.In(d.Challenge, alice.Code())
		k.Pass(30 * time.Second)
		k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeSpent)
	}

	k.Enroll("mallory")
	if ok := k.In(k.Challenge("alice"), alice.Code()); ok.UserID != "alice" { // never whom somebody else names
		t.Errorf("signed in as %q", ok.UserID)
	}
	k.Out(enrollment.Challenge{}, alice.Code(), enrollment.ReasonChallengeInvalid)
	k.Out(enrollment.ChallengeOf("made up"), alice.Code(), enrollment.ReasonChallengeInvalid)

	k.Pass(30 * time.Second)
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	if !d.Expires.Equal(k.Now().Add(enrollment.ChallengeTTL)) {
		t.Errorf("expires at %v", d.Expires)
	}
	k.Pass(enrollment.ChallengeTTL)
	k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeExpired)
}

// X5: step-up for sensitive actions with freshness.
func TestFeatureX5_StepUpWithFreshness(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	const pay enrollment.Purpose = "pay-out"
	session := k.In(k.Challenge("alice"), alice.Code()).Receipt
	_, err := k.Guard.RecentlyVerified(t.Context(), "alice", pay, session, 15*time.Minute)
	proving.Want(t, err, enrollment.ReasonProofInvalid) // a sign-in is no step-up
	k.Pass(30 * time.Second)
	ok, err := k.Guard.Verify(t.Context(), "alice", pay, alice.Code())
	k.Must(err)

	k.Pass(15 * time.Minute)
	again, err := k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	k.Must(err)
	if again.UserID != "alice" || again.Purpose != pay || !again.At.Equal(ok.At) {
		t.Errorf("%+v, want what %+v says", again, ok)
	}
	k.Pass(time.Second)
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, 15*time.Minute)
	proving.Want(t, err, enrollment.ReasonProofStale)
	_, err = k.Guard.RecentlyVerified(t.Context(), "mallory", pay, ok.Receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
	k.In(k.Challenge("alice"), alice.Codes[0]) // a change of factor
	_, err = k.Guard.RecentlyVerified(t.Context(), "alice", pay, ok.Receipt, time.Hour)
	proving.Want(t, err, enrollment.ReasonProofInvalid)
}

// X6: enforcement with a per-user grace deadline.
func TestFeatureX6_GracePerUser(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	deadline := map[string]time.Time{
		"alice": k.Now().Add(14 * 24 * time.Hour),
		"bob":   k.Now().Add(24 * time.Hour),
	}
	login := func(user string) enrollment.SignInOptions {
		return enrollment.SignInOptions{Require: true, Grace: deadline[user]}
	}
	for user, end := range deadline {
		if d := k.SignIn(user, login(user), enrollment.Proceed); !d.EnrollBy.Equal(end) {
			t.Errorf("%s is shown %v, want %v", user, d.EnrollBy, end)
		}
	}
	k.SignIn("carol", login("carol"), enrollment.MustEnroll)
	k.Pass(24 * time.Hour)
	k.SignIn("bob", login("bob"), enrollment.MustEnroll)
	k.SignIn("alice", login("alice"), enrollment.Proceed)
	k.Enroll("alice")
	k.SignIn("alice", login("alice"), enrollment.AskCode) // also before the deadline
}
