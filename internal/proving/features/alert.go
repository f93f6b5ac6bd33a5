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
