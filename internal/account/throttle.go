package account

import "time"

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

// policy is how one factor is throttled.
type policy struct {
	free      int           // failures before the first wait
	first     time.Duration // the first wait; doubles with each failure
	ceiling   time.Duration // the longest wait
	disableAt int           // consecutive failures that disable the factor; 0 for never
	budget    int           // units that failures may spend; 0 for no budget
}

// refill is the time in which one unit of a budget comes back.
const refill = 24 * time.Hour

// leftUnits is how many units of the budget a recovery leaves at least.
const leftUnits = 5

var (
	// Six digits and three steps give an attacker 3·10⁻⁶ a guess; 30 units and
	// one a day come to about 0.1 % a year, whatever the owner does.
	totpPolicy = policy{free: 5, first: time.Minute, ceiling: 24 * time.Hour, disableAt: 100, budget: 30}

	// Recovery codes carry 80 bits. Here the wait protects the processor, and
	// stays short so that a thief of the password can't lock the owner out.
	recoveryPolicy = policy{free: 5, first: 15 * time.Second, ceiling: time.Minute}

	// What codes of another system carry is not known. A budget keeps guessing
	// at eight digits below one in ten thousand a year.
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

// until returns the instant from which an attempt that costs cost units may be
// evaluated; the zero time if nothing holds it back.
func (t Throttle) until(p policy, cost int) time.Time {
	var until time.Time
	if w := p.wait(t.Failures); w > 0 {
		until = t.Mark.Add(w)
	}
	if t.exhausted(p, cost) {
		until = later(until, t.Mark.Add(t.Debt-time.Duration(p.budget-cost)*refill))
	}
	return until
}

// exhausted reports whether the budget can't pay for another attempt.
func (t Throttle) exhausted(p policy, cost int) bool {
	return p.budget > 0 && t.Debt > time.Duration(p.budget-cost)*refill
}

// blocked returns the refusal that holds back an attempt now, or nil. It
// changes nothing.
func (t Throttle) blocked(p policy, now time.Time, cost int) error {
	if p.disableAt > 0 && t.Failures >= p.disableAt {
		return refuse(FactorDisabled)
	}
	if until := t.until(p, cost); now.Before(until) {
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

// forgive ends a run of failures and leaves some units in the budget: what a
// proof by another factor, or a new secret, is worth.
func (t *Throttle) leaveUnits(p policy, now time.Time) {
	t.Failures = 0
	if p.budget > 0 {
		t.Debt = min(t.level(now), time.Duration(p.budget-leftUnits)*refill)
		t.Mark = later(t.Mark, now)
	}
}

func (t *Throttle) clampFuture(now time.Time) (changed bool) {
	t.Mark, changed = clampFuture(t.Mark, now)
	return changed
}
