package guardtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Cases of guessing that was not held back.

// TestCase08_NoThrottle: guesses were unlimited (CVE-2024-0227).
func TestCase08_NoThrottle(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	challenge, c := u.challenge(), u.wrong()
	got := make(map[enrollment.Reason]int)
	for range 10 {
		for r, n := range together(100, func(int) error {
			_, err := w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, c)
			return err
		}) {
			got[r] += n
		}
	}
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != 995 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	want(t, u.answer(u.code()), enrollment.ReasonLocked)
	w.advance(time.Minute)
	want(t, u.answer(u.code()), "")
}

// TestCase09_FreshChallengeFreshBudget: a new login session brought a new
// budget.
func TestCase09_FreshChallengeFreshBudget(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	w.advance(10 * time.Minute)
	for _, n := range []int{-2, +2, -2, +2, -2} {
		want(t, u.answer(u.code(n)), enrollment.ReasonWrongCode)
	}
	want(t, u.answer(u.code()), enrollment.ReasonLocked)
	want(t, u.answerOn(w.guardOver(w.store), u.code()), enrollment.ReasonLocked)
}

// TestCase10_CounterRolledBack: the counter was rolled back together with the
// failed request (CVE-2026-35597).
func TestCase10_CounterRolledBack(t *testing.T, open Open) {
	s := &hooked{Store: open(t)}
	w := newWorld(t, s)
	u := w.enroll("alice")
	c := u.wrong()
	for range 3 {
		before := w.record("alice").Version
		want(t, u.answer(c), enrollment.ReasonWrongCode)
		if after := w.record("alice").Version; after <= before {
			t.Fatalf("version %d after %d: the failure is not stored", after, before)
		}
	}
	broken := errors.New("the disk is full")
	s.save = func(context.Context, store.Record, int64) error { return broken }
	w.unchanged("alice", func() {
		for _, typed := range []string{c, u.code()} {
			err := u.answer(typed)
			if !errors.Is(err, broken) || errors.As(err, new(*enrollment.Denied)) {
				t.Errorf("without a store the answer is %v", err)
			}
		}
	})
	s.save = nil
	want(t, u.answer(u.code()), "")
}

// TestCase13_CounterRace: parallel guesses were counted once
// (better-auth#8067).
func TestCase13_CounterRace(t *testing.T, open Open) {
	const n = 100
	s := open(t)
	w := newWorld(t, s)
	u := w.enroll("alice")
	challenge, c := u.challenge(), u.wrong()
	g := w.guardOver(newBarrier(s, n))
	got := together(n, func(int) error {
		_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenge, c)
		return err
	})
	if got[enrollment.ReasonWrongCode] != 5 || got[enrollment.ReasonLocked] != n-5 {
		t.Errorf("outcomes %v, want 5 wrong and the rest locked", got)
	}
	// The counter stands at 5, not more: the lock lasts a minute, the next two.
	if until := w.lockedUntil("alice", enrollment.FactorTOTP); !until.Equal(w.now().Add(time.Minute)) {
		t.Errorf("locked until %v, want a minute from %v", until, w.now())
	}
	w.advance(time.Minute)
	want(t, u.answer(u.wrong()), enrollment.ReasonWrongCode)
	if until := w.lockedUntil("alice", enrollment.FactorTOTP); !until.Equal(w.now().Add(2 * time.Minute)) {
		t.Errorf("locked until %v, want two minutes from %v", until, w.now())
	}
}

// TestCase14_OtherDoors: guesses through other methods than sign-in were not
// counted (ezauth#175).
func TestCase14_OtherDoors(t *testing.T, open Open) {
	doors := map[string]func(u *user, code string) error{
		"answer": func(u *user, code string) error { return u.answer(code) },
		"verify": func(u *user, code string) error {
			_, err := u.w.guard.Verify(u.w.t.Context(), u.id, "step-up", code)
			return err
		},
		"disable": func(u *user, code string) error {
			return u.w.guard.Disable(u.w.t.Context(), u.id, enrollment.ByCode(code))
		},
		"regenerate": func(u *user, code string) error {
			_, err := u.w.guard.RenewCodes(u.w.t.Context(), u.id, enrollment.ByCode(code))
			return err
		},
		"replace": func(u *user, code string) error {
			_, err := u.w.guard.Begin(u.w.t.Context(), u.id, enrollment.BeginOptions{
				Account: "a", Proof: enrollment.ByCode(code), Replace: u.done.Authenticator,
			})
			return err
		},
		"add": func(u *user, code string) error {
			_, err := u.w.guard.Begin(u.w.t.Context(), u.id, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByCode(code)})
			return err
		},
	}
	w := newWorld(t, open(t))
	for last, lastDoor := range doors {
		u := w.enroll("user-" + last)
		spent := 0
		for name, door := range doors {
			if name != last && spent < 5 {
				want(t, door(u, u.wrong()), enrollment.ReasonWrongCode)
				spent++
			}
		}
		want(t, lastDoor(u, u.wrong()), enrollment.ReasonLocked)
		want(t, lastDoor(u, u.code()), enrollment.ReasonLocked)
	}
	// And recovery codes, through every door too.
	u := w.enroll("recovery")
	other := w.enroll("other")
	spent := 0
	for _, door := range doors {
		if spent < 5 {
			want(t, door(u, other.codes[spent]), enrollment.ReasonWrongCode)
			spent++
		}
	}
	for name, door := range doors {
		if got := reason(door(u, u.codes[0])); got != enrollment.ReasonLocked {
			t.Errorf("%s: %q, want locked", name, got)
		}
	}
}

// TestCase16_OptionsKeepTheCap: an option switched the cap off.
func TestCase16_OptionsKeepTheCap(t *testing.T, open Open) {
	s := open(t)
	n := 0
	for _, reauth := range []bool{false, true} {
		for _, scheme := range []recovery.Scheme{recovery.Fast, recovery.Argon2id} {
			for _, digits := range []int{6, 8} {
				for _, notify := range []func(context.Context, enrollment.Event) error{nil, func(context.Context, enrollment.Event) error { return nil }} {
					w := newWorld(t, s, func(c *enrollment.Config) {
						c.AllowReauth = reauth
						c.RecoveryScheme = scheme
						c.RecoveryCodes = recovery.MinCount
						c.Params = totp.Params{Digits: digits, Algorithm: totp.SHA256, Period: time.Minute}
						c.Notify = notify
						c.Namespace = fmt.Sprint(n)
					})
					u := w.enroll(fmt.Sprint("user-", n))
					w.advance(time.Minute)
					n++
					for range 5 {
						want(t, u.answer(u.wrong()), enrollment.ReasonWrongCode)
					}
					want(t, u.answer(u.code()), enrollment.ReasonLocked)
				}
			}
		}
	}
}

// TestCase17_WaitsGrow: the wait was the same after every cycle.
func TestCase17_WaitsGrow(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	for range 4 {
		want(t, u.answer(u.wrong()), enrollment.ReasonWrongCode)
	}
	wait := time.Minute
	for i := range 12 {
		want(t, u.answer(u.wrong()), enrollment.ReasonWrongCode)
		until := w.lockedUntil("alice", enrollment.FactorTOTP)
		if got := until.Sub(w.now()); got != wait {
			t.Fatalf("cycle %d: wait of %v, want %v", i+1, got, wait)
		}
		w.advance(wait)
		wait = min(2*wait, 24*time.Hour)
	}
}

// TestCase39_LockAsWeapon: attempts while locked extended the lock, and
// strangers could lock anybody.
func TestCase39_LockAsWeapon(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	w.unchanged("alice", func() { // a stranger has no challenge
		for _, challenge := range []string{"", "x", u.id, "AAAA", u.challenge()[1:], u.done.Receipt} {
			_, err := w.guard.Answer(t.Context(), enrollment.PurposeSignIn, challenge, u.wrong())
			want(t, err, enrollment.ReasonChallengeInvalid)
		}
	})
	for range 5 {
		want(t, u.answer(u.wrong()), enrollment.ReasonWrongCode)
	}
	end := w.lockedUntil("alice", enrollment.FactorTOTP)
	w.unchanged("alice", func() {
		for range 1000 {
			w.advance(59 * time.Millisecond)
			if err := u.answer(u.wrong()); reason(err) != enrollment.ReasonLocked {
				t.Fatal(err)
			}
		}
	})
	if got := w.lockedUntil("alice", enrollment.FactorTOTP); !got.Equal(end) {
		t.Errorf("the lock ends at %v, it was %v", got, end)
	}
	// The owner gets in with a recovery code meanwhile, and the lock is gone.
	want(t, u.answer(u.codes[0]), "")
	want(t, u.answer(u.code()), "")
}

// TestCase46_SuccessClearsFailures: failures were not cleared by a success
// (photostorm).
func TestCase46_SuccessClearsFailures(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	failures := 0
	for range 20 {
		for range 4 {
			err := u.answer(u.wrong())
			if reason(err) == enrollment.ReasonLocked {
				break
			}
			want(t, err, enrollment.ReasonWrongCode)
			failures++
		}
		w.advance(30 * time.Second)
		if failures < 29 {
			want(t, u.answer(u.code()), "")
		}
	}
	if failures != 30 {
		t.Errorf("the budget let %d failures through, want 30", failures)
	}
}

// TestCase48_HangUp: hanging up made a guess free.
func TestCase48_HangUp(t *testing.T, open Open) {
	s := &hooked{Store: open(t)}
	w := newWorld(t, s)
	u := w.enroll("alice")
	for range 100 {
		challenge, c := u.challenge(), u.wrong()
		ctx, cancel := context.WithCancel(t.Context())
		s.save = func(ctx context.Context, rec store.Record, prev int64) error {
			cancel() // the caller hangs up now, the code has been evaluated
			return s.Store.Save(ctx, rec, prev)
		}
		_, err := w.guard.Answer(ctx, enrollment.PurposeSignIn, challenge, c)
		want(t, err, enrollment.ReasonWrongCode)
		s.save = nil
		w.advance(48 * time.Hour)
	}
	want(t, u.answer(u.code()), enrollment.ReasonFactorDisabled)
}
