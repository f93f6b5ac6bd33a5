package account

import (
	"encoding/binary"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A Throttle holds back guessing at one factor of one account. It keeps only
// instants that have passed; when the next attempt is due follows from them,
// so that attempts made while waiting change nothing.
//
// NIST SP 800-63B-4, section 3.2.2, asks for at most 100 consecutive failures.
// The budget is stricter than that in the long run: successes of the owner do
// not refill it.
type Throttle struct {
	Failures int           // consecutive failures
	Mark     time.Time     // when the last failure was counted; never moves back
	Debt     time.Duration // what the budget had spent at Mark, as the time it takes to refill
}

// policy is how one factor is throttled. The rule about the budget:
//
//   - A failure costs one unit for each secret that it was held against: for app
//     codes, one for each authenticator of the account. Each unit is worth the
//     same to an attacker, so the units spent bound the chance, however many
//     authenticators there are and whenever they come and go.
//   - One unit a day comes back. A success gives nothing back, and neither does
//     adding or removing an authenticator.
//   - While a whole unit is left, a guess is evaluated, whatever it costs. What
//     holds back the next guess therefore does not depend on the number of
//     authenticators, and adding one can't lock its owner out.
//   - While less than a unit is left, one guess a day is evaluated. So no wait is
//     longer than a day. With several authenticators that guess costs more than
//     the day brings back, so that the debt of an account under siege grows.
//   - At disableDebt the factor is disabled, until a recovery or an
//     administrator. This replaces longer waits: an owner is never asked to wait
//     for days, and an attacker gets at most disableDebt, the price of the last
//     guess and one unit a day.
type policy struct {
	free        int           // failures before the first wait
	first       time.Duration // the first wait; doubles with each failure
	ceiling     time.Duration // the longest wait
	disableAt   int           // consecutive failures that disable the factor; 0 for never
	budget      int           // units that failures may spend at once; 0 for no budget
	disableDebt int           // units of debt that disable the factor; 0 for never
}

// refill is the time in which one unit of a budget comes back, and the longest
// wait for one.
const refill = 24 * time.Hour

// leftGuesses is how many guesses a recovery leaves at least.
const leftGuesses = 5

var (
	// Six digits and three steps give an attacker 3·10⁻⁶ a unit. With 365 units
	// a year, and 30 for one authenticator or 62 for three, that makes 0.12 or
	// 0.13 % a year, whatever the owner does. Each recovery adds what it
	// forgives: 5 guesses, and with several authenticators the debt beyond the
	// budget.
	totpPolicy = policy{free: 5, first: time.Minute, ceiling: 24 * time.Hour, disableAt: 100, budget: 30, disableDebt: 60}

	// Recovery codes carry 80 bits. Here the wait protects the processor, and
	// stays short so that a thief of the password can't lock the owner out.
	recoveryPolicy = policy{free: 5, first: 15 * time.Second, ceiling: time.Minute}

	// What codes of another system carry is not known. A budget keeps guessing
	// at eight digits below one in ten thousand a year. A new set of codes starts
	// with a fresh throttle, so without imported codes there is no debt, and
	// whether the codes are locked is the same under both policies.
	importedPolicy = policy{free: 5, first: 15 * time.Second, ceiling: time.Minute, budget: 30}
)

// wait returns how long to wait after that many consecutive failures.
func (p policy) wait(failures int) time.Duration {
	if failures < p.free {
		return 0
	}
	w := p.first
	for range failures - p.free {
		if w *= 2; w >= p.ceiling {
			return p.ceiling
		}
	}
	return w
}

// full is the debt above which less than a unit is left.
func (p policy) full() time.Duration { return time.Duration(p.budget-1) * refill }

// kept is the highest debt that leaves leftGuesses guesses of that cost.
func (p policy) kept(cost int) time.Duration {
	return p.full() - time.Duration((leftGuesses-1)*cost)*refill
}

// until returns the instant from which an attempt may be evaluated; the zero
// time if nothing holds it back.
func (t Throttle) until(p policy) time.Time {
	var until time.Time
	if w := p.wait(t.Failures); w > 0 {
		until = t.Mark.Add(w)
	}
	if t.exhausted(p) {
		until = later(until, t.Mark.Add(min(refill, t.Debt-p.full())))
	}
	return until
}

// exhausted reports whether the last failure has left less than a unit of the
// budget.
func (t Throttle) exhausted(p policy) bool { return p.budget > 0 && t.Debt > p.full() }

// disabled reports whether no attempt is evaluated, however long one waits.
func (t Throttle) disabled(p policy) bool {
	return p.disableAt > 0 && t.Failures >= p.disableAt ||
		p.disableDebt > 0 && t.Debt >= time.Duration(p.disableDebt)*refill
}

// blocked returns the refusal that holds back an attempt now, or nil. It
// changes nothing.
func (t Throttle) blocked(p policy, now time.Time) error {
	if t.disabled(p) {
		return refuse(FactorDisabled)
	}
	if until := t.until(p); now.Before(until) {
		return &Refusal{Reason: Locked, RetryAt: until}
	}
	return nil
}

// level returns what the budget has spent at now.
func (t Throttle) level(now time.Time) time.Duration {
	elapsed := max(0, now.Sub(t.Mark))
	return max(0, t.Debt-elapsed)
}

// fail counts a failure that costs cost units.
func (t *Throttle) fail(p policy, now time.Time, cost int) {
	if t.Failures < maxFailures {
		t.Failures++
	}
	if p.budget > 0 {
		t.Debt = t.level(now) + time.Duration(cost)*refill
	}
	t.Mark = later(t.Mark, now)
}

// succeed ends a run of failures. The budget stays as it is.
func (t *Throttle) succeed() { t.Failures = 0 }

// outlast ends a run of failures, as three consecutive codes do, and takes nothing
// back from what the budget has spent. A factor that was disabled for its debt is
// enabled once enough of that has come back; then less than a unit is left, and a
// guess waits for a day.
func (t *Throttle) outlast(p policy, now time.Time) {
	t.Failures = 0
	if t.disabled(p) {
		t.Debt, t.Mark = t.level(now), later(t.Mark, now)
	}
}

// few reports whether fewer guesses of that cost can be made at once than
// leaveGuesses leaves.
func (t Throttle) few(p policy, now time.Time, cost int) bool {
	return t.Failures > 0 || p.budget > 0 && t.level(now) > p.kept(cost)
}

// leaveGuesses ends a run of failures and leaves some guesses of that cost in
// the budget: what a proof by another factor, or a new secret, is worth.
func (t *Throttle) leaveGuesses(p policy, now time.Time, cost int) {
	t.Failures = 0
	if p.budget > 0 {
		t.Debt = min(t.level(now), p.kept(cost))
		t.Mark = later(t.Mark, now)
	}
}

func (t *Throttle) clampFuture(now time.Time) (changed bool) {
	t.Mark, changed = clampFuture(t.Mark, now)
	return changed
}

// fail counts a failure, records the lock that begins with it, and returns the
// refusal that says so.
func (a *Account) fail(m Moment, t *Throttle, p policy, f Factor, cost int) error {
	t.fail(p, m.Now, cost)
	a.changed, a.counted = true, true
	refusal := &Refusal{Reason: WrongCode}
	disabled := t.disabled(p)
	if until := t.until(p); m.Now.Before(until) && !disabled {
		refusal.RetryAt = until
	}
	var err error
	switch {
	case disabled:
		err = a.record(m, Event{Kind: EventFactorDisabled, Factor: f})
	case t.Failures == p.free, t.exhausted(p):
		err = a.record(m, Event{Kind: EventLocked, Factor: f})
	}
	if err != nil {
		return err
	}
	return refusal
}

// leaveGuesses ends the waits of app codes and delivered codes, and leaves some
// guesses in their budgets.
func (a *Account) leaveGuesses(now time.Time) {
	a.totp.leaveGuesses(totpPolicy, now, a.guessCost())
	if !a.delivery.isZero() {
		a.delivery.throttle.leaveGuesses(totpPolicy, now, 1)
	}
}

// guessCost is what a wrong app code costs: a unit for each authenticator that
// it is held against.
func (a *Account) guessCost() int { return max(1, len(a.authenticators)) }

// LockedUntil reports whether codes of the factor are not evaluated now, and
// until when; the zero time if waiting does not end it.
func (a *Account) LockedUntil(f Factor, now time.Time) (until time.Time, locked bool) {
	var err error
	switch {
	case f == Delivered: // without an address too: it holds back binding one
		err = a.delivery.throttle.blocked(totpPolicy, now)
	case !a.enrolled():
	case f == TOTP && len(a.authenticators) > 0:
		err = a.totp.blocked(totpPolicy, now)
	case f == Recovery: // without imported codes there is no debt
		err = a.recovery.blocked(importedPolicy, now)
	}
	if r := refusalIn(err); r != nil {
		return r.RetryAt, true
	}
	return time.Time{}, false
}

// fewGuesses reports whether codes of a factor are locked, or will be before
// leftGuesses more wrong ones. The address counts without one being bound: what
// holds it back holds back binding one. So do apps without one being there: what holds
// them back holds back setting up a hardware token.
func (a *Account) fewGuesses(now time.Time) bool {
	return a.delivery.throttle.few(totpPolicy, now, 1) ||
		a.enrolled() && a.recovery.few(importedPolicy, now, 1) ||
		a.totp.few(totpPolicy, now, a.guessCost())
}

func putThrottle(w *fieldWriter, tag uint8, t Throttle) {
	if t == (Throttle{}) {
		return
	}
	w.put(tag, func(b []byte) ([]byte, error) {
		b = binary.BigEndian.AppendUint16(b, uint16(t.Failures))
		b = appendInt(b, micros(t.Mark))
		return appendInt(b, int64(t.Debt/time.Microsecond)), nil
	})
}

func readThrottle(in cryptobyte.String) (Throttle, error) {
	var failures uint16
	var mark, debt int64
	if !in.ReadUint16(&failures) || !readInt(&in, &mark) || !readInt(&in, &debt) || !in.Empty() ||
		debt < 0 || debt > int64(maxDebt/time.Microsecond) {
		return Throttle{}, ErrDamaged
	}
	return Throttle{Failures: int(failures), Mark: fromMicros(mark), Debt: time.Duration(debt) * time.Microsecond}, nil
}
