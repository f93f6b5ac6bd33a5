package enrollment_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Decision.Expires is when the challenge can't be answered any more. At that
// very instant the list of spent ones has forgotten it already.
func TestLastInstantOfChallenge(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	alice := k.Enroll("alice")
	d := k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode)
	k.In(d.Challenge, alice.Code())
	k.Pass(d.Expires.Sub(k.Now()))
	k.Out(d.Challenge, alice.Code(), enrollment.ReasonChallengeExpired)
}

// A success spends a challenge: also where two nodes differ by less than the
// minute that is forgiven to them, and where a clock was ahead for a while.
func TestForgottenChallenge(t *testing.T) {
	t.Parallel()
	denied := func(k *proving.Kit, challenge enrollment.Challenge, code, what string) {
		t.Helper()
		_, err := k.Answer(challenge, code)
		if r := proving.ReasonOf(err); r != enrollment.ReasonChallengeSpent && r != enrollment.ReasonChallengeVoid {
			t.Errorf("%s: %q, want a denial", what, r)
		}
	}
	k := proving.New(t)
	alice := k.Enroll("alice")
	ahead := k.Node(func(c *enrollment.Config) { c.Now = func() time.Time { return k.Now().Add(50 * time.Second) } })
	challenge := alice.Challenge()
	k.In(challenge, alice.Code())
	k.Pass(9*time.Minute + 30*time.Second)
	k.Out(challenge, alice.Code(), enrollment.ReasonChallengeSpent)
	// Any write of the node that runs ahead.
	_, err := ahead.Verify(t.Context(), "alice", "x", alice.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	denied(k, challenge, alice.Code(), "the third answer")

	k = proving.New(t)
	alice = k.Enroll("alice")
	k.Pass(48 * time.Hour) // the clock is broken
	challenge = alice.Challenge()
	k.In(challenge, alice.Code())
	k.Pass(-48 * time.Hour) // and mended
	_, err = k.Guard.Verify(t.Context(), "alice", "x", alice.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Pass(48*time.Hour + time.Minute)
	denied(k, challenge, alice.Code(), "the second answer, when its time has come")
}

// "PurposeSetup stands in the Success of a Confirm. No challenge is minted for
// it."
func TestSetupPurpose(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	k.Enroll("alice")
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: enrollment.PurposeSetup})
	if err == nil || !d.Challenge.IsZero() {
		t.Errorf("SignIn minted a challenge for the purpose of a setup, %v", err)
	}
}
