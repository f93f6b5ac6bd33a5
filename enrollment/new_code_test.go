package enrollment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// The code that replaced a used one is returned once more, for the challenge and the code
// that were answered with, however that is typed. It changes nothing and tells nobody.
func TestNewCode(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("one of the schemes is Argon2id")
	}
	for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
		k := proving.New(t, proving.ReplenishCodes, func(c *enrollment.Config) {
			c.RecoveryScheme, c.RecoveryCodes = scheme, recovery.MinCount
		})
		u := k.Enroll("alice")
		again := func(purpose enrollment.Purpose, challenge enrollment.Challenge, used string, want recovery.Code) {
			t.Helper()
			k.Told()
			k.Unchanged("alice", func() {
				for _, typed := range []string{used, " " + strings.ToLower(used), "1. " + used} {
					user, got, err := k.Guard.NewCode(t.Context(), purpose, challenge, typed)
					if err != nil || user != "alice" || want.IsZero() || got.Reveal() != want.Reveal() {
						t.Errorf("%v: the code of %q, %v", scheme, user, err)
					}
				}
			})
			k.WantTold()
		}
		challenge := u.Challenge()
		s, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
		k.Must(err)
		_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
		proving.Want(t, err, enrollment.ReasonChallengeSpent)
		again(enrollment.PurposeSignIn, challenge, u.Codes[0], s.NewCode)
		again(enrollment.PurposeSignIn, s.Challenge, u.Codes[0], s.NewCode)

		v, err := k.Guard.Verify(t.Context(), "alice", "x", u.Codes[1])
		k.Must(err)
		again("x", v.Challenge, u.Codes[1], v.NewCode)
		if s.NewCode.Reveal() == v.NewCode.Reveal() {
			t.Error("two codes are one")
		}
		_, err = k.Guard.Answer(t.Context(), "x", v.Challenge, s.NewCode.Reveal())
		proving.Want(t, err, enrollment.ReasonChallengeExpired)
		_, _, err = k.Guard.NewCode(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
		proving.Want(t, err, enrollment.ReasonCodesNotKept) // another code was used
		k.Must(k.Guard.Disable(t.Context(), "alice", enrollment.ByCode(v.NewCode.Reveal())))
		_, _, err = k.Guard.NewCode(t.Context(), "x", v.Challenge, u.Codes[1])
		proving.Want(t, err, enrollment.ReasonNotEnrolled)
	}
}

// A user who is signed in can have the challenge before the code as well, for each purpose.
// Then a lost answer does not lose the new code, also that of the last code.
func TestNewCodeOfStepUp(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.ReplenishCodes, func(c *enrollment.Config) { c.RecoveryCodes = recovery.MinCount })
	u := k.Enroll("alice")
	used := u.Codes[0]
	for range 2 * recovery.MinCount {
		d, err := k.Guard.SignIn(t.Context(), "alice", enrollment.SignInOptions{Purpose: "delete"})
		k.Must(err)
		_, err = k.Guard.Answer(t.Context(), "delete", d.Challenge, used) // which the client does not see
		k.Must(err)
		_, err = k.Guard.Answer(t.Context(), "delete", d.Challenge, used)
		proving.Want(t, err, enrollment.ReasonChallengeSpent)
		_, _, err = k.Guard.NewCode(t.Context(), enrollment.PurposeSignIn, d.Challenge, used)
		proving.Want(t, err, enrollment.ReasonChallengeInvalid)
		user, fresh, err := k.Guard.NewCode(t.Context(), "delete", d.Challenge, used)
		if k.Must(err); user != "alice" || fresh.Reveal() == used {
			t.Fatalf("the code of %q", user)
		}
		used = fresh.Reveal()
	}
}

// Without the code that was typed, or with another challenge, there is nothing to see.
func TestNewCodeOfOthers(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.ReplenishCodes)
	u, bob := k.Enroll("alice"), k.Enroll("bob")
	challenge, other := u.Challenge(), u.Challenge()
	s, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[0])
	k.Must(err)
	k.Pass(time.Minute)
	byApp := u.Challenge()
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, byApp, u.Code())
	k.Must(err)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, bob.Challenge(), bob.Codes[0])
	k.Must(err)
	for name, c := range map[string]struct {
		purpose   enrollment.Purpose
		challenge enrollment.Challenge
		code      string
		want      enrollment.Reason
	}{
		"an unused code":              {enrollment.PurposeSignIn, challenge, u.Codes[1], enrollment.ReasonCodesNotKept},
		"another user's used code":    {enrollment.PurposeSignIn, challenge, bob.Codes[0], enrollment.ReasonCodesNotKept},
		"the new code":                {enrollment.PurposeSignIn, challenge, s.NewCode.Reveal(), enrollment.ReasonCodesNotKept},
		"an app code":                 {enrollment.PurposeSignIn, challenge, "123456", enrollment.ReasonCodesNotKept},
		"nothing":                     {enrollment.PurposeSignIn, challenge, "", enrollment.ReasonCodesNotKept},
		"a megabyte":                  {enrollment.PurposeSignIn, challenge, strings.Repeat("A", 1<<20), enrollment.ReasonCodesNotKept},
		"another challenge":           {enrollment.PurposeSignIn, other, u.Codes[0], enrollment.ReasonCodesNotKept},
		"a challenge that an app met": {enrollment.PurposeSignIn, byApp, u.Codes[0], enrollment.ReasonCodesNotKept},
		"another purpose":             {"x", challenge, u.Codes[0], enrollment.ReasonChallengeInvalid},
		"another user's challenge":    {enrollment.PurposeSignIn, bob.Challenge(), u.Codes[0], enrollment.ReasonCodesNotKept},
		"no challenge":                {enrollment.PurposeSignIn, enrollment.Challenge{}, u.Codes[0], enrollment.ReasonChallengeInvalid},
		"a text that is no challenge": {enrollment.PurposeSignIn, enrollment.ChallengeOf("x"), u.Codes[0], enrollment.ReasonChallengeInvalid},
		"a receipt for the challenge": {enrollment.PurposeSignIn, enrollment.ChallengeOf(s.Receipt.Reveal()), u.Codes[0], enrollment.ReasonChallengeInvalid},
		"a purpose that none has":     {enrollment.PurposeSetup, challenge, u.Codes[0], proving.Fault},
	} {
		user, code, err := k.Guard.NewCode(t.Context(), c.purpose, c.challenge, c.code)
		if err == nil || proving.ReasonOf(err) != c.want || user != "" || !code.IsZero() {
			t.Errorf("%s: %q, %v", name, user, err)
		}
	}
}

// It ends ten minutes after the challenge, or with the next change of the codes.
func TestNewCodeEnds(t *testing.T) {
	t.Parallel()
	k := proving.New(t, proving.ReplenishCodes)
	u := k.Enroll("alice")
	want := func(purpose enrollment.Purpose, challenge enrollment.Challenge, used string, want enrollment.Reason) {
		t.Helper()
		_, _, err := k.Guard.NewCode(t.Context(), purpose, challenge, used)
		if want == "" {
			k.Must(err)
			return
		}
		proving.Want(t, err, want)
	}
	v, err := k.Guard.Verify(t.Context(), "alice", "x", u.Codes[0])
	k.Must(err)
	k.Pass(account.RepeatTTL - time.Microsecond)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), u.Code()) // which tidies
	k.Must(err)
	want("x", v.Challenge, u.Codes[0], "")
	k.Pass(time.Microsecond)
	want("x", v.Challenge, u.Codes[0], enrollment.ReasonChallengeExpired)

	challenge := u.Challenge()
	k.Pass(enrollment.ChallengeTTL - time.Second)
	s, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.Codes[1])
	k.Must(err)
	k.Pass(account.RepeatTTL + time.Second - time.Microsecond)
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, u.Challenge(), u.Code())
	k.Must(err)
	want(enrollment.PurposeSignIn, challenge, u.Codes[1], "")
	k.Pass(time.Microsecond)
	want(enrollment.PurposeSignIn, challenge, u.Codes[1], enrollment.ReasonChallengeExpired)

	k.Pass(time.Minute)
	challenge = u.Challenge()
	s, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, s.NewCode.Reveal())
	k.Must(err)
	first := s.NewCode.Reveal()
	next := u.Challenge()
	_, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, next, first)
	k.Must(err)
	want(enrollment.PurposeSignIn, next, first, "")
	_, err = k.Guard.RenewCodes(t.Context(), "alice", enrollment.ByCode(u.Code()))
	k.Must(err)
	want(enrollment.PurposeSignIn, next, first, enrollment.ReasonCodesNotKept)
}

// A challenge of before the setting has no seed. A message carries that of its challenge.
func TestNewCodeOfEachChallenge(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	p := k.Post()
	u := k.Enroll("alice")
	b, err := p.Begin("alice", enrollment.ByReceipt(u.Receipt()))
	k.Must(err)
	_, err = p.Messages.Confirm(t.Context(), "alice", b.Token, p.Inbox.Code())
	k.Must(err)
	k.Pass(enrollment.MessagePause)
	before := u.Challenge()
	k.Configure(proving.ReplenishCodes)
	s, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, before, u.Codes[0])
	k.Must(err)
	_, _, err = k.Guard.NewCode(t.Context(), enrollment.PurposeSignIn, before, u.Codes[0])
	proving.Want(t, err, enrollment.ReasonCodesNotKept)
	_, got, err := k.Guard.NewCode(t.Context(), enrollment.PurposeSignIn, s.Challenge, u.Codes[0])
	if err != nil || got.Reveal() != s.NewCode.Reveal() {
		t.Errorf("another code, %v", err)
	}
	challenge := u.Challenge()
	d, err := k.Guard.Messages().Send(t.Context(), enrollment.PurposeSignIn, challenge)
	k.Must(err)
	s, err = k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, u.Codes[1])
	k.Must(err)
	for _, c := range []enrollment.Challenge{d.Challenge, s.Challenge, challenge} {
		_, got, err = k.Guard.NewCode(t.Context(), enrollment.PurposeSignIn, c, u.Codes[1])
		if err != nil || got.Reveal() != s.NewCode.Reveal() {
			t.Errorf("another code, %v", err)
		}
	}
}
