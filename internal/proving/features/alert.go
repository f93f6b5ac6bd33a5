package features

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

const home, away = "Firefox on Linux, 192.0.2.7", "Chrome on Windows, 203.0.113.9"

// answerFrom answers a fresh challenge from somewhere.
func answerFrom(t *testing.T, k *proving.Kit, origin, code string) (enrollment.Success, error) {
	t.Helper()
	return k.Guard.Answer(enrollment.WithOrigin(t.Context(), origin), enrollment.PurposeSignIn, k.Challenge("alice"), code)
}

// N11: the owner hears that the password was right and the code was not, also where
// the process dies before, and from another node.
func TestFeatureN11_PasswordRightCodeWrong(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("alice")
	k.Told()
	for range 3 {
		_, err := answerFrom(t, k, away, "000000")
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	k.WantTold() // the owner may be typing
	k.Pass(10 * time.Minute)
	k.Configure() // the process is another one
	if done := k.Sweep(); done.Delivered != 1 {
		t.Errorf("swept %+v", done)
	}
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: 3, Origin: away})
	k.Sweep()
	k.WantTold()
}

// N11: typing errors tell nobody, and a right code after somebody else's wrong ones is
// told at once. The Success says what was wrong, to the user who is signed in.
func TestFeatureN11_SignedInAfterWrongCodes(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice := k.Enroll("alice")
	k.Told()
	for range 2 {
		_, err := answerFrom(t, k, home, alice.Wrong())
		proving.Want(t, err, enrollment.ReasonWrongCode)
	}
	wrong := k.Now()
	ok, err := answerFrom(t, k, home, alice.Code())
	k.Must(err)
	if ok.WrongCodes != 2 || !ok.WrongCodeAt.Equal(wrong) {
		t.Errorf("%d wrong codes until %v", ok.WrongCodes, ok.WrongCodeAt)
	}
	k.Pass(10 * time.Minute)
	k.Sweep()
	k.WantTold()

	_, err = answerFrom(t, k, away, alice.Wrong())
	proving.Want(t, err, enrollment.ReasonWrongCode)
	ok, err = answerFrom(t, k, home, alice.Code())
	k.Must(err)
	k.WantTold(enrollment.Event{Kind: enrollment.EventRightAfterWrong, WrongCodes: 1, Origin: home})
	if ok.WrongCodes != 1 {
		t.Errorf("%d wrong codes", ok.WrongCodes)
	}
}

// N11: with the option, the owner also hears that the password was right and no code came
// at all. Who answers in time hears nothing, and an attacker who begins one sign-in after
// another writes five times in a day.
func TestFeatureN11_NoCodeAtAll(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.AlertUnanswered = true })
	alice := k.Enroll("alice")
	k.Told()
	_, err := signInFrom(t, k, home, alice.Code())
	k.Must(err)
	k.Pass(20 * time.Minute)
	k.Sweep()
	k.WantTold()

	writes := 0
	for range 20 { // a page that mints a challenge each time, and gives no origin
		before := k.Record("alice").Version
		k.Challenge("alice")
		if k.Record("alice").Version != before {
			writes++
		}
	}
	if writes != 5 {
		t.Errorf("%d writes, want 5", writes)
	}
	if _, err := signInFrom(t, k, home, alice.Code()); err != nil { // the owner comes in between
		t.Fatal(err)
	}
	k.Pass(10 * time.Minute)
	k.Configure() // the process is another one
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes})
	k.Unchanged("alice", func() { k.SignIn("alice", enrollment.SignInOptions{}, enrollment.AskCode) })
	k.Pass(24 * time.Hour)
	_, err = k.Guard.SignIn(enrollment.WithOrigin(t.Context(), away), "alice", enrollment.SignInOptions{})
	k.Must(err)
	k.Pass(10 * time.Minute)
	k.Sweep()
	k.WantTold(enrollment.Event{Kind: enrollment.EventWrongCodes, Origin: away})
}

// signInFrom gives the password and a code from the same place.
func signInFrom(t *testing.T, k *proving.Kit, origin, code string) (enrollment.Success, error) {
	t.Helper()
	ctx := enrollment.WithOrigin(t.Context(), origin)
	d, err := k.Guard.SignIn(ctx, "alice", enrollment.SignInOptions{})
	k.Must(err)
	return k.Guard.Answer(ctx, enrollment.PurposeSignIn, d.Challenge, code)
}
