package cases

import (
	"context"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestCase53_SecretTwice: an account took a secret that it held already, and
// with it codes that were used. Fresh ones never collide, so the random source
// has to be broken; see the tests of internal/account. Here, disabling and
// starting again gives a new secret, and the old one's codes stay dead; and a
// secret that is imported comes once, and remembers what was used.
func TestCase53_SecretTwice(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(u.Code())), "")
	again := k.Enroll("alice")
	if u.Key.Secret().Equal(again.Key.Secret()) {
		t.Fatal("the same secret was drawn twice")
	}
	proving.Want(t, signIn(again, u.Code()), enrollment.ReasonWrongCode)
	proving.Want(t, signIn(again, u.Codes[0]), enrollment.ReasonWrongCode)
	proving.Want(t, signIn(again, again.Code()), "")

	admin := k.Guard.Admin("carol", "moving")
	bring := func(keys ...totp.Key) error {
		im := enrollment.Import{Again: true} // after a reset
		for _, k := range keys {
			im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: k})
		}
		return admin.Import(t.Context(), "alice", im)
	}
	k.Unchanged("alice", func() {
		proving.Want(t, bring(again.Key), enrollment.ReasonAlreadyEnrolled)
		proving.Want(t, bring(u.Key), enrollment.ReasonAlreadyEnrolled)
	})
	k.Pass(30 * time.Second)
	proving.Want(t, signIn(again, again.Code(1)), "") // of the step to come
	_, err := admin.Reset(t.Context(), "alice", enrollment.ResetOptions{})
	proving.Want(t, err, "")
	k.Unchanged("alice", func() { proving.Want(t, bring(again.Key, u.Key, again.Key), enrollment.ReasonDuplicateSecret) })
	proving.Want(t, bring(again.Key), "")
	for _, steps := range []int{-1, 0, 1} {
		proving.Want(t, signIn(again, again.Code(steps)), enrollment.ReasonReplayed)
	}
	k.Pass(time.Minute)
	proving.Want(t, signIn(again, again.Code()), "")
}

// TestCase54_RecreatedAccount: a slow node overwrote an account that had been
// erased and created again.
func TestCase54_RecreatedAccount(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	challenge, c := u.Challenge(), u.Code()
	var again *proving.Person
	k.Store.Nth(proving.Save, 1, func(ctx context.Context, _ *proving.Call) { // while the slow node evaluates:
		if err := k.Store.Erase(ctx, "alice"); err != nil {
			t.Fatal(err)
		}
		again = k.Enroll("alice")
	})
	_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, c)
	proving.Want(t, err, enrollment.ReasonChallengeVoid)
	proving.Want(t, signIn(again, again.Code()), "")
}

// repeating yields the same bytes over and over.
type repeating struct{}

func (repeating) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i) + 1
	}
	return len(b), nil
}

// TestCase53_SecretDrawnTwice: a secret that the account holds is refused, also
// when it is the random source that repeats itself.
func TestCase53_SecretDrawnTwice(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Keys.Random = repeating{}
	if _, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}); err != nil {
		t.Fatal(err)
	}
	_, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")})
	proving.Want(t, err, enrollment.ReasonDuplicateSecret)
}
