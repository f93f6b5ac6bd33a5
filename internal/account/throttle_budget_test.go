package account_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

func TestFailuresLockForLongerAndLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	want := []time.Duration{
		0, 0, 0, 0,
		1 * time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute,
		32 * time.Minute, 64 * time.Minute, 128 * time.Minute, 256 * time.Minute, 512 * time.Minute,
		1024 * time.Minute, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	}
	for i, wait := range want {
		err := w.check(w.wrong())
		mustReason(t, err, account.WrongCode)
		w.reload()
		if wait == 0 {
			if !retryAt(err).IsZero() {
				t.Fatalf("failure %d: wait until %v, want none", i+1, retryAt(err))
			}
			continue
		}
		until := w.now.Add(wait)
		if !retryAt(err).Equal(until) {
			t.Fatalf("failure %d: wait of %v, want %v", i+1, retryAt(err).Sub(w.now), wait)
		}
		// The last moment of the wait still refuses the right code, and does
		// not change anything.
		w.now = until.Add(-time.Microsecond)
		err = w.check(code(t, k, w.now))
		mustReason(t, err, account.Locked)
		if !retryAt(err).Equal(until) || w.a.Changed() {
			t.Fatalf("failure %d: an attempt while locked moved the end to %v or changed the account", i+1, retryAt(err))
		}
		w.now = until
	}
	mustReason(t, w.check(code(t, k, w.now)), "")
	for range 4 {
		mustReason(t, w.check(w.wrong()), account.WrongCode)
	}
	w.now = w.now.Add(time.Minute)
	mustReason(t, w.check(code(t, k, w.now)), "")
}

// One failure a day never empties the budget, two a day do: 30 + 30 in a month.
func TestBudgetIsNotRefilledBySuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	failures := 0
	for range 20 { // 4 wrong, then right, every half minute: never locked by the run
		for range 4 {
			err := w.check(w.wrong())
			if reason(err) == account.Locked {
				break
			}
			mustReason(t, err, account.WrongCode)
			failures++
		}
		w.now = w.now.Add(time.Minute)
		if reason(w.check(code(t, k, w.now))) == account.Locked {
			break
		}
		w.reload()
	}
	if failures != 30 {
		t.Fatalf("%d failures were evaluated, want 30", failures)
	}
	err := w.check(code(t, k, w.now))
	mustReason(t, err, account.Locked)
	if wait := retryAt(err).Sub(w.now); wait > 24*time.Hour || wait < 23*time.Hour {
		t.Errorf("the budget has room in %v, want a day at most", wait)
	}
	w.now = retryAt(err)
	mustReason(t, w.check(w.wrong()), account.WrongCode)
	w.now = w.now.Add(time.Hour)
	mustReason(t, w.check(code(t, k, w.now)), account.Locked)
}

// A guess against three authenticators is worth three.
func TestBudgetCountsAuthenticators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	w.enroll(41)
	k := w.enroll(81)
	failures := 0
	for range 10 {
		for range 4 {
			if reason(w.check(w.wrong())) == account.WrongCode {
				failures++
			}
		}
		w.now = w.now.Add(time.Minute)
		_ = w.check(code(t, k, w.now))
	}
	if failures != 10 {
		t.Errorf("%d failures were evaluated, want 10 of 3 units each", failures)
	}
}

func TestHundredFailuresDisableTheFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	for i := range 100 {
		err := w.check(w.wrong())
		mustReason(t, err, account.WrongCode)
		w.reload()
		if i < 99 {
			w.now = w.now.Add(48 * time.Hour)
		}
	}
	w.now = w.now.Add(10 * 365 * 24 * time.Hour)
	err := w.check(code(t, k, w.now))
	mustReason(t, err, account.FactorDisabled)
	if !retryAt(err).IsZero() {
		t.Error("waiting is said to help")
	}
	mustReason(t, w.recover(1, 0), "")
	w.reload()
	mustReason(t, w.check(code(t, k, w.now)), "")
}

// Beside a hundred failures in a row, 60 units of debt disable app codes. One guess in
// a day and an hour leaves no debt behind with one authenticator, and some with more.
func TestSixtyUnitsDisableTheFactor(t *testing.T) {
	t.Parallel()
	for apps := 1; apps <= account.MaxAuthenticators; apps++ {
		w := newWorld(t)
		k := w.enroll(1)
		for i := 1; i < apps; i++ {
			w.enroll(byte(1 + 40*i))
		}
		var debt time.Duration
		for range 99 {
			if debt >= 60*day {
				break
			}
			mustReason(t, w.check(w.wrong()), account.WrongCode)
			debt += time.Duration(apps) * day
			w.now = w.now.Add(25 * time.Hour)
			if debt < 60*day {
				debt = max(0, debt-25*time.Hour)
			}
		}
		w.reload()
		if disabled := debt >= 60*day; disabled != (apps > 1) {
			t.Errorf("%d authenticators: disabled %t after %v of debt", apps, disabled, debt)
		} else if disabled {
			mustReason(t, w.check(code(t, k, w.now)), account.FactorDisabled)
			mustReason(t, w.recover(1, 0), "")
		}
		mustReason(t, w.check(code(t, k, w.now)), "")
	}
}

func TestRecoveryLeavesFiveUnits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	for range 60 { // empty the budget
		_ = w.check(w.wrong())
		w.now = w.now.Add(time.Minute)
		_ = w.check(code(t, k, w.now))
	}
	mustReason(t, w.check(w.wrong()), account.Locked)
	mustReason(t, w.recover(1, 0), "")
	failures := 0
	for range 20 {
		if reason(w.check(w.wrong())) == account.WrongCode {
			failures++
		}
		w.now = w.now.Add(time.Minute)
		_ = w.check(code(t, k, w.now))
	}
	if failures != 5 {
		t.Errorf("%d failures were evaluated after a recovery, want 5", failures)
	}
}

func TestRecoveryWaitsAreShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	for i := range 300 {
		err := w.recover(99, i%10) // codes of another set
		if reason(err) != account.WrongCode {
			// the set's derivation differs, so the digest has to be derived
			w.needs(err, account.NeedDigest)
			w.reload()
		}
		_, set := codes(t, 1)
		_, err = w.a.Check(w.derived(set, recovery.Digest{}, nil), account.Guess{Factor: account.Recovery, Scheme: recovery.Fast})
		mustReason(t, err, account.WrongCode)
		until := retryAt(err)
		if until.IsZero() {
			continue
		}
		if wait := until.Sub(w.now); wait > time.Minute {
			t.Fatalf("failure %d: wait of %v", i+1, wait)
		}
		mustReason(t, w.recover(1, 0), account.Locked)
		w.now = until
		w.reload()
	}
	mustReason(t, w.recover(1, 0), "")
}

// A year of guessing at app codes, whenever one is evaluated. Three consecutive codes
// let the owner in on every day of it. Where guesses at several authenticators have
// disabled app codes by their debt, the owner enables them again once enough units
// have come back. Not a unit is forgiven, so the chance is that of TestYearOfGuessing.
func TestYearOfThreeCodes(t *testing.T) {
	t.Parallel()
	const days = 365
	for authenticators, most := range map[int]int{1: 30 + days, 2: 62 + days, 3: 63 + days} {
		t.Run(fmt.Sprint(authenticators), func(t *testing.T) {
			t.Parallel()
			s := newSiege(t, authenticators)
			locked, disabled := 0, 0
			next := s.now // when a guess may be evaluated again
			owner := s.now.Add(12 * time.Hour)
			for range days {
				for next.Before(owner) {
					s.now = next
					r, wait := s.guess()
					if r == account.FactorDisabled {
						disabled++
						break
					}
					next = s.now.Add(wait)
				}
				s.now, owner, next = owner, owner.Add(day), later(next, owner)
				if _, is := s.a.LockedUntil(account.TOTP, s.now); is {
					locked++
				}
				if _, err := s.checkThree(three(t, s.keys[0], s.now)); err != nil {
					t.Fatalf("the owner does not get in: %v", err)
				}
			}
			chance := -math.Expm1(float64(s.units) * math.Log1p(-3e-6))
			t.Logf("%d guesses, %d units, a chance of %.3f %%; locked on %d days, disabled on %d", s.wrong, s.units, 100*chance, locked, disabled)
			if s.units > most || s.units < most-5 || (disabled > 0) != (authenticators > 1) {
				t.Errorf("%d units were spent, and %d can be; disabled on %d days", s.units, most, disabled)
			}
		})
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Recovery codes are never disabled, so their failures can outgrow the encoding.
// They stay at the largest number then: zero would give free guesses again.
func TestFailuresDoNotOverflow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	_, set := codes(t, 1)
	account.Throttles(w.a)[account.Recovery].Failures = 1<<16 - 1
	w.now = w.now.Add(time.Hour)
	_, err := w.a.Check(w.derived(set, recovery.Digest{}, nil), account.Guess{Factor: account.Recovery, Scheme: recovery.Fast})
	mustReason(t, err, account.WrongCode)
	w.reload()
	if n := account.Throttles(w.a)[account.Recovery].Failures; n != 1<<16-1 {
		t.Errorf("%d failures", n)
	}
}
