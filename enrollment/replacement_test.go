package enrollment_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// moveShort moves alice in with these keys. Short secrets are good for ten days.
func moveShort(t *testing.T, keys []totp.Key, adjust ...func(*enrollment.Config)) *proving.Kit {
	t.Helper()
	k := proving.New(t, append([]func(*enrollment.Config){func(c *enrollment.Config) {
		c.ShortSecretsUntil = proving.Start.Add(10 * 24 * time.Hour)
	}}, adjust...)...)
	im := enrollment.Import{RecoveryHashes: proving.Hashes(proving.Summed("abcde-12345", "abcde-67890")...)}
	for _, key := range keys {
		im.Authenticators = append(im.Authenticators, enrollment.ImportedAuthenticator{Key: key})
	}
	_, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: &im})
	k.Must(err)
	k.Pass(time.Minute)
	return k
}

// over lets the time of short secrets end, to the microsecond.
func over(k *proving.Kit) { k.Pass(k.Config.ShortSecretsUntil.Sub(k.Now())) }

// mustReplace answers with a right code, and returns what there is instead of a Success.
func mustReplace(t *testing.T, k *proving.Kit, code string) enrollment.Replacement {
	t.Helper()
	ok, err := k.Answer(k.Challenge("alice"), code)
	var denied *enrollment.Denied
	if !errors.As(err, &denied) || denied.Reason != enrollment.ReasonMustReplace || denied.Replace == nil || !reflect.DeepEqual(ok, enrollment.Success{}) {
		t.Fatalf("%+v, %v", ok, err)
	}
	return *denied.Replace
}

// Without the opt-in nothing short comes in, by either way.
func TestShortSecretIsOptIn(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, "alice", totp.Params{})}, {Key: proving.ShortKey(t, "a")}}}
	proving.Want(t, k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im), enrollment.ReasonShortSecret)
	if d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Import: &im}); !errors.Is(err, enrollment.ReasonShortSecret) || d.Next != enrollment.Refuse {
		t.Errorf("%+v, %v", d, err)
	}
	k.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = k.Now().Add(-time.Hour) }) // users come late
	k.Must(k.Guard.Admin("carol", "moving").Import(t.Context(), "alice", im))
}

// Until the date, a short secret is like any other but for its mark in Status.
func TestShortSecretBeforeItsTime(t *testing.T) {
	t.Parallel()
	short, long := proving.ShortKey(t, "a"), proving.TheirKey(t, "alice", totp.Params{})
	k := moveShort(t, []totp.Key{long, short})
	s := k.Status("alice")
	if s.Authenticators[0].Short || !s.Authenticators[1].Short || !s.ReplaceBy.Equal(k.Config.ShortSecretsUntil) {
		t.Errorf("%+v", s)
	}
	k.Pass(k.Config.ShortSecretsUntil.Sub(k.Now()) - time.Microsecond)
	ok, err := k.Answer(k.Challenge("alice"), k.Code(short))
	k.Must(err)
	if _, err := k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Proof: enrollment.ByReceipt(ok.Receipt)}); err != nil {
		t.Errorf("the receipt: %v", err)
	}
	k.Enroll("bob")
	if s := k.Status("bob"); s.Authenticators[0].Short || !s.ReplaceBy.IsZero() {
		t.Errorf("%+v", s)
	}
}

// From the date on the old code is asked for as before, and leads to a setup and to
// nothing else.
func TestShortSecretAfterItsTime(t *testing.T) {
	t.Parallel()
	short, long := proving.ShortKey(t, "a"), proving.TheirKey(t, "alice", totp.Params{})
	k := moveShort(t, []totp.Key{long, short})
	k.In(k.Challenge("alice"), k.Code(short))
	over(k)
	before := k.Status("alice")
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Require: true})
	if err != nil || d.Next != enrollment.AskCode {
		t.Fatalf("%+v, %v", d, err)
	}
	_, err = k.Answer(d.Challenge, proving.WrongCode(k.Now(), short, long))
	proving.Want(t, err, enrollment.ReasonWrongCode) // it is no oracle for those who guess
	_, err = k.Answer(d.Challenge, k.Code(short))
	proving.Want(t, err, enrollment.ReasonMustReplace)
	_, err = k.Answer(d.Challenge, k.Code(long))
	proving.Want(t, err, enrollment.ReasonChallengeSpent)
	_, err = k.Guard.Verify(t.Context(), "alice", "x", k.Code(short))
	proving.Want(t, err, enrollment.ReasonReplayed)
	if s := k.Status("alice"); !s.LastSignIn.Equal(before.LastSignIn) {
		t.Error("it counts as a sign-in")
	}

	r := mustReplace(t, k, k.Code(long)) // whichever app it is of
	if r.UserID != "alice" || r.Purpose != enrollment.PurposeSignIn || r.Authenticator != before.Authenticators[1].ID {
		t.Fatalf("%+v", r)
	}
	setup, app := k.Begin("alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
	k.Pass(time.Minute)
	mustReplace(t, k, k.Code(short)) // until Confirm
	done := k.Confirm("alice", setup, app)
	if done.Event != enrollment.EventAuthenticatorReplaced || done.Success.UserID != "alice" || done.Success.Purpose != enrollment.PurposeSignIn {
		t.Errorf("%+v", done)
	}
	if s := k.Status("alice"); len(s.Authenticators) != 2 || !s.ReplaceBy.IsZero() || !s.LastSignIn.Equal(done.Success.At) {
		t.Errorf("%+v", s)
	}
	if ok := k.In(k.Challenge("alice"), k.Code(app)); ok.WrongCodes != 1 {
		t.Errorf("the first Success after a wrong code says that %d were wrong", ok.WrongCodes)
	}
	_, err = k.Answer(k.Challenge("alice"), k.Code(short))
	proving.Want(t, err, enrollment.ReasonWrongCode)
}

// The token replaces a short secret, of this user, for ten minutes. It is no proof of
// anything else.
func TestReplacementIsGoodForNothingElse(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.TheirKey(t, "alice", totp.Params{}), proving.ShortKey(t, "a")})
	post := k.Post()
	k.Configure(func(c *enrollment.Config) { c.Sender = post.Inbox })
	over(k)
	r := mustReplace(t, k, k.Code(proving.ShortKey(t, "a")))
	proof := enrollment.ByEnrollToken(r.EnrollToken, "")
	s := k.Status("alice")
	ctx, g := t.Context(), k.Guard
	token, err := g.PrepareRenewal(ctx, "alice")
	k.Must(err)
	for name, try := range map[string]func() error{
		"adding": func() error { _, err := g.Begin(ctx, "alice", enrollment.BeginOptions{Proof: proof}); return err },
		"replacing a good one": func() error {
			_, err := g.Begin(ctx, "alice", enrollment.BeginOptions{Replace: s.Authenticators[0].ID, Proof: proof})
			return err
		},
		"new codes":      func() error { _, err := g.RenewCodes(ctx, "alice", proof); return err },
		"new codes once": func() error { _, err := g.RenewCodesOnce(ctx, "alice", token, proof); return err },
		"the codes":      func() error { _, err := g.RecoveryCodes(ctx, "alice", proof); return err },
		"removing":       func() error { return g.Remove(ctx, "alice", r.Authenticator, proof) },
		"disabling":      func() error { return g.Disable(ctx, "alice", proof) },
		"an address": func() error {
			_, err := g.Messages().Bind(ctx, "alice", enrollment.BindOptions{Channel: "email", To: "a@example.com", Proof: proof})
			return err
		},
	} {
		if err := try(); proving.ReasonOf(err) != enrollment.ReasonEnrollTokenInvalid && name != "the codes" || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bob := k.Enroll("bob")
	_, err = g.Begin(ctx, "bob", enrollment.BeginOptions{Replace: bob.First.Authenticator, Proof: proof})
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	for _, browser := range []string{"", "firefox"} {
		o := enrollment.SignInOptions{Require: true, Browser: browser}
		d, err := g.SignIn(ctx, "carol", o) // of a user who has nothing to replace
		k.Must(err)
		_, err = g.Begin(ctx, "alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(d.EnrollToken, browser)})
		proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
	}
	k.Pass(enrollment.EnrollTTL + time.Microsecond)
	_, err = g.Begin(ctx, "alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: proof})
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
}

// Recovery codes lead to the setup as well, are used up, and are not replaced where
// nobody would see the new one.
func TestShortSecretAndRecoveryCodes(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")}, func(c *enrollment.Config) { c.ReplenishCodes = true })
	renewed, err := k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode("abcde-12345"))
	k.Must(err)
	codes := renewed.Codes.Reveal()
	over(k)
	r := mustReplace(t, k, codes[0])
	if left := k.Status("alice").CodesLeft; left != recovery.DefaultCount-1 {
		t.Errorf("%d codes are left", left)
	}
	_, err = k.Answer(k.Challenge("alice"), codes[0])
	proving.Want(t, err, enrollment.ReasonReplayed)
	k.Begin("alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
}

// A delivered code has nothing to do with the secret, and its receipt could replace
// nothing: it signs in.
func TestShortSecretAndDeliveredCodes(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")})
	post := k.Post()
	post.Bound("alice", enrollment.ByCode(k.Code(proving.ShortKey(t, "a"))))
	over(k)
	d, err := post.Send(t.Context(), enrollment.PurposeSignIn, k.Challenge("alice"))
	k.Must(err)
	k.In(d.Challenge, post.Inbox.Code())
}

// Trust in a device ends with the time of the secret: its user would never come to
// replace it.
func TestShortSecretAndTrustedDevices(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")})
	ok, err := k.Answer(k.Challenge("alice"), k.Code(proving.ShortKey(t, "a")))
	k.Must(err)
	device, err := k.Guard.Devices().Trust(t.Context(), "alice", ok.Receipt, "browser")
	k.Must(err)
	signIn := func() enrollment.Next {
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Device: device.Token})
		k.Must(err)
		return d.Next
	}
	if got := signIn(); got != enrollment.Proceed {
		t.Errorf("before: %v", got)
	}
	over(k)
	if got := signIn(); got != enrollment.AskCode {
		t.Errorf("after: %v", got)
	}
}

// Each short secret has to go, one after the other. A host that takes the option away
// says that the time is over.
func TestEachShortSecretIsReplaced(t *testing.T) {
	t.Parallel()
	keys := []totp.Key{proving.ShortKey(t, "a"), proving.ShortKey(t, "b")}
	k := moveShort(t, keys)
	k.Configure(func(c *enrollment.Config) { c.ShortSecretsUntil = time.Time{} })
	for i := range keys {
		r := mustReplace(t, k, k.Code(keys[1]))
		if want := k.Status("alice").Authenticators[0].ID; r.Authenticator != want {
			t.Fatalf("%d: %q, want %q", i, r.Authenticator, want)
		}
		setup, app := k.Begin("alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
		k.Confirm("alice", setup, app)
		keys = append(keys, app)
	}
	k.In(k.Challenge("alice"), k.Code(keys[2]))
}

// For a challenge of another purpose it is the same, and the purpose is not forgotten.
func TestShortSecretForAnyPurpose(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")})
	over(k)
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "password-reset"})
	k.Must(err)
	_, err = k.Guard.Answer(t.Context(), "password-reset", d.Challenge, k.Code(proving.ShortKey(t, "a")))
	var denied *enrollment.Denied
	if !errors.As(err, &denied) || denied.Replace == nil || denied.Replace.Purpose != "password-reset" {
		t.Fatalf("%v", err)
	}
	text, err := json.Marshal(denied)
	if err != nil || string(text) != `{"reason":"must_replace"}` || strings.Contains(denied.Error(), denied.Replace.EnrollToken.Reveal()) {
		t.Errorf("%s, %v", text, err)
	}
	setup, app := replace(k, *denied.Replace)
	if done := k.Confirm("alice", setup, app); done.Success.Purpose != "password-reset" {
		t.Errorf("the setup is for %q", done.Success.Purpose)
	}
}

// replace begins the setup that a Replacement leads to.
func replace(k *proving.Kit, r enrollment.Replacement) (enrollment.Setup, totp.Key) {
	return k.Begin(r.UserID, enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
}

// The setup completes the sign-in for half an hour after the answer.
func TestReplacementCompletesInTime(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]enrollment.Purpose{
		enrollment.EnrollConfirmTTL:                    enrollment.PurposeSignIn,
		enrollment.EnrollConfirmTTL + time.Microsecond: enrollment.PurposeSetup,
	} {
		k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")}, func(c *enrollment.Config) { c.SetupTTL = time.Hour })
		over(k)
		r := mustReplace(t, k, k.Code(proving.ShortKey(t, "a")))
		k.Pass(time.Minute)
		setup, app := replace(k, r)
		k.Pass(after - time.Minute)
		if done := k.Confirm("alice", setup, app); done.Success.Purpose != want {
			t.Errorf("after %v: %q", after, done.Success.Purpose)
		}
	}
}

// Where the factor was switched off meanwhile, the token begins nothing, even where
// a setup need not be proven: the setup would complete a sign-in that is void.
func TestReplacementIsVoidWithItsAccount(t *testing.T) {
	t.Parallel()
	k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")}, func(c *enrollment.Config) { c.UnprovenSetup = true })
	over(k)
	r := mustReplace(t, k, k.Code(proving.ShortKey(t, "a")))
	_, err := k.Guard.Admin("root", "lost").Reset(t.Context(), "alice", enrollment.ResetOptions{})
	k.Must(err)
	_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Proof: enrollment.ByEnrollToken(r.EnrollToken, "")})
	proving.Want(t, err, enrollment.ReasonEnrollTokenInvalid)
}

// The token is bound to the browser of the sign-in, also if a message was sent meanwhile.
func TestReplacementIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	for _, message := range []bool{false, true} {
		k := moveShort(t, []totp.Key{proving.ShortKey(t, "a")})
		post := k.Post()
		post.Bound("alice", enrollment.ByCode(k.Code(proving.ShortKey(t, "a"))))
		over(k)
		challenge := k.SignIn("alice", enrollment.SignInOptions{Browser: "firefox"}, enrollment.AskCode).Challenge
		code := k.Code(proving.ShortKey(t, "a"))
		if message {
			d, err := post.Send(t.Context(), enrollment.PurposeSignIn, challenge)
			k.Must(err)
			challenge, code = d.Challenge, "abcde-12345"
		}
		_, err := k.Answer(challenge, code)
		r := proving.Want(t, err, enrollment.ReasonMustReplace).Replace
		for browser, want := range map[string]enrollment.Reason{"firefox": "", "safari": enrollment.ReasonEnrollTokenInvalid, "": enrollment.ReasonEnrollTokenInvalid} {
			_, err := k.Guard.EnrollingUser(t.Context(), r.EnrollToken, browser)
			proving.Want(t, err, want)
			_, err = k.Guard.Begin(t.Context(), "alice", enrollment.BeginOptions{Replace: r.Authenticator, Proof: enrollment.ByEnrollToken(r.EnrollToken, browser)})
			proving.Want(t, err, want)
		}
	}
}
