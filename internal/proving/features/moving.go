package features

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// TestFeatureN13_MovesInAtSignIn: users move in one by one, each at the next sign-in,
// with the app and the recovery codes that they have.
func TestFeatureN13_MovesInAtSignIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	old := map[string]*enrollment.Import{} // the table of the other system
	for _, user := range []string{"alice", "bob"} {
		old[user] = &enrollment.Import{
			Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, user, totp.Params{}), Name: "phone"}},
			RecoveryHashes: proving.Summed(user + "-code"),
		}
	}
	signIn := func(user string) enrollment.Decision {
		t.Helper()
		d, err := k.Guard.SignIn(t.Context(), user, enrollment.SignInOptions{Import: old[user]})
		k.Must(err)
		delete(old, user) // this library alone decides about the user now
		return d
	}

	d := signIn("alice")
	app := proving.TheirKey(t, "alice", totp.Params{})
	if d.Next != enrollment.AskCode || !d.NextCode.After(k.Now()) || d.NotImported != "" {
		t.Fatalf("%+v", d)
	}
	k.Out(d.Challenge, k.Code(app), enrollment.ReasonReplayed) // perhaps used over there
	k.Pass(d.NextCode.Sub(k.Now()))
	k.In(d.Challenge, k.Code(app))

	d = signIn("bob") // who has the sheet at hand
	k.In(d.Challenge, "bob-code")

	k.Pass(time.Minute)
	if d := signIn("alice"); d.Next != enrollment.AskCode || !d.NextCode.IsZero() {
		t.Errorf("the second time: %+v", d)
	}
	if d := signIn("carol"); d.Next != enrollment.Proceed {
		t.Errorf("a user without a second factor: %+v", d)
	}
	for _, e := range k.EventsOf("alice", enrollment.EventImported) {
		if e.Actor != "" || e.Note != "" {
			t.Errorf("the event %+v", e)
		}
	}
}
