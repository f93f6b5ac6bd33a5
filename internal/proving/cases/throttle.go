package cases

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Cases of guessing that was not held back.

// TestCase08_NoThrottle: guesses were unlimited (CVE-2024-0227).
func TestCase08_NoThrottle(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	challenge, c := u.Challenge(), u.Wrong()
	got := make(map[enrollment.Reason]int)
	for range 10 {
		for r, n := range proving.Together(100, func(int) error {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, c)
			return err
		}) {
			got[r] += n
		}
	}
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 995 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	proving.Want(t, signIn(u, u.Code()), enrollment.ReasonLocked)
	k.Pass(time.Minute)
	proving.Want(t, signIn(u, u.Code()), "")
}

// TestCase09_FreshChallengeFreshBudget: a new login session brought a new
// budget.
func TestCase09_FreshChallengeFreshBudget(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	k.Pass(10 * time.Minute)
	for _, n := range []int{-2, +2, -2, +2, -2} {
		proving.Want(t, signIn(u, u.Code(n)), enrollment.ReasonWrongCode)
	}
	proving.Want(t, signIn(u, u.Code()), enrollment.ReasonLocked)
	proving.Want(t, signInOn(k.Node(), u, u.Code()), enrollment.ReasonLocked)
}

// TestCase10_CounterRolledBack: the counter was rolled back together with the
// failed request (CVE-2026-35597).
func TestCase10_CounterRolledBack(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	c := u.Wrong()
	for range 3 {
		before := k.Record("alice").Version
		proving.Want(t, signIn(u, c), enrollment.ReasonWrongCode)
		if after := k.Record("alice").Version; after == before {
			t.Fatalf("version %d again: the failure is not stored", after)
		}
	}
	broken := errors.New("the disk is full")
	k.Store.Fail(proving.Save, broken)
	k.Unchanged("alice", func() {
		for _, typed := range []string{c, u.Code()} {
			err := signIn(u, typed)
			if !errors.Is(err, broken) || errors.As(err, new(*enrollment.Denied)) {
				t.Errorf("without a store the answer is %v", err)
			}
		}
	})
	k.Store.Straighten()
	proving.Want(t, signIn(u, u.Code()), "")
}

// TestCase13_CounterRace: parallel guesses were counted once
// (better-auth#8067).
func TestCase13_CounterRace(t *testing.T, open proving.Open) {
	const n = 100
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	challenge, c := u.Challenge(), u.Wrong()
	k.Store.Gather(n)
	got := proving.Together(n, func(int) error {
		_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, c)
		return err
	})
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != n-5 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	// The counter stands at 5, not more: the lock lasts a minute, the next two.
	if until := lockedUntil(k, "alice", enrollment.FactorTOTP); !until.Equal(k.Now().Add(time.Minute)) {
		t.Errorf("locked until %v, want a minute from %v", until, k.Now())
	}
	k.Pass(time.Minute)
	proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	if until := lockedUntil(k, "alice", enrollment.FactorTOTP); !until.Equal(k.Now().Add(2 * time.Minute)) {
		t.Errorf("locked until %v, want two minutes from %v", until, k.Now())
	}
}

// TestCase14_OtherDoors: guesses through other methods than sign-in were not
// counted (ezauth#175).
func TestCase14_OtherDoors(t *testing.T, open proving.Open) {
	doors := map[string]func(u *proving.Person, code string) error{
		"answer": func(u *proving.Person, code string) error { return signIn(u, code) },
		"verify": func(u *proving.Person, code string) error {
			_, err := u.Kit.Guard.Verify(t.Context(), u.ID, "step-up", code)
			return err
		},
		"disable": func(u *proving.Person, code string) error {
			return u.Kit.Guard.Disable(t.Context(), u.ID, enrollment.ByCode(code))
		},
		"regenerate": func(u *proving.Person, code string) error {
			_, err := u.Kit.Guard.RenewCodes(t.Context(), u.ID, enrollment.ByCode(code))
			return err
		},
		"replace": func(u *proving.Person, code string) error {
			_, err := u.Kit.Guard.Begin(t.Context(), u.ID, enrollment.BeginOptions{
				Account: "a", Proof: enrollment.ByCode(code), Replace: u.First.Authenticator,
			})
			return err
		},
		"add": func(u *proving.Person, code string) error {
			_, err := u.Kit.Guard.Begin(t.Context(), u.ID, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(code)})
			return err
		},
	}
	k := proving.Over(t, open(t))
	for last, lastDoor := range doors {
		u := k.Enroll("user-" + last)
		spent := 0
		for name, door := range doors {
			if name != last && spent < 5 {
				proving.Want(t, door(u, u.Wrong()), enrollment.ReasonWrongCode)
				spent++
			}
		}
		proving.Want(t, lastDoor(u, u.Wrong()), enrollment.ReasonLocked)
		proving.Want(t, lastDoor(u, u.Code()), enrollment.ReasonLocked)
	}
	// And recovery codes, through every door too.
	u := k.Enroll("recovery")
	other := k.Enroll("other")
	spent := 0
	for _, door := range doors {
		if spent < 5 {
			proving.Want(t, door(u, other.Codes[spent]), enrollment.ReasonWrongCode)
			spent++
		}
	}
	for name, door := range doors {
		if got := proving.ReasonOf(door(u, u.Codes[0])); got != enrollment.ReasonLocked {
			t.Errorf("%s: %q, want locked", name, got)
		}
	}
}

// TestCase16_OptionsKeepTheCap: an option switched the cap off.
func TestCase16_OptionsKeepTheCap(t *testing.T, open proving.Open) {
	s := open(t)
	n := 0
	for _, reauth := range []bool{false, true} {
		for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
			for _, digits := range []int{6, 8} {
				for _, notify := range []func(context.Context, enrollment.Event) error{nil, func(context.Context, enrollment.Event) error { return nil }} {
					k := proving.Over(t, s, func(c *enrollment.Config) {
						c.ReauthDisables = reauth
						c.RecoveryScheme = scheme
						c.RecoveryCodes = recovery.MinCount
						c.Params = totp.Params{Digits: digits, Algorithm: totp.SHA256, Period: time.Minute}
						c.Notify = notify
						c.Namespace = fmt.Sprint(n)
					})
					u := k.Enroll(fmt.Sprint("user-", n))
					k.Pass(time.Minute)
					n++
					for range 5 {
						proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
					}
					proving.Want(t, signIn(u, u.Code()), enrollment.ReasonLocked)
				}
			}
		}
	}
}

// TestCase17_WaitsGrow: the wait was the same after every cycle.
func TestCase17_WaitsGrow(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for range 4 {
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	}
	wait := time.Minute
	for i := range 12 {
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
		until := lockedUntil(k, "alice", enrollment.FactorTOTP)
		if got := until.Sub(k.Now()); got != wait {
			t.Fatalf("cycle %d: wait of %v, want %v", i+1, got, wait)
		}
		k.Pass(wait)
		wait = min(2*wait, 24*time.Hour)
	}
}

// TestCase39_LockAsWeapon: attempts while locked extended the lock, and
// strangers could lock anybody.
func TestCase39_LockAsWeapon(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	k.Unchanged("alice", func() { // a stranger has no challenge
		for _, challenge := range []string{"", "x", u.ID, "AAAA", u.Challenge().Reveal()[1:], u.First.Receipt.Reveal()} {
			_, err := k.Guard.Answer(t.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(challenge), u.Wrong())
			proving.Want(t, err, enrollment.ReasonChallengeInvalid)
		}
	})
	for range 5 {
		proving.Want(t, signIn(u, u.Wrong()), enrollment.ReasonWrongCode)
	}
	end := lockedUntil(k, "alice", enrollment.FactorTOTP)
	k.Unchanged("alice", func() {
		for range 1000 {
			k.Pass(59 * time.Millisecond)
			if err := signIn(u, u.Wrong()); proving.ReasonOf(err) != enrollment.ReasonLocked {
				t.Fatal(err)
			}
		}
	})
	if got := lockedUntil(k, "alice", enrollment.FactorTOTP); !got.Equal(end) {
		t.Errorf("the lock ends at %v, it was %v", got, end)
	}
	// The owner gets in with a recovery code meanwhile, and the lock is gone.
	proving.Want(t, signIn(u, u.Codes[0]), "")
	proving.Want(t, signIn(u, u.Code()), "")
}

// TestCase46_SuccessClearsFailures: failures were not cleared by a success
// (photostorm).
func TestCase46_SuccessClearsFailures(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	failures := 0
	for range 20 {
		for range 4 {
			err := signIn(u, u.Wrong())
			if proving.ReasonOf(err) == enrollment.ReasonLocked {
				break
			}
			proving.Want(t, err, enrollment.ReasonWrongCode)
			failures++
		}
		k.Pass(30 * time.Second)
		if failures < 29 {
			proving.Want(t, signIn(u, u.Code()), "")
		}
	}
	if failures != 30 {
		t.Errorf("the budget let %d failures through, want 30", failures)
	}
}

// TestCase48_HangUp: hanging up made a guess free.
func TestCase48_HangUp(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	u := k.Enroll("alice")
	for range 100 {
		challenge, c := u.Challenge(), u.Wrong()
		ctx, cancel := context.WithCancel(t.Context())
		k.Store.Before(proving.Save, func(context.Context, *proving.Call) { cancel() }) // the caller hangs up now, the code has been evaluated
		_, err := k.Guard.Answer(ctx, enrollment.PurposeSignIn, challenge, c)
		proving.Want(t, err, enrollment.ReasonWrongCode)
		k.Store.Straighten()
		k.Pass(48 * time.Hour)
	}
	proving.Want(t, signIn(u, u.Code()), enrollment.ReasonFactorDisabled)
}
