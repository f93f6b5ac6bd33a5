package features

import (
	"errors"
	"maps"
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
			RecoveryHashes: proving.Hashes(proving.Summed(user + "-code")...),
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

// TestFeatureN13_ShortSecrets: secrets of 80 bits sign in until a date. After it, the
// old code is asked for and leads to a new setup.
func TestFeatureN13_ShortSecrets(t *testing.T, open proving.Open) {
	secret, err := totp.ShortSecrets{}.ParseSecret("JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	old, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: old}}}
	k := proving.Over(t, open(t))
	migration := k.Guard.Admin("migration", "moving")
	proving.Want(t, migration.Import(t.Context(), "alice", im), enrollment.ReasonShortSecret) // off by default

	date := k.Now().AddDate(0, 3, 0)
	k.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = date })
	k.Must(k.Guard.Admin("migration", "moving").Import(t.Context(), "alice", im))
	k.Pass(time.Minute)
	k.In(k.Challenge("alice"), k.Code(old))
	if s := k.Status("alice"); !s.Authenticators[0].Short || !s.ReplaceBy.Equal(date) {
		t.Errorf("%+v", s)
	}

	k.Pass(date.Sub(k.Now()))
	_, err = k.Answer(k.Challenge("alice"), k.Code(old))
	var denied *enrollment.Denied
	if !errors.As(err, &denied) || denied.Reason != enrollment.ReasonMustReplace {
		t.Fatal(err)
	}
	r := denied.Replace
	setup, app := k.Begin(r.UserID, enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
	if done := k.Confirm(r.UserID, setup, app); done.Success.UserID != "alice" {
		t.Errorf("%+v", done)
	}
	k.In(k.Challenge("alice"), k.Code(app))
	k.Out(k.Challenge("alice"), k.Code(old), enrollment.ReasonWrongCode)
}

// TestFeatureN13_DryRun: before the move, a look at what would be taken over, what not
// and why. Nothing is written.
func TestFeatureN13_DryRun(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	k.Enroll("bob")
	theirs := func(key totp.Key) enrollment.Import {
		return enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	}
	users := map[string]enrollment.Import{
		"alice": theirs(proving.TheirKey(t, "alice", totp.Params{})),
		"bob":   theirs(proving.TheirKey(t, "bob", totp.Params{})),
		"carol": theirs(totp.Key{}), // whose secret can't be read
	}
	k.Store.Reset()
	why := map[string]enrollment.Reason{}
	count, err := k.Guard.Admin("migration", "moving").RehearseImport(t.Context(), maps.All(users), func(f enrollment.ImportFinding) { why[f.UserID] = f.Reason })
	k.Must(err)
	if count.Users != 3 || count.Imported != 1 || count.Faulty != 1 || why["bob"] != enrollment.ReasonAlreadyEnrolled || k.Store.Calls(proving.Save) != 0 {
		t.Errorf("%+v, %v, %d writes", count, why, k.Store.Calls(proving.Save))
	}
}
