package guardtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Cases about what challenges and sessions are worth, and about what leaks.

// TestCase27_ChallengeNotBound: a challenge was good for another user
// (autentico#361).
func TestCase27_ChallengeNotBound(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	alice, bob := w.enroll("alice"), w.enroll("bob")
	challenge := alice.challenge()
	answer := func(p enrollment.Purpose, code string) (enrollment.Success, error) {
		return w.guard.Answer(t.Context(), p, challenge, code)
	}
	_, err := answer(enrollment.PurposeSignIn, bob.code())
	want(t, err, enrollment.ReasonWrongCode) // it is alice's, whoever answers
	_, err = answer("step-up", alice.code())
	want(t, err, enrollment.ReasonChallengeInvalid)
	other := newWorld(t, w.store, func(c *enrollment.Config) { c.Namespace = "staging" })
	other.keys = w.keys
	_, err = other.guardOver(w.store).Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.code())
	want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := answer(enrollment.PurposeSignIn, alice.code())
	want(t, err, "")
	if ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorTOTP {
		t.Errorf("success %+v", ok)
	}
	w.advance(30 * time.Second)
	_, err = answer(enrollment.PurposeSignIn, alice.code())
	want(t, err, enrollment.ReasonChallengeSpent)
	challenge = alice.challenge()
	w.advance(enrollment.ChallengeTTL + time.Second)
	_, err = answer(enrollment.PurposeSignIn, alice.code())
	want(t, err, enrollment.ReasonChallengeExpired)
	w.advance(-enrollment.ChallengeTTL - 2*time.Minute)
	_, err = answer(enrollment.PurposeSignIn, alice.code())
	want(t, err, enrollment.ReasonChallengeExpired) // the clock has jumped back
}

// TestCase27_WaitedTooLong: what was in time when it came can be late when its
// turn comes.
func TestCase27_WaitedTooLong(t *testing.T, open Open) {
	s := &hooked{Store: open(t)}
	w := newWorld(t, s, func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u := w.enroll("alice")
	challenge := u.challenge()
	s.load = func(rec store.Record, err error) (store.Record, error) {
		s.load = nil
		w.advance(enrollment.ChallengeTTL) // while it waits for a slot
		return rec, err
	}
	_, err := w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.codes[0])
	want(t, err, enrollment.ReasonChallengeExpired)
	if left := w.status("alice").CodesLeft; left != recovery.MinCount {
		t.Errorf("%d codes are left", left)
	}
}

// TestCase28_HalfAuthenticated: a session after the first factor counted as
// full (GHSA-3q28-qjrv-qr39).
func TestCase28_HalfAuthenticated(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	for _, c := range []string{u.wrong(), "", "hello", u.challenge()} {
		ok, err := w.guard.Answer(t.Context(), enrollment.PurposeSignIn, u.challenge(), c)
		if err == nil || !reflect.DeepEqual(ok, enrollment.Success{}) {
			t.Errorf("Answer = %+v, %v", ok, err)
		}
		ok, err = w.guard.Verify(t.Context(), "alice", "x", c)
		if err == nil || !reflect.DeepEqual(ok, enrollment.Success{}) {
			t.Errorf("Verify = %+v, %v", ok, err)
		}
	}
	if (enrollment.Decision{}).Next != enrollment.Refuse {
		t.Error("the zero decision is not to refuse")
	}
	d, err := w.guard.SignIn(t.Context(), "nobody", enrollment.SignInOptions{Require: true})
	if err != nil || d.Next != enrollment.MustEnroll || d.Challenge != "" {
		t.Errorf("SignIn = %+v, %v", d, err)
	}
	if d, err = w.guard.SignIn(t.Context(), "nobody", enrollment.SignInOptions{Enrolled: true}); err == nil || d.Next != enrollment.Refuse || d.Challenge != "" {
		t.Errorf("SignIn of a user said to be enrolled = %+v, %v", d, err)
	}
	want(t, w.guard.Disable(t.Context(), "alice", enrollment.ByReceipt("")), enrollment.ReasonProofInvalid)
	want(t, w.guard.Disable(t.Context(), "alice", enrollment.ByReceipt(u.challenge())), enrollment.ReasonProofInvalid)
}

// TestCase51_ResetChallengeSignsIn: the challenge of a password reset was good
// for signing in.
func TestCase51_ResetChallengeSignsIn(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	d, err := w.guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "password-reset"})
	if err != nil || d.Next != enrollment.AskCode {
		t.Fatal(d.Next, err)
	}
	w.unchanged("alice", func() {
		_, err = w.guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, u.code())
		want(t, err, enrollment.ReasonChallengeInvalid)
	})
	ok, err := w.guard.Answer(t.Context(), "password-reset", d.Challenge, u.code())
	want(t, err, "")
	if ok.Purpose != "password-reset" || !w.status("alice").LastSignIn.IsZero() {
		t.Errorf("success %+v, last sign-in %v", ok, w.status("alice").LastSignIn)
	}
}

// TestCase52_StolenSession: the step-up of one user was answered by another.
func TestCase52_StolenSession(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	alice, mallory := w.enroll("alice"), w.enroll("mallory")
	theirs, err := w.guard.Verify(t.Context(), "mallory", "delete-project", mallory.code())
	want(t, err, "")
	_, err = w.guard.Verify(t.Context(), "alice", "delete-project", mallory.codes[0])
	want(t, err, enrollment.ReasonWrongCode)
	w.unchanged("alice", func() {
		_, err = w.guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(theirs.Receipt))
		want(t, err, enrollment.ReasonProofInvalid)
		want(t, w.guard.Disable(t.Context(), "alice", enrollment.ByReceipt(theirs.Receipt)), enrollment.ReasonProofInvalid)
	})
	_, err = w.guard.Verify(t.Context(), "alice", "delete-project", alice.code())
	want(t, err, "")
}

// secretsOf returns everything about a user that must not show up anywhere.
func (u *user) secrets() []string {
	raw := u.app.Secret().Reveal()
	list := []string{
		u.app.Secret().Base32(), u.app.Secret().Grouped(), string(raw), fmt.Sprintf("%x", raw),
		strings.Trim(fmt.Sprint(raw), "[]"), "otpauth",
	}
	for _, c := range u.codes {
		list = append(list, c, strings.ReplaceAll(c, "-", ""))
	}
	return list
}

func mustNotContain(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for i, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s shows secret %d", where, i)
		}
	}
}

// TestCase31_StatusLeaks: the status returned the secret (linkid#555).
func TestCase31_StatusLeaks(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	fresh, _ := w.begin("alice", enrollment.ByCode(u.code()), "")
	staged := &user{w: w, app: fresh}
	s := w.status("alice")
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("status", "status", s)
	for where, shown := range map[string]string{
		"JSON": string(text), "%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", s), "%#v": fmt.Sprintf("%#v", s),
		"slog": logged.String(),
	} {
		mustNotContain(t, where, shown, append(u.secrets(), staged.secrets()...))
	}
	if !strings.Contains(string(text), u.done.Authenticator) {
		t.Error("the status does not name the authenticator: nothing was tested")
	}
}

// TestCase32_SecretsInLogs: audit logs held secrets and codes (MISP#10116).
func TestCase32_SecretsInLogs(t *testing.T, open Open) {
	var mu sync.Mutex
	var logged bytes.Buffer
	lines := 0
	log := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&logged, format, args...)
		lines++
	}
	w := newWorld(t, open(t), func(c *enrollment.Config) {
		c.Logger = slog.New(slog.NewTextHandler(writer(func(b []byte) { log("%s", b) }), &slog.HandlerOptions{
			Level: slog.LevelDebug,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey { // its fraction of a second could be anybody's code
					return slog.Attr{}
				}
				return a
			},
		}))
		c.Notify = func(_ context.Context, e enrollment.Event) error {
			log("%v %+v %#v\n", e, e, e)
			return nil
		}
	})
	ctx := t.Context()
	u := w.enroll("alice")
	secrets := u.secrets()
	use := func(code string, err error) {
		if err != nil {
			log("%v %+v %#v\n", err, err, err)
		}
		secrets = append(secrets, code)
	}
	c := u.code()
	use(c, u.answer(c))
	use(c, u.answer(c))
	use(u.wrong(), u.answer(u.wrong()))
	use("987 hello", u.answer("987 hello"))
	use(u.codes[0], u.answer(u.codes[0]))
	use(u.codes[0], u.answer(u.codes[0]))
	w.advance(30 * time.Second)
	c = u.code()
	key, token := w.begin("alice", enrollment.ByCode(c), "")
	secrets = append(secrets, c, token)
	staged := &user{w: w, app: key}
	secrets = append(secrets, staged.secrets()...)
	_, err := w.guard.Confirm(ctx, "alice", token, staged.code(10))
	use(staged.code(10), err)
	_, err = w.guard.Confirm(ctx, "alice", token, staged.code())
	use(staged.code(), err)
	w.advance(30 * time.Second)
	renewed, err := w.guard.RenewCodes(ctx, "alice", enrollment.ByCode(u.code()))
	use(u.code(), err)
	secrets = append(secrets, renewed.Codes.Reveal()...)
	secrets = append(secrets, renewed.Receipt)
	for range 6 {
		_, err := w.guard.Verify(ctx, "alice", "x", u.wrong())
		use(u.wrong(), err)
	}
	use("", w.guard.Disable(ctx, "alice", enrollment.ByReceipt(renewed.Receipt)))

	if lines < 20 {
		t.Fatalf("only %d lines were logged", lines)
	}
	for _, event := range []enrollment.EventKind{
		enrollment.EventEnabled, enrollment.EventAuthenticatorAdded, enrollment.EventCodesRenewed, enrollment.EventRecoveryUsed, enrollment.EventLocked, enrollment.EventDisabled,
	} {
		if !strings.Contains(logged.String(), string(event)) {
			t.Errorf("the event %q was not logged", event)
		}
	}
	var filtered []string
	for _, s := range secrets {
		if s != "" {
			filtered = append(filtered, s)
		}
	}
	mustNotContain(t, "the log", logged.String(), filtered)
}

type writer func(b []byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
