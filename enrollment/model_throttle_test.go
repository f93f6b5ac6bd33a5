package enrollment_test

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// What holds back guessing, by the rules.

// A modelThrottle holds back guessing at one factor.
type modelThrottle struct {
	failures int       // in a row
	mark     time.Time // of the last failure that was counted
	full     time.Time // when the budget will be full again
}

func modelLater(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// modelFuture reports whether an instant was stored by a broken clock.
func modelFuture(at, now time.Time) bool { return at.Sub(now) > modelDay }

func (th *modelThrottle) rebase(now time.Time) bool {
	if !modelFuture(th.mark, now) {
		return false
	}
	// What is spent stays spent, counted from now.
	th.full = now.Add(th.full.Sub(th.mark))
	th.mark = now
	return true
}

// A modelPolicy is how guesses of one kind are held back. The fifth wrong one in
// a row begins the first wait, which doubles up to the longest.
type modelPolicy struct {
	first, longest time.Duration
	budget         int // units, one of which comes back each day; 0 for no budget
	off            int // wrong ones in a row that disable; 0 for never
}

var (
	modelShort  = modelPolicy{first: time.Minute, longest: modelDay, budget: 30, off: 100} // codes of apps and messages
	modelLong   = modelPolicy{first: 15 * time.Second, longest: time.Minute}               // our recovery codes
	modelOthers = modelPolicy{first: 15 * time.Second, longest: time.Minute, budget: 30}   // those of another system
)

// opens returns when a guess of that cost is evaluated again.
func (th *modelThrottle) opens(p modelPolicy, cost int) time.Time {
	var at time.Time
	if th.failures >= 5 {
		wait := p.first
		for range min(th.failures-5, 20) {
			wait = min(2*wait, p.longest)
		}
		at = th.mark.Add(wait)
	}
	if th.broke(p, cost) {
		at = modelLater(at, th.full.Add(-time.Duration(p.budget-cost)*modelDay))
	}
	return at
}

// broke reports whether the budget, as of the last failure, can't pay for
// another guess.
func (th *modelThrottle) broke(p modelPolicy, cost int) bool {
	return p.budget > 0 && th.full.Sub(th.mark) > time.Duration(p.budget-cost)*modelDay
}

// off reports whether waiting does not help any more.
func (th *modelThrottle) off(p modelPolicy) bool { return p.off > 0 && th.failures >= p.off }

func (th *modelThrottle) refuses(p modelPolicy, cost int, now time.Time) *modelNo {
	switch at := th.opens(p, cost); {
	case th.off(p):
		return &modelNo{reason: enrollment.ReasonFactorDisabled}
	case now.Before(at):
		return &modelNo{reason: enrollment.ReasonLocked, retry: at}
	}
	return nil
}

func (th *modelThrottle) fail(p modelPolicy, cost int, now time.Time) {
	th.failures++
	th.mark = modelLater(th.mark, now)
	if p.budget > 0 {
		th.full = modelLater(th.full, th.mark).Add(time.Duration(cost) * modelDay)
	}
}

// forgive ends the run of failures and leaves five units at least.
func (th *modelThrottle) forgive(now time.Time) {
	th.failures = 0
	th.mark = modelLater(th.mark, now)
	if most := th.mark.Add(25 * modelDay); th.full.After(most) {
		th.full = most
	}
}
