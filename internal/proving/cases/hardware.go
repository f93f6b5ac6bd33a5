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

// TestCase45_ResynchronizingWidensNothing: where the window follows what is typed, codes
// of ever other times are right. Here it follows three consecutive codes alone, with the
// proof of another one, and is as narrow as before.
func TestCase45_ResynchronizingWidensNothing(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	token := proving.TheirKey(t, "token", totp.Params{})
	setup, _ := k.Begin("alice", enrollment.BeginOptions{HardwareToken: token, Proof: enrollment.ByReceipt(u.Receipt())})
	id := k.Confirm("alice", setup, token).Success.Authenticator
	resync := func(off time.Duration) error {
		proof := enrollment.ByReceipt(u.Receipt())
		err := k.Guard.ThreeCodes().Resynchronize(t.Context(), "alice", id, proving.Three(token, k.Now().Add(off)), proof)
		k.Pass(time.Hour)
		return err
	}
	within := func(want ...int) {
		t.Helper()
		for n := -25; n <= 25; n++ {
			reason := enrollment.ReasonWrongCode
			for _, w := range want {
				if w == n {
					reason = ""
				}
			}
			if proving.Want(t, signIn(u, k.Code(token, n)), reason); reason != "" {
				k.Pass(48 * time.Hour)
			}
			k.Pass(30 * time.Minute)
		}
	}
	k.Pass(time.Hour)
	proving.Want(t, resync(6*time.Minute), "")
	within(11, 12, 13)
	proving.Want(t, resync(10*time.Minute), "")
	within(19, 20, 21)
	// Ten minutes from the server's time is the most, wherever it was before.
	proving.Want(t, resync(10*time.Minute+30*time.Second), enrollment.ReasonWrongCode)
	proving.Want(t, resync(-10*time.Minute), "")
	within(-21, -20, -19)
	// A phone stays where it is.
	proving.Want(t, signIn(u, u.Code(-20)), enrollment.ReasonWrongCode)
}

// TestCase69_SeenCodesMoveNothing: somebody with the password has seen codes of a token
// for some minutes. Three of them sign in, as they do with any app. They don't move the
// window to their time, where the next one would turn everything off.
func TestCase69_SeenCodesMoveNothing(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) { c.ReauthDisables = true })
	token := proving.TheirKey(t, "token", totp.Params{})
	u := k.EnrollWith("alice", enrollment.BeginOptions{HardwareToken: token})
	k.Pass(time.Hour)
	var seen []string
	for n := range 9 {
		seen = append(seen, k.Code(token, n))
	}
	k.Pass(10 * time.Minute)
	three := k.Guard.ThreeCodes()
	ok, err := three.Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), seen[:3])
	k.Must(err)
	for _, p := range []enrollment.Proof{
		{}, enrollment.ByReceipt(ok.Receipt), enrollment.ByReauth("password"), enrollment.ByCode(seen[6]),
	} {
		if err := three.Resynchronize(t.Context(), "alice", ok.Authenticator, seen[3:6], p); err == nil {
			t.Fatal("the window has moved")
		}
	}
	proving.Want(t, signIn(u, seen[7]), enrollment.ReasonWrongCode)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(seen[8])), enrollment.ReasonWrongCode)
	proving.Want(t, signIn(u, u.Code()), "")
}
