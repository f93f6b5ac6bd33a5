package fips_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/formats"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
	"golang.org/x/crypto/bcrypt"
)

// FIPS 140-3 is enforced in a whole process or not at all.
func TestUnderFIPS(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("this is the run under enforcement")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "=== RUN") {
		if os.Getenv("TWOFACTOR_REQUIRE") == "1" {
			t.Fatalf("it does not begin: %v\n%s", err, out)
		}
		t.Skipf("this platform has no FIPS 140-3 mode: %s", out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFIPSNew") {
		t.Errorf("%v\n%s", err, out)
	}
}

func skipUnlessFIPS(t *testing.T) {
	t.Helper()
	t.Parallel()
	if !fips.Enforced() {
		t.Skip("FIPS 140-3 is not enforced: see TestUnderFIPS")
	}
}

// skipUnlessExempts is for what takes an exception.
func skipUnlessExempts(t *testing.T) {
	t.Helper()
	if !fips.Exempts {
		t.Skip("this release of Go makes no exceptions")
	}
}

func TestFIPSNew(t *testing.T) {
	skipUnlessFIPS(t)
	sha256 := totp.Params{Algorithm: totp.SHA256}
	for name, c := range map[string]struct {
		config enrollment.Config
		want   []string // what the error names; none if there is none
	}{
		"defaults":                {enrollment.Config{}, []string{"Config.Params", "SHA-1", "totp.SHA256", "totp.SHA512", "Config.AllowSHA1"}},
		"fast codes":              {enrollment.Config{RecoveryScheme: recovery.Fast}, []string{"Config.Params", "Config.AllowSHA1"}},
		"SHA-256":                 {enrollment.Config{Params: sha256}, []string{"Config.RecoveryScheme", "Argon2id", "recovery.Fast"}},
		"SHA-256, fast codes":     {enrollment.Config{Params: sha256, RecoveryScheme: recovery.Fast}, nil},
		"SHA-512, fast codes":     {enrollment.Config{Params: totp.Params{Algorithm: totp.SHA512}, RecoveryScheme: recovery.Fast}, nil},
		"SHA-1 allowed":           {enrollment.Config{AllowSHA1: true}, []string{"Config.RecoveryScheme", "recovery.Fast"}},
		"SHA-1 allowed and codes": {enrollment.Config{AllowSHA1: true, RecoveryScheme: recovery.Fast}, nil},
	} {
		if c.config.AllowSHA1 && !fips.Exempts {
			c.want = []string{"Config.AllowSHA1", "Go 1.26", "totp.SHA256"}
		}
		c.config.Issuer = "Acme"
		keys, err := keyring.Generate("k")
		if err != nil {
			t.Fatal(err)
		}
		_, err = enrollment.New(memory.New(), keys, c.config)
		if (err != nil) != (c.want != nil) {
			t.Errorf("%s: New: %v", name, err)
		}
		for _, word := range c.want {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not name %s", name, err, word)
			}
		}
	}
}

// enforcedStore and enforcedSealer see to it that an exception for SHA-1 is none
// for what the host brings.
type enforcedStore struct {
	store.Store
	t *testing.T
}

func (s enforcedStore) Load(ctx context.Context, user string) (store.Record, error) {
	enforced(s.t, "Load")
	return s.Store.Load(ctx, user)
}

func (s enforcedStore) Save(ctx context.Context, r store.Record, prev int64) error {
	enforced(s.t, "Save")
	return s.Store.Save(ctx, r, prev)
}

type enforcedSealer struct {
	enrollment.Sealer
	t *testing.T
}

func (s enforcedSealer) Seal(ctx context.Context, scope, binding, plaintext []byte) ([]byte, error) {
	enforced(s.t, "Seal")
	return s.Sealer.Seal(ctx, scope, binding, plaintext)
}

func (s enforcedSealer) Open(ctx context.Context, scope, binding, sealed []byte) ([]byte, error) {
	enforced(s.t, "Open")
	return s.Sealer.Open(ctx, scope, binding, sealed)
}

func enforced(t *testing.T, where string) {
	t.Helper()
	if !fips.Enforced() {
		t.Errorf("FIPS 140-3 is not enforced in %s", where)
	}
}

// With what New asks for, everything works.
func TestFIPSWorks(t *testing.T) {
	skipUnlessFIPS(t)
	for name, config := range map[string]enrollment.Config{
		"SHA-1 allowed": {AllowSHA1: true},
		"SHA-256":       {Params: totp.Params{Algorithm: totp.SHA256}},
		"SHA-512":       {Params: totp.Params{Algorithm: totp.SHA512, Digits: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if config.AllowSHA1 {
				skipUnlessExempts(t)
			}
			ctx := t.Context()
			clock := enrollmenttest.NewClock(proving.Start)
			told := 0
			config.Issuer, config.RecoveryScheme = "Acme", recovery.Fast
			config.Now = func() time.Time { enforced(t, "Now"); return clock.Now() }
			config.Notify = func(context.Context, enrollment.Event) error { enforced(t, "Notify"); told++; return nil }
			keys, err := keyring.Generate("k")
			if err != nil {
				t.Fatal(err)
			}
			guard, err := enrollment.New(enforcedStore{memory.New(), t}, enforcedSealer{keys, t}, config)
			if err != nil {
				t.Fatal(err)
			}
			begin := func(p enrollment.Proof) (*enrollmenttest.App, enrollment.SetupToken) {
				setup := proving.Value[enrollment.Setup](t)(guard.Begin(ctx, "alice", enrollment.BeginOptions{Account: "a", Proof: p}))
				if _, err := setup.QR(); err != nil {
					t.Error(err)
				}
				return proving.Value[*enrollmenttest.App](t)(enrollmenttest.Scan(setup.URI())), setup.Token
			}
			app, token := begin(enrollment.ByReauth("password"))
			_, err = guard.Confirm(ctx, "alice", token, app.Code(clock.Now().Add(4*time.Minute)))
			if d := proving.Want(t, err, enrollment.ReasonClockSkew); d.Skew != 4*time.Minute {
				t.Errorf("skew %v", d.Skew)
			}
			_, err = guard.Confirm(ctx, "alice", token, app.WrongCode(clock.Now()))
			proving.Want(t, err, enrollment.ReasonWrongCode)
			done := proving.Value[enrollment.Confirmed](t)(guard.Confirm(ctx, "alice", token, app.Code(clock.Now())))

			challenge := func() enrollment.Challenge {
				return proving.Value[enrollment.Decision](t)(guard.SignIn(ctx, "alice", enrollment.SignInOptions{})).Challenge
			}
			_, err = guard.Answer(ctx, enrollment.PurposeSignIn, challenge(), app.Code(clock.Now()))
			proving.Want(t, err, enrollment.ReasonReplayed)
			_, err = guard.Answer(ctx, enrollment.PurposeSignIn, challenge(), app.WrongCode(clock.Now()))
			proving.Want(t, err, enrollment.ReasonWrongCode)
			clock.Advance(app.Period())
			ok := proving.Value[enrollment.Success](t)(guard.Answer(ctx, enrollment.PurposeSignIn, challenge(), app.Code(clock.Now())))
			proving.Value[enrollment.Success](t)(guard.Answer(ctx, enrollment.PurposeSignIn, challenge(), done.Codes.Reveal()[0]))
			_, err = guard.Answer(ctx, enrollment.PurposeSignIn, challenge(), done.Codes.Reveal()[0])
			proving.Want(t, err, enrollment.ReasonReplayed)

			clock.Advance(app.Period())
			_, err = guard.RenewCodes(ctx, "alice", enrollment.ByReceipt(ok.Receipt)) // void since a recovery code was used
			proving.Want(t, err, enrollment.ReasonProofInvalid)
			renewed := proving.Value[enrollment.RenewedCodes](t)(guard.RenewCodes(ctx, "alice", enrollment.ByCode(app.Code(clock.Now()))))
			second, token := begin(enrollment.ByReceipt(renewed.Receipt))
			clock.Advance(app.Period())
			proving.Value[enrollment.Confirmed](t)(guard.Confirm(ctx, "alice", token, second.Code(clock.Now())))
			if err := guard.Disable(ctx, "alice", enrollment.ByCode(renewed.Codes.Reveal()[0])); err != nil {
				t.Error(err)
			}
			if told == 0 {
				t.Error("Notify was not called")
			}
		})
	}
}

// Accounts that were stored before FIPS 140-3 was enforced have an app with
// SHA-1 and recovery codes with Argon2id.
func TestFIPSAccountFromBefore(t *testing.T) {
	skipUnlessFIPS(t)
	ctx := t.Context()
	g, s, keys := formats.OpenGolden(t)
	user, now := g.Record.UserID, g.Now
	guardOf := func(allow bool) *enrollment.Guard {
		return proving.Value[*enrollment.Guard](t)(enrollment.New(s, keys, enrollment.Config{
			Issuer: "Acme", Namespace: g.Namespace, Now: func() time.Time { return now },
			Params: totp.Params{Algorithm: totp.SHA256}, AllowSHA1: allow, RecoveryScheme: recovery.Fast,
		}))
	}
	app := proving.Value[*enrollmenttest.App](t)(enrollmenttest.Scan(g.URI))
	code, wrong := "123456", "654321" // nothing is evaluated
	if fips.Exempts {
		code, wrong = app.Code(now), app.WrongCode(now)
	}
	notApproved := func(err error, about string) {
		t.Helper()
		var denied *enrollment.Denied
		if !errors.Is(err, enrollment.ErrNotApproved) || errors.As(err, &denied) || errors.Is(err, enrollment.ErrWrongCode) || errors.Is(err, enrollment.ErrCorrupt) ||
			!strings.Contains(err.Error(), about) {
			t.Fatalf("got %v, want ErrNotApproved about %s", err, about)
		}
	}

	strict := guardOf(false)
	for range 6 { // more than what locks
		for _, c := range []string{code, wrong} {
			_, err := strict.Answer(ctx, enrollment.PurposeSignIn, g.Challenge, c)
			notApproved(err, "SHA-1")
		}
		for _, c := range []string{g.Recovery[0], g.Recovery[1], strings.Repeat("7", 16)} {
			_, err := strict.Verify(ctx, user, "x", c)
			notApproved(err, "Argon2id")
		}
	}
	if r, err := s.Load(ctx, user); err != nil || r.Version != g.Record.Version {
		t.Errorf("something was stored: version %d became %d, %v", g.Record.Version, r.Version, err)
	}
	status, err := strict.Status(ctx, user)
	if err != nil || !status.Enabled() || status.CodesLeft != 3 || len(status.Locks) != 0 {
		t.Errorf("status %+v, %v", status, err)
	}

	// What is to be done about it.
	skipUnlessExempts(t)
	allowing := guardOf(true)
	ok, err := allowing.Answer(ctx, enrollment.PurposeSignIn, g.Challenge, code)
	if err != nil {
		t.Fatalf("with AllowSHA1: %v", err)
	}
	_, err = allowing.Verify(ctx, user, "x", g.Recovery[1])
	notApproved(err, "Argon2id")
	fips.WithoutEnforcement(func() { _, err = strict.Verify(ctx, user, "x", g.Recovery[1]) })
	if err != nil {
		t.Errorf("an old recovery code without enforcement: %v", err)
	}
	now = now.Add(app.Period())
	if ok, err = allowing.Verify(ctx, user, "x", app.Code(now)); err != nil {
		t.Fatal(err)
	}
	renewed, err := allowing.RenewCodes(ctx, user, enrollment.ByReceipt(ok.Receipt))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Verify(ctx, user, "x", renewed.Codes.Reveal()[0]); err != nil {
		t.Errorf("a new recovery code: %v", err)
	}
}

// Hashes with bcrypt that were imported are not evaluated. Those with SHA-256
// are, unless one with bcrypt is among them.
func TestFIPSImportedCodes(t *testing.T) {
	skipUnlessFIPS(t)
	skipUnlessExempts(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("first code"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	k := proving.New(t)
	k.Keys.Bcrypt = func() { t.Error("bcrypt was asked") }
	k.TakeOver("alice", append(proving.Summed("second code"), hash)...)
	before := k.Record("alice")
	for range 6 { // more than what locks
		for _, c := range []string{"first code", "second code", "no such code"} {
			_, err := k.Guard.Verify(t.Context(), "alice", "x", c)
			if !errors.Is(err, enrollment.ErrNotApproved) || errors.As(err, new(*enrollment.Denied)) || !strings.Contains(err.Error(), "bcrypt") {
				t.Fatalf("%s: %v, want ErrNotApproved about bcrypt", c, err)
			}
		}
	}
	if after := k.Record("alice"); after.Version != before.Version {
		t.Errorf("something was stored: version %d became %d", before.Version, after.Version)
	}
	k.TakeOver("bob", proving.Summed("second code")...)
	if ok, err := k.Guard.Verify(t.Context(), "bob", "x", "second code"); err != nil || ok.CodesLeft != 0 {
		t.Errorf("%d codes left, %v", ok.CodesLeft, err)
	}
}

// One app with SHA-1 is enough: a code that is right for another one can't be
// told from one that is wrong for all, and must not be a guess for nothing.
func TestFIPSMixedAccount(t *testing.T) {
	skipUnlessFIPS(t)
	skipUnlessExempts(t)
	ctx := t.Context()
	const user = "alice"
	clock := enrollmenttest.NewClock(proving.Start)
	keys, err := keyring.Generate("k")
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.New()
	config := enrollment.Config{Issuer: "Acme", RecoveryScheme: recovery.Fast, Now: clock.Now, AllowSHA1: true}
	old := proving.Value[*enrollment.Guard](t)(enrollment.New(mem, keys, config))
	config.AllowSHA1, config.Params = false, totp.Params{Algorithm: totp.SHA256}
	strict := proving.Value[*enrollment.Guard](t)(enrollment.New(mem, keys, config))

	// A pending setup is not lost.
	setup := proving.Value[enrollment.Setup](t)(old.Begin(ctx, user, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}))
	first := proving.Value[*enrollmenttest.App](t)(enrollmenttest.Scan(setup.URI()))
	for _, c := range []string{first.Code(clock.Now()), first.WrongCode(clock.Now())} {
		if _, err := strict.Confirm(ctx, user, setup.Token, c); !errors.Is(err, enrollment.ErrNotApproved) {
			t.Fatalf("Confirm: %v, want ErrNotApproved", err)
		}
	}
	done := proving.Value[enrollment.Confirmed](t)(old.Confirm(ctx, user, setup.Token, first.Code(clock.Now())))
	setup = proving.Value[enrollment.Setup](t)(strict.Begin(ctx, user, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReceipt(done.Success.Receipt)}))
	second := proving.Value[*enrollmenttest.App](t)(enrollmenttest.Scan(setup.URI()))
	done = proving.Value[enrollment.Confirmed](t)(strict.Confirm(ctx, user, setup.Token, second.Code(clock.Now())))

	clock.Advance(first.Period())
	before := proving.Value[store.Record](t)(mem.Load(ctx, user))
	for _, app := range []*enrollmenttest.App{first, second} {
		for _, c := range []string{app.Code(clock.Now()), app.WrongCode(clock.Now())} {
			if _, err := strict.Verify(ctx, user, "x", c); !errors.Is(err, enrollment.ErrNotApproved) {
				t.Errorf("Verify: %v, want ErrNotApproved", err)
			}
		}
	}
	if after := proving.Value[store.Record](t)(mem.Load(ctx, user)); after.Version != before.Version {
		t.Error("something was stored")
	}

	// The way out is to remove the old app.
	status := proving.Value[enrollment.Status](t)(strict.Status(ctx, user))
	if err := strict.Remove(ctx, user, status.Authenticators[0].ID, enrollment.ByReceipt(done.Success.Receipt)); err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Verify(ctx, user, "x", second.Code(clock.Now())); err != nil {
		t.Errorf("without the old app: %v", err)
	}
}

// Where SHA-1 is refused, what an app with SHA-1 shows can't be told from a wrong
// code. If it has other digits, it is not evaluated, and so it is not counted.
func TestFIPSIgnoredParams(t *testing.T) {
	skipUnlessFIPS(t)
	for digits, want := range map[int]enrollment.Reason{6: enrollment.ReasonWrongCode, 8: enrollment.ReasonMalformedCode} {
		k := proving.New(t, func(c *enrollment.Config) {
			c.AllowSHA1, c.Params = false, totp.Params{Algorithm: totp.SHA256, Digits: digits}
		})
		setup, asked := k.Begin("alice", enrollment.BeginOptions{})
		app := proving.Value[totp.Key](t)(totp.NewKey(asked.Secret(), totp.Params{}))
		confirm := func() {
			_, err := k.Guard.Confirm(t.Context(), "alice", setup.Token, k.Code(app))
			proving.Want(t, err, want)
		}
		if confirm(); want == enrollment.ReasonMalformedCode {
			k.Unchanged("alice", confirm)
		}
		if fips.Exempts {
			k.Configure(func(c *enrollment.Config) { c.AllowSHA1 = true })
			want = enrollment.ReasonParamsIgnored
			confirm()
		}
	}
}

// An app whose codes can't be computed does not get into an account: it would also keep
// those of the other apps from being evaluated.
func TestFIPSRefusedApps(t *testing.T) {
	skipUnlessFIPS(t)
	for name, x := range map[string]struct {
		algorithm totp.Algorithm
		size      int
		allow     bool
		refused   bool
	}{
		"SHA-256, 80 bits":        {totp.SHA256, 10, false, true},
		"SHA-512, 104 bits":       {totp.SHA512, 13, fips.Exempts, true},
		"SHA-256, 112 bits":       {totp.SHA256, 14, false, false},
		"SHA-1":                   {totp.SHA1, 20, false, true},
		"SHA-1 allowed":           {totp.SHA1, 20, true, false},
		"SHA-1 allowed, 80 bits":  {totp.SHA1, 10, true, false},
		"SHA-1, 80 bits":          {totp.SHA1, 10, false, true},
		"SHA-512 of a usual size": {totp.SHA512, 64, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if x.allow {
				skipUnlessExempts(t)
			}
			secret := proving.Value[totp.Secret](t)(totp.ShortSecrets{}.NewSecret([]byte(strings.Repeat("0123456789", 7)[:x.size])))
			key := proving.Value[totp.Key](t)(totp.NewKey(secret, totp.Params{Algorithm: x.algorithm}))
			k := proving.New(t, func(c *enrollment.Config) {
				c.AllowSHA1, c.Params, c.ShortSecretsUntil = x.allow, totp.Params{Algorithm: totp.SHA256}, proving.Start.Add(time.Hour)
			})
			im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
			for user, call := range map[string]func(user string) error{
				"imported": func(user string) error { return k.Guard.Admin("root", "moving").Import(t.Context(), user, im) },
				"moved in": func(user string) error {
					_, err := k.Guard.SignIn(t.Context(), user, enrollment.SignInOptions{Import: &im})
					return err
				},
				"token": func(user string) error {
					_, err := k.Guard.Begin(t.Context(), user, enrollment.BeginOptions{HardwareToken: key, Proof: enrollment.ByReauth("password")})
					return err
				},
			} {
				err := call(user)
				if x.refused != errors.Is(err, enrollment.ErrNotApproved) || !x.refused && err != nil {
					t.Errorf("%s: %v", user, err)
				}
				if _, err := k.Store.Load(t.Context(), user); x.refused != errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: the store says %v", user, err)
				}
			}
			count, err := k.Guard.Admin("root", "x").RehearseImport(t.Context(), maps.All(map[string]enrollment.Import{"new": im}), nil)
			if err != nil || (count.Faulty == 1) != x.refused {
				t.Errorf("%+v, %v", count, err)
			}
			if x.refused {
				return
			}
			k.Pass(time.Minute)
			if _, err := k.Guard.Verify(t.Context(), "imported", "x", k.Code(key)); err != nil {
				t.Error(err)
			}
		})
	}
}
