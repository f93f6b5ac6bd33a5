package model

import (
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// The owner hears that somebody had the first factor and no right code.

// A modelAlert is what was wrong, and when the owner was told.
type modelAlert struct {
	wrong     int       // not told yet
	since     time.Time // when the first of them was
	who       string    // gave the first wrong one, or the right one after it
	others    bool      // gave wrong ones, too
	right     bool      // one followed
	told      time.Time // of anything
	toldRight time.Time // of a right one
	all       int       // wrong ones since the last right one
	last      time.Time // when the last of them was
}

// due is when the owner has to be told; the zero time if there is nothing.
func (x modelAlert) due() time.Time {
	switch {
	case x.wrong == 0:
		return time.Time{}
	case x.right && x.toldRight.IsZero():
		return x.since
	case x.right:
		return modelLater(x.since, x.toldRight.Add(modelDay))
	case x.told.IsZero():
		return x.since.Add(10 * time.Minute)
	}
	return modelLater(x.since.Add(10*time.Minute), x.told.Add(modelDay))
}

// answered is one answer to a challenge that was counted as wrong, or was right.
func (a *modelAccount) answered(c modelToken, right bool, now time.Time) (all int, last time.Time) {
	x := &a.alert
	who := a.who(c.number)
	if !right {
		x.all, x.last = x.all+1, modelLater(x.last, now)
		if !a.tells {
			return 0, time.Time{}
		}
		a.spoke(who, false, now)
		if x.wrong == 0 {
			x.since, x.who = now, who
		}
		x.others = x.others || x.who != who
		x.wrong++
		a.alarm(now)
		return 0, time.Time{}
	}
	all, last = x.all, x.last
	x.all, x.last = 0, time.Time{}
	a.spoke(who, true, now)
	switch {
	case x.wrong == 0:
	case x.who == who && !x.others && !x.right && x.wrong < 3 && now.Before(x.since.Add(10*time.Minute)): // typing errors
		a.alert = modelAlert{told: x.told, toldRight: x.toldRight}
	case !x.right:
		x.right, x.who = true, who
	}
	if a.tells {
		a.alarm(now)
	}
	return all, last
}

// alarm tells the owner what is due.
func (a *modelAccount) alarm(now time.Time) {
	past := func(due time.Time) bool { return !due.IsZero() && !now.Before(due) }
	if past(a.alert.due()) || past(a.silenceDue()) && !a.alert.right {
		a.raiseWrong(now)
	}
	if past(a.silenceDue()) {
		a.raiseSilence(now)
	}
}

// raise tells the owner what there is.
func (a *modelAccount) raise(now time.Time) {
	a.raiseWrong(now)
	a.raiseSilence(now)
}

func (a *modelAccount) raiseWrong(now time.Time) {
	x := a.alert
	if x.wrong == 0 {
		return
	}
	a.alert = modelAlert{told: modelLater(x.told, now), toldRight: x.toldRight, all: x.all, last: x.last}
	e := enrollment.Event{Kind: enrollment.EventWrongCodes, WrongCodes: x.wrong}
	if x.right {
		e.Kind = enrollment.EventRightAfterWrong
		a.alert.toldRight = modelLater(x.toldRight, now)
	} else {
		a.silent, a.crowd = nil, false // told with it
	}
	a.recordFrom(x.who, now, e)
}

func (a *modelAccount) clampAlert(now time.Time) {
	x := &a.alert
	for _, at := range []*time.Time{&x.since, &x.told, &x.toldRight, &x.last} {
		if modelFuture(*at, now) {
			*at, a.dirty = now, true
		}
	}
	for i := range a.silent {
		if modelFuture(a.silent[i].since, now) {
			a.silent[i].since, a.dirty = now, true
		}
	}
}

// burgle lets somebody with the password try, beside the owner.
func (r *modelRun) burgle(u *modelUser) {
	for range 2 + r.rng.IntN(6) {
		switch r.rng.IntN(8) {
		case 0:
			r.real = r.real.Add([]time.Duration{time.Second, 5 * time.Minute, 10 * time.Minute, modelDay, 25 * time.Hour}[r.rng.IntN(5)])
		case 1:
			if due := u.account.alert.due(); !due.IsZero() {
				r.until(due.Add(time.Duration(r.rng.IntN(3)-1) * time.Microsecond))
			}
		case 2:
			r.sweep()
		case 3:
			if x, ok := modelPick(r, u.account.apps); ok { // the owner
				r.signIn(u)
				r.answerLatest(u, proving.Shown(x.key, r.now()))
				r.real = r.real.Add(30 * time.Second)
			}
		case 4:
			r.answerLatest(u, fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
		default:
			r.signIn(u)
			r.answerLatest(u, fmt.Sprintf("%06d", r.rng.IntN(1_000_000)))
		}
	}
	if r.chance(4) {
		r.disable(u)
	}
}
