package model

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

func (th *modelThrottle) clampFuture(now time.Time) bool {
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
	offUnits       int // units spent that disable; 0 for never
}

var (
	modelShort  = modelPolicy{first: time.Minute, longest: modelDay, budget: 30, off: 100, offUnits: 60} // codes of apps and messages
	modelLong   = modelPolicy{first: 15 * time.Second, longest: time.Minute}                             // our recovery codes
	modelOthers = modelPolicy{first: 15 * time.Second, longest: time.Minute, budget: 30}                 // those of another system
)

// opens returns when a guess is evaluated again: by the budget within a day,
// however much is spent.
func (th *modelThrottle) opens(p modelPolicy) time.Time {
	var at time.Time
	if th.failures >= 5 {
		wait := p.first
		for range min(th.failures-5, 20) {
			wait = min(2*wait, p.longest)
		}
		at = th.mark.Add(wait)
	}
	if th.broke(p) {
		at = modelLater(at, th.mark.Add(min(modelDay, th.full.Sub(th.mark)-modelUnits(p.budget-1))))
	}
	return at
}

func modelUnits(n int) time.Duration { return time.Duration(n) * modelDay }

// broke reports whether, as of the last failure, not one unit of the budget is
// left.
func (th *modelThrottle) broke(p modelPolicy) bool {
	return p.budget > 0 && th.full.Sub(th.mark) > modelUnits(p.budget-1)
}

// off reports whether waiting does not help any more.
func (th *modelThrottle) off(p modelPolicy) bool {
	return p.off > 0 && th.failures >= p.off || p.offUnits > 0 && th.full.Sub(th.mark) >= modelUnits(p.offUnits)
}

// short reports whether there are not five guesses of that cost at hand.
func (th *modelThrottle) short(p modelPolicy, cost int, now time.Time) bool {
	return th.failures > 0 || th.off(p) || p.budget > 0 && th.full.Sub(modelLater(th.mark, now)) > modelUnits(29-4*cost)
}

func (th *modelThrottle) refuses(p modelPolicy, now time.Time) *modelNo {
	switch at := th.opens(p); {
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

// forgive ends the run of failures and leaves five guesses of that cost at
// least: the last may spend what is not there.
func (th *modelThrottle) forgive(cost int, now time.Time) {
	th.failures = 0
	th.mark = modelLater(th.mark, now)
	if most := th.mark.Add(modelUnits(29 - 4*cost)); th.full.After(most) {
		th.full = most
	}
}
