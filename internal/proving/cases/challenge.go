package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Cases about what challenges and sessions are worth, and about what leaks.

// TestCase27_ChallengeNotBound: a challenge was good for another user
// (autentico#361).
func TestCase27_ChallengeNotBound(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice, bob := k.Enroll("alice"), k.Enroll("bob")
	challenge := alice.Challenge()
	answer := func(p enrollment.Purpose, code string) (enrollment.Success, error) {
		return k.Guard.Answer(t.Context(), p, challenge, code)
	}
	_, err := answer(enrollment.PurposeSignIn, bob.Code())
	proving.Want(t, err, enrollment.ReasonWrongCode) // it is alice's, also if bob answers
	_, err = answer("step-up", alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	other := k.Node(func(c *enrollment.Config) { c.Namespace = "staging" })
	_, err = other.Answer(t.Context(), enrollment.PurposeSignIn, challenge, alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	ok, err := answer(enrollment.PurposeSignIn, alice.Code())
	proving.Want(t, err, "")
	if ok.UserID != "alice" || ok.Purpose != enrollment.PurposeSignIn || ok.Factor != enrollment.FactorTOTP {
		t.Errorf("success %+v", ok)
	}
	k.Pass(30 * time.Second)
	_, err = answer(enrollment.PurposeSignIn, alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeSpent)
	challenge = alice.Challenge()
	k.Pass(enrollment.ChallengeTTL + time.Second)
	_, err = answer(enrollment.PurposeSignIn, alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeExpired)
	k.Pass(-enrollment.ChallengeTTL - 2*time.Minute)
	_, err = answer(enrollment.PurposeSignIn, alice.Code())
	proving.Want(t, err, enrollment.ReasonChallengeExpired) // the clock has jumped back
}

// TestCase27_WaitedTooLong: what was in time when it came can be late when its
// turn comes.
func TestCase27_WaitedTooLong(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
		c.RecoveryScheme = recovery.Argon2id
		c.RecoveryCodes = recovery.MinCount
	})
	u := k.Enroll("alice")
	challenge := u.Challenge()
	k.Pass(enrollment.ChallengeTTL - time.Minute)
	k.Store.NthAfter(proving.Load, 1, func(context.Context, *proving.Call) {
		k.Pass(time.Minute) // while it waits for a slot
	})
	_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
	proving.Want(t, err, enrollment.ReasonChallengeExpired)

	// After a much longer wait nobody is told either way.
	challenge = u.Challenge()
	k.Store.NthAfter(proving.Load, 1, func(context.Context, *proving.Call) { k.Pass(enrollment.ChallengeTTL) })
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
	if proving.Want(t, err, proving.Fault); !errors.Is(err, enrollment.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if left := k.Status("alice").CodesLeft; left != recovery.MinCount {
		t.Errorf("%d codes are left", left)
	}
}

// TestCase28_HalfAuthenticated: a session after the first factor counted as
// full (GHSA-3q28-qjrv-qr39).
func TestCase28_HalfAuthenticated(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for _, c := range []string{u.Wrong(), "", "hello", u.Challenge().Reveal()} {
		ok, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), c)
		if err == nil || !reflect.DeepEqual(ok, enrollment.Success{}) {
			t.Errorf("Answer = %+v, %v", ok, err)
		}
		ok, err = k.Guard.Verify(t.Context(), "alice", "x", c)
		if err == nil || !reflect.DeepEqual(ok, enrollment.Success{}) {
			t.Errorf("Verify = %+v, %v", ok, err)
		}
	}
	if (enrollment.Decision{}).Next != enrollment.Refuse {
		t.Error("the zero decision is not to refuse")
	}
	d, err := k.Guard.SignIn(t.Context(), "nobody", enrollment.SignInOptions{Require: true})
	if err != nil || d.Next != enrollment.MustEnroll || !d.Challenge.IsZero() {
		t.Errorf("SignIn = %+v, %v", d, err)
	}
	if d, err = k.Guard.SignIn(t.Context(), "nobody", enrollment.SignInOptions{Enrolled: true}); err == nil || d.Next != enrollment.Refuse || !d.Challenge.IsZero() {
		t.Errorf("SignIn of a user said to be enrolled = %+v, %v", d, err)
	}
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(enrollment.Receipt{})), enrollment.ReasonProofInvalid)
	proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(enrollment.ReceiptOf(u.Challenge().Reveal()))), enrollment.ReasonProofInvalid)
}

// TestCase51_ResetChallengeSignsIn: the challenge of a password reset was good
// for signing in.
func TestCase51_ResetChallengeSignsIn(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "password-reset"})
	if err != nil || d.Next != enrollment.AskCode {
		t.Fatal(d.Next, err)
	}
	k.Unchanged("alice", func() {
		_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, u.Code())
		proving.Want(t, err, enrollment.ReasonChallengeInvalid)
	})
	ok, err := k.Guard.Answer(t.Context(), "password-reset", d.Challenge, u.Code())
	proving.Want(t, err, "")
	if ok.Purpose != "password-reset" || !k.Status("alice").LastSignIn.IsZero() {
		t.Errorf("success %+v, last sign-in %v", ok, k.Status("alice").LastSignIn)
	}
}

// TestCase52_StolenSession: the step-up of one user was answered by another.
func TestCase52_StolenSession(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	alice, mallory := k.Enroll("alice"), k.Enroll("mallory")
	theirs, err := k.Guard.Verify(t.Context(), "mallory", "delete-project", mallory.Code())
	proving.Want(t, err, "")
	_, err = k.Guard.Verify(t.Context(), "alice", "delete-project", mallory.Codes[0])
	proving.Want(t, err, enrollment.ReasonWrongCode)
	k.Unchanged("alice", func() {
		_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByReceipt(theirs.Receipt))
		proving.Want(t, err, enrollment.ReasonProofInvalid)
		proving.Want(t, k.Guard.Disable(t.Context(), "alice", enrollment.ByReceipt(theirs.Receipt)), enrollment.ReasonProofInvalid)
	})
	_, err = k.Guard.Verify(t.Context(), "alice", "delete-project", alice.Code())
	proving.Want(t, err, "")
}

// secretsOf returns everything about a user that must not show up anywhere.
func secretsOf(u *proving.Person) []string {
	raw := u.Key.Secret().Reveal()
	list := []string{
		u.Key.Secret().Base32(), u.Key.Secret().Grouped(), string(raw), fmt.Sprintf("%x", raw),
		strings.Trim(fmt.Sprint(raw), "[]"), "otpauth",
	}
	for _, c := range u.Codes {
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
func TestCase31_StatusLeaks(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	staged, _ := begin(k, "alice", enrollment.ByCode(u.Code()), "")
	s := k.Status("alice")
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
		mustNotContain(t, where, shown, append(secretsOf(u), secretsOf(staged)...))
	}
	if !strings.Contains(string(text), u.First.Authenticator) {
		t.Error("the status does not name the authenticator: nothing was tested")
	}
}

// TestCase32_SecretsInLogs: audit logs held secrets and codes (MISP#10116).
func TestCase32_SecretsInLogs(t *testing.T, open proving.Open) {
	var mu sync.Mutex
	var logged bytes.Buffer
	lines := 0
	log := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&logged, format, args...)
		lines++
	}
	k := proving.Over(t, open(t), func(c *enrollment.Config) {
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
	u := k.Enroll("alice")
	secrets := secretsOf(u)
	use := func(code string, err error) {
		if err != nil {
			log("%v %+v %#v\n", err, err, err)
		}
		secrets = append(secrets, code)
	}
	c := u.Code()
	use(c, signIn(u, c))
	use(c, signIn(u, c))
	use(u.Wrong(), signIn(u, u.Wrong()))
	use("987 hello", signIn(u, "987 hello"))
	use(u.Codes[0], signIn(u, u.Codes[0]))
	use(u.Codes[0], signIn(u, u.Codes[0]))
	k.Pass(30 * time.Second)
	c = u.Code()
	staged, token := begin(k, "alice", enrollment.ByCode(c), "")
	secrets = append(secrets, c, token.Reveal())
	secrets = append(secrets, secretsOf(staged)...)
	_, err := k.Guard.Confirm(ctx, "alice", token, staged.Code(10))
	use(staged.Code(10), err)
	_, err = k.Guard.Confirm(ctx, "alice", token, staged.Code())
	use(staged.Code(), err)
	k.Pass(30 * time.Second)
	renewed, err := k.Guard.RenewCodes(ctx, "alice", enrollment.ByCode(u.Code()))
	use(u.Code(), err)
	secrets = append(secrets, renewed.Codes.Reveal()...)
	secrets = append(secrets, renewed.Receipt.Reveal())
	for range 6 {
		_, err := k.Guard.Verify(ctx, "alice", "x", u.Wrong())
		use(u.Wrong(), err)
	}
	use("", k.Guard.Disable(ctx, "alice", enrollment.ByReceipt(renewed.Receipt)))

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
