package cases

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestCase69_TokenWithItsSecret: tokens come with a secret that can't be changed, and
// could not be set up at all, or by an administrator alone (teleport#2385,
// authentik#25256).
func TestCase69_TokenWithItsSecret(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	token := proving.TheirKey(t, "token", totp.Params{})
	begin := func(p enrollment.Proof) (enrollment.Setup, error) {
		return k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{HardwareToken: token, Proof: p})
	}
	// What does not prove another app does not prove a token, and nobody who has only
	// seen its serial number can confirm it.
	_, err := begin(enrollment.Proof{})
	proving.Want(t, err, enrollment.ReasonProofRequired)
	_, err = begin(enrollment.ByReauth("password"))
	proving.Want(t, err, enrollment.ReasonProofNotAllowed)
	setup, err := begin(enrollment.ByReceipt(u.Receipt()))
	k.Must(err)
	_, err = k.Guard.Confirm(t.Context(), "alice", setup.Token, proving.WrongCode(k.Now(), token, u.Key))
	proving.Want(t, err, enrollment.ReasonWrongCode)
	proving.Want(t, signIn(u, k.Code(token)), enrollment.ReasonWrongCode)

	k.Confirm("alice", setup, token)
	proving.Want(t, signIn(u, k.Code(token)), "")
	proving.Want(t, signIn(u, u.Code()), "")
	k.Pass(time.Minute)
	_, err = begin(enrollment.ByCode(u.Code()))
	proving.Want(t, err, enrollment.ReasonDuplicateSecret)
	proving.Want(t, signIn(u, u.Code()), "") // the refusal has not used it up
}

// TestCase69_TokenIsNotGuessed: somebody with the password of a user who is to set up a
// token does not have the token. A new setup is no fresh budget of guesses at it, and
// no answer says that a code is right some minutes later.
func TestCase69_TokenIsNotGuessed(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	token := proving.TheirKey(t, "token", totp.Params{})
	for i := range 12 {
		setup, _ := k.Begin("alice", enrollment.BeginOptions{HardwareToken: token})
		want := enrollment.ReasonWrongCode
		if i >= 5 {
			want = enrollment.ReasonLocked
		}
		_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(token, 5))
		if d := proving.Want(t, err, want); d.Skew != 0 {
			t.Errorf("told a skew of %v", d.Skew)
		}
		if i%2 == 0 {
			k.Must(k.Guard.Cancel(t.Context(), "alice"))
		}
	}
	if told := k.EventsOf("alice", enrollment.EventLocked); len(told) != 1 {
		t.Errorf("alice was told %+v", told)
	}
	// It holds back the token alone.
	app := k.Enroll("alice")
	proving.Want(t, signIn(app, app.Code()), "")
}
