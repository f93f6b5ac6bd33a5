package account_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A siege is an account with some authenticators, somebody who guesses at it,
// and its owner, who signs in with the app whenever that is possible.
type siege struct {
	*world
	keys  []totp.Key
	wrong int // guesses that were evaluated
	units int // and what they were worth
	seeds byte
}

func newSiege(t *testing.T, authenticators int) *siege {
	s := &siege{world: newWorld(t)}
	for range authenticators {
		s.add()
	}
	return s
}

func (s *siege) add() {
	s.t.Helper()
	s.seeds++
	s.keys = append(s.keys, s.enroll(60+20*s.seeds))
}

func (s *siege) drop() {
	s.t.Helper()
	mustReason(s.t, s.a.Remove(s.moment(), s.a.Authenticators()[0].ID, s.by(account.TOTP)), "")
	s.keys = s.keys[1:]
}

// guess makes one guess and returns why it was refused.
func (s *siege) guess() (r account.Reason, wait time.Duration) {
	s.t.Helper()
	err := s.check(s.world.wrong())
	if r = reason(err); r == account.WrongCode {
		s.wrong++
		s.units += len(s.keys)
	}
	if at := retryAt(err); !at.IsZero() {
		wait = at.Sub(s.now)
	}
	s.reload()
	return r, wait
}

// owner signs in a minute later, and reports whether that was possible.
func (s *siege) owner() bool {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	err := s.check(code(s.t, s.keys[len(s.keys)-1], s.now))
	s.reload()
	return err == nil
}

// exhaust guesses, beside an owner who signs in, until less than a unit is left.
func (s *siege) exhaust() {
	s.t.Helper()
	for range 100 {
		if _, wait := s.guess(); wait > time.Hour {
			return
		}
		s.owner()
	}
	s.t.Fatal("the budget is not exhausted")
}

// left counts the guesses that are evaluated one after another.
func (s *siege) left() (n int) {
	s.t.Helper()
	for n < 20 {
		if r, _ := s.guess(); r != account.WrongCode {
			break
		}
		n++
	}
	return n
}

// TestCase78_LocksOfSeveralAuthenticators: what is promised about waits, and
// about what leaves guesses, holds for one, two and three authenticators.
func TestCase78_LocksOfSeveralAuthenticators(t *testing.T) {
	t.Parallel()
	histories := map[string]func(s *siege){
		"nobody has guessed":  func(*siege) {},
		"one guess":           func(s *siege) { s.guess() },
		"four in a row":       func(s *siege) { s.guess(); s.guess(); s.guess(); s.guess() },
		"five in a row":       func(s *siege) { s.left() },
		"the budget is spent": func(s *siege) { s.exhaust() },
		"a unit is left": func(s *siege) {
			s.exhaust()
			s.now = s.now.Add(day)
		},
		"a unit is left, and the owner has signed in": func(s *siege) {
			s.exhaust()
			s.now = s.now.Add(day)
			if !s.owner() {
				t.Fatal("the owner can't sign in")
			}
		},
		"a week of guesses": func(s *siege) {
			s.exhaust()
			for range 7 {
				s.now = s.now.Add(day)
				s.guess()
			}
		},
		"guessed at until nothing helps": func(s *siege) {
			for range 120 {
				s.guess()
				s.now = s.now.Add(day)
			}
		},
	}
	leaves := map[string]func(s *siege){
		"recovery": func(s *siege) { mustReason(t, s.recover(80, 0), "") },
		"unlock":   func(s *siege) { mustReason(t, s.a.Unlock(s.moment(), root), "") },
		"disable": func(s *siege) {
			mustReason(t, s.a.Disable(s.moment(), s.by(account.Recovery)), "")
			s.keys, s.now = nil, s.now.Add(time.Minute)
			s.add()
		},
		"reset and import": func(s *siege) {
			mustReason(t, s.a.Reset(s.moment(), root, account.TicketHash{}), "")
			var list []account.Authenticator
			for i, k := range s.keys {
				list = append(list, imported(k, byte(i+1)))
			}
			must(t, s.a.Import(s.moment(), list, nil, true, root))
		},
	}
	changes := map[string]func(s *siege){
		"adding": func(s *siege) {
			if len(s.keys) < account.MaxAuthenticators {
				s.add()
			}
		},
		"replacing": func(s *siege) {
			id := s.begin(200, s.a.Authenticators()[0].ID)
			if _, err := s.a.Confirm(s.moment(), id, code(t, key(t, 200), s.now)); err != nil {
				t.Fatal(err)
			}
			s.keys = append(s.keys[1:], key(t, 200))
		},
		"removing": func(s *siege) {
			if len(s.keys) > 1 {
				s.drop()
			}
		},
	}
	for n := 1; n <= account.MaxAuthenticators; n++ {
		for history, happens := range histories {
			each := func(what string, check func(t *testing.T, s *siege)) {
				t.Run(fmt.Sprintf("%d, %s, %s", n, history, what), func(t *testing.T) {
					s := newSiege(t, n)
					happens(s)
					check(t, s)
				})
			}
			each("no wait is longer than a day", func(t *testing.T, s *siege) {
				for range 200 {
					r, wait := s.guess()
					if wait > day {
						t.Fatalf("guess %d: %q, wait for %v", s.wrong, r, wait)
					}
					s.now = s.now.Add(wait)
				}
			})
			for by, leave := range leaves {
				each(by+" leaves five guesses", func(t *testing.T, s *siege) {
					leave(s)
					s.reload()
					if got := s.left(); got != 5 {
						t.Errorf("%d guesses", got)
					}
				})
			}
			for by, change := range changes {
				each(by+" does not lock", func(t *testing.T, s *siege) {
					before, was := s.a.LockedUntil(account.TOTP, s.now)
					change(s)
					if after, is := s.a.LockedUntil(account.TOTP, s.now); is && (!was || after.After(before)) {
						t.Errorf("locked until %v, before %t until %v", after.Sub(s.now), was, before.Sub(s.now))
					}
				})
			}
		}
	}
}

// TestYearOfGuessing counts what somebody who has the password can evaluate in a
// year, beside an owner who signs in whenever that is possible, so that no run
// of failures is long. A unit is worth 3 in a million: three codes of six digits
// are right at a time, for each authenticator.
func TestYearOfGuessing(t *testing.T) {
	t.Parallel()
	const year = 365 * day
	tests := []struct {
		name           string
		authenticators int
		most           time.Duration // the debt that the attacker stays below; 0 for any
		recoveries     int           // how often the owner uses a recovery code once nothing else helps
		monthly        func(s *siege, month int)
		guesses, units int
		disabled       bool
	}{
		{name: "one, greedy", authenticators: 1, guesses: 394, units: 394},
		{name: "two, greedy", authenticators: 2, guesses: 46, units: 92, disabled: true},
		{name: "three, greedy", authenticators: 3, guesses: 26, units: 78, disabled: true},
		{name: "three, greedy, recovered ten times", authenticators: 3, recoveries: 10, guesses: 226, units: 678, disabled: true},
		{name: "two, patient", authenticators: 2, most: 60 * day, guesses: 212, units: 424},
		{name: "three, patient", authenticators: 3, most: 60 * day, guesses: 141, units: 423},
		{name: "coming and going, patient", authenticators: 1, most: 60 * day, guesses: 259, units: 424, monthly: func(s *siege, month int) {
			if month%4 < 2 {
				s.add()
			} else {
				s.drop()
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSiege(t, tt.authenticators)
			begun, debt, since := s.now, time.Duration(0), s.now
			month, recovered, disabled := 0, 0, false
			for s.now.Sub(begun) < year && !disabled {
				if s.now.Sub(begun) > time.Duration(month+1)*30*day && tt.monthly != nil && s.owner() {
					tt.monthly(s, month)
					month++
				}
				cost := time.Duration(len(s.keys)) * day
				level := max(0, debt-s.now.Sub(since))
				if tt.most > 0 && level+cost >= tt.most {
					s.now = s.now.Add(time.Hour)
					s.owner()
					continue
				}
				switch r, wait := s.guess(); {
				case r == account.FactorDisabled && recovered < tt.recoveries:
					mustReason(t, s.recover(80, recovered), "")
					recovered++
				case r == account.FactorDisabled:
					disabled = true
				case wait > day:
					t.Fatalf("a wait of %v", wait)
				case r == account.Locked:
					s.now = s.now.Add(wait)
				default:
					debt, since = level+cost, s.now
				}
				s.owner()
			}
			t.Logf("%d guesses, %d units, a chance of %.3f %%", s.wrong, s.units, 100*-math.Expm1(float64(s.units)*math.Log1p(-3e-6)))
			if s.units > 63+365+recovered*(63-17) || s.wrong != tt.guesses || s.units != tt.units || disabled != tt.disabled {
				t.Errorf("%d guesses worth %d units, disabled: %t", s.wrong, s.units, disabled)
			}
		})
	}
}
