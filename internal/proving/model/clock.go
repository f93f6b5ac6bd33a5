package model

import (
	"slices"
	"time"
)

// A modelBack says which used steps were given back, because a broken clock had
// stored them far ahead.
type modelBack struct {
	apps []int // whose steps
	gone bool  // those of authenticators that are gone
}

// clampFuture sets what a broken clock stored more than a day ahead to now.
func (a *modelAccount) clampFuture(now time.Time, turn int) (back modelBack) {
	if !a.stored {
		return back
	}
	fix := func(at *time.Time) {
		if modelFuture(*at, now) {
			*at, a.dirty = now, true
		}
	}
	a.dirty = a.totp.clampFuture(now) || a.dirty
	a.dirty = a.recovery.clampFuture(now) || a.dirty
	for i := range a.apps {
		x := &a.apps[i]
		fix(&x.near.last)
		if x.last == 0 {
			continue // never used; nothing to repair
		}
		if modelFuture(time.Unix(x.last*modelPeriod, 0), now) {
			x.last, a.dirty = max(0, modelStep(now)+max(0, x.offset)+1), true // the window reaches one further
			back.apps = append(back.apps, i)
		}
		fix(&x.used)
	}
	if s := a.setup; s != nil {
		// A setup may last for a day by itself.
		if s.expires.Sub(now) > 2*modelDay {
			s.expires, a.dirty = now, true
		}
		a.dirty = s.throttle.clampFuture(now) || a.dirty
	}
	fix(&a.setsSince)
	// What was spent ahead of the time must not be open when that comes.
	future := func(s modelSpent) bool { return modelFuture(s.issued, now) }
	if a.floor.Sub(now) > 2*time.Minute || slices.ContainsFunc(a.spent, future) {
		a.turn(turn)
		a.lost = nil
		a.dirty = true
	}
	if a.lastUsed != 0 && a.lastUsed > now.Add(modelDay).Unix() {
		a.lastUsed, a.dirty, back.gone = now.Unix(), true, true
	}
	a.clampMessages(now)
	a.reset.clampFuture(now, &a.dirty)
	a.dirty = a.setUp.clampFuture(now) || a.dirty
	a.dirty = a.renewed.clampFuture(now) || a.dirty
	a.clampAlert(now)
	if modelFuture(a.bypassFrom, now) { // what was to last for a day can't be told any more: it is over
		a.endBypass()
		a.dirty = true
	}
	a.clampDevices(now)
	return back
}

// turn voids what was handed out or begun before.
func (a *modelAccount) turn(turn int) {
	a.epoch, a.setup, a.spent, a.floor = turn, nil, nil, time.Time{}
	a.lost = append(a.lost, a.devices...)
	a.devices, a.waiting = nil, nil
}

// tidy takes away what has expired. Alone it is no reason to write.
func (a *modelAccount) tidy(now time.Time) {
	if a.setup != nil && !now.Before(a.setup.expires) {
		a.setup, a.expired = nil, true
	}
	for _, s := range a.spent {
		if !now.Before(s.expires) {
			a.floor = modelLater(a.floor, s.issued)
		}
	}
	a.spent = slices.DeleteFunc(a.spent, func(s modelSpent) bool { return !now.Before(s.expires) })
	for i := range a.apps {
		a.apps[i].near.tidy(now)
	}
	if a.waiting != nil && !now.Before(a.waiting.expires) {
		a.waiting = nil
	}
	a.setUp.tidy(now)
	a.renewed.tidy(now)
	if a.reset.open && !now.Before(a.reset.matures.Add(30*modelDay)) {
		a.reset.close()
		a.lapsed = true
	}
	if a.enrolled() && !now.Before(a.bypassUntil) {
		a.bypassFrom, a.bypassUntil = time.Time{}, time.Time{}
	}
}
