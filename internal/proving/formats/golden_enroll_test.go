package formats_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const goldenEnrollFile = "v1-enroll.json"

// A goldenEnroll is what users hold at Now who can't sign in before a setup.
type goldenEnroll struct {
	Keys    string
	Now     time.Time
	Browser string         // that the tokens are bound to
	Records []store.Record // of the users begun and short

	New enrollment.EnrollToken // of the user new, who has no account

	// Of the user begun: a token, and the setup that has begun with another one.
	Begun enrollment.EnrollToken
	Setup enrollment.SetupToken
	URI   string

	// Of the user short: what there was instead of a Success.
	Replacement   enrollment.EnrollToken
	Authenticator string
}

// config has a setup last for an hour, so that it may outlast the sign-in.
func (f *goldenEnroll) config() enrollment.Config {
	return enrollment.Config{
		Issuer: "Acme", Now: func() time.Time { return f.Now }, SetupTTL: time.Hour,
		RecoveryScheme: recovery.Fast, RecoveryCodes: recovery.MinCount,
	}
}

// Tokens that were handed out before an update of the library are good after it, and
// complete the same sign-in. This file never changes.
func TestGoldenEnroll(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("the accounts are for SHA-1")
	}
	if *update {
		makeGoldenEnroll(t)
	}
	f := formats.Read[goldenEnroll](t, goldenEnrollFile)
	keys := proving.Value[*keyring.Ring](t)(keyring.Parse(f.Keys))
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type G = *enrollment.Guard
	confirm := func(t *testing.T, g G, user string, setup enrollment.SetupToken, key totp.Key) {
		t.Helper()
		done, err := g.Confirm(t.Context(), user, setup, proving.Shown(key, f.Now))
		if err != nil || done.Success.Purpose != enrollment.PurposeSignIn || done.Success.UserID != user {
			t.Errorf("%+v, %v", done.Success, err)
		}
	}
	begin := func(t *testing.T, g G, user string, o enrollment.BeginOptions) {
		t.Helper()
		setup, err := g.Begin(t.Context(), user, o)
		must(t, err)
		confirm(t, g, user, setup.Token, proving.KeyOf(t, setup))
	}
	for name, do := range map[string]func(t *testing.T, g G){
		"a user without an account": func(t *testing.T, g G) {
			user, err := g.EnrollingUser(t.Context(), f.New, f.Browser)
			must(t, err)
			begin(t, g, user, enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(f.New, f.Browser)})
		},
		"a user with an account": func(t *testing.T, g G) {
			begin(t, g, "begun", enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(f.Begun, f.Browser)})
		},
		"a pending setup": func(t *testing.T, g G) {
			key, _, err := totp.ParseURI(f.URI)
			must(t, err)
			again, err := g.Resume(t.Context(), "begun", f.Setup)
			must(t, err)
			confirm(t, g, "begun", again.Token, key)
		},
		"a replacement": func(t *testing.T, g G) {
			begin(t, g, "short", enrollment.BeginOptions{Replace: f.Authenticator, Proof: enrollment.ByEnrollToken(f.Replacement, f.Browser)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			do(t, proving.Value[G](t)(enrollment.New(formats.Holding(t, f.Records...), keys, f.config())))
		})
	}
}

func makeGoldenEnroll(t *testing.T) {
	f := goldenEnroll{Now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Browser: "b5bb9d8014a0f9b1"}
	k := proving.New(t, func(c *enrollment.Config) {
		*c = f.config()
		c.ShortSecretsUntil = f.Now
	})
	f.Keys = k.Keys.Reveal()
	token := func(user string) enrollment.EnrollToken {
		return k.SignIn(user, enrollment.SignInOptions{Require: true, Browser: f.Browser}, enrollment.MustEnroll).EnrollToken
	}
	f.New = token("new")
	setup, _ := k.Begin("begun", enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(token("begun"), f.Browser)})
	f.Begun, f.Setup, f.URI = token("begun"), setup.Token, setup.URI()
	short := proving.ShortKey(t, "golden")
	k.SignIn("short", enrollment.SignInOptions{Import: &enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: short}}}})
	f.Now = f.Now.Add(time.Minute)
	_, err := k.Answer(k.SignIn("short", enrollment.SignInOptions{Browser: f.Browser}, enrollment.AskCode).Challenge, proving.Shown(short, f.Now))
	f.Replacement, f.Authenticator = proving.Want(t, err, enrollment.ReasonMustReplace).Replace.EnrollToken, k.Status("short").Authenticators[0].ID
	for _, user := range []string{"begun", "short"} {
		r, err := k.Store.Load(t.Context(), user)
		k.Must(err)
		f.Records = append(f.Records, r)
	}
	writeGolden(t, goldenEnrollFile, f)
}
