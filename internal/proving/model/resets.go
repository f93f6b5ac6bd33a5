package model

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Resets that a user asks for: the rules, and the operations of the driver.

// A modelReset is a request. Of one that is closed, asked stays.
type modelReset struct {
	asked, matures, next time.Time
	auto, open, told     bool
}

func (x *modelReset) close() { *x = modelReset{asked: x.asked} }

// clampFuture begins the wait anew if a broken clock has put its beginning ahead, and
// brings back a reminder that lies further ahead than any.
func (x *modelReset) clampFuture(now time.Time, dirty *bool) {
	switch {
	case modelFuture(x.asked, now) && x.open:
		x.restart(now)
	case modelFuture(x.asked, now):
		x.asked = now
	case x.open && modelFuture(x.next.Add(-modelDay), now):
		x.next, x.told = now, x.told && !now.Before(x.matures)
	default:
		return
	}
	*dirty = true
}

// restart begins the wait anew.
func (x *modelReset) restart(now time.Time) {
	*x = modelReset{asked: now, matures: now.Add(x.matures.Sub(x.asked)), next: now, auto: x.auto, open: true}
}

// heard begins the wait anew if the owner hears of the request only now, more
// than an hour after.
func (x *modelReset) heard(now time.Time) bool {
	if !x.open || now.Sub(x.asked) <= time.Hour {
		return false
	}
	x.restart(now)
	if x.next = now.Add(modelDay); x.matures.Before(x.next) {
		x.next = x.matures
	}
	return true
}

// cancelReset closes an open request, in the name of the owner.
func (a *modelAccount) cancelReset(f enrollment.Factor, now time.Time) bool {
	if !a.reset.open {
		return false
	}
	a.reset.close()
	a.record(now, enrollment.Event{Kind: enrollment.EventResetCancelled, Factor: f})
	return true
}

func (r *modelRun) requestReset(u *modelUser) {
	if !r.notify {
		return
	}
	if c, ok := r.challenge(u); ok {
		r.requestResetWith(u, c)
	} else {
		r.signIn(u)
	}
}

func (r *modelRun) requestResetWith(u *modelUser, c modelToken) {
	u = r.owner(u, c)
	var got enrollment.ResetRequest
	r.do(u, fmt.Sprintf("RequestReset with challenge %d", c.number), func(a *modelAccount, _ int) *modelNo {
		if no := r.glanceChallenge(c, enrollment.PurposeSignIn); no != nil {
			return no
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		if !r.now().Before(c.issued.Add(10 * time.Minute)) { // whatever message was sent for it since
			return modelDeny(enrollment.ReasonChallengeExpired)
		}
		at := a.reset.asked.Add(modelDay)
		switch {
		case a.reset.open:
			return nil
		case !a.reset.asked.IsZero() && r.now().Before(at):
			return &modelNo{reason: enrollment.ReasonTooManyResets, retry: at}
		}
		wait := r.config.ResetWait
		if wait == 0 {
			wait = 3 * modelDay
		}
		a.reset = modelReset{asked: r.now(), matures: r.now().Add(wait), next: r.now().Add(min(wait, modelDay)), auto: r.config.AutoReset, open: true}
		a.record(r.now(), enrollment.Event{Kind: enrollment.EventResetRequested})
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.resets.Open(ctx, enrollment.ChallengeOf(c.text))
		return err
	}, func(a *modelAccount) {
		if !got.Asked.Equal(a.reset.asked) || !got.Matures.Equal(a.reset.matures) {
			r.fatalf("the request is %+v, want %+v", got, a.reset)
		}
	})
}

func (r *modelRun) cancelReset(u *modelUser) {
	if !r.notify {
		return
	}
	r.do(u, "CancelReset", func(a *modelAccount, _ int) *modelNo {
		if !a.cancelReset("", r.now()) {
			return modelDeny(enrollment.ReasonNoReset)
		}
		return nil
	}, func(ctx context.Context) error { return r.resets.Cancel(ctx, u.name) }, nil)
}

// overdue asks for a reset and lets the days go by.
func (r *modelRun) overdue(u *modelUser) {
	if !r.notify || !u.account.enrolled() {
		return
	}
	before := len(r.challenges)
	r.signInWith(u, enrollment.SignInOptions{})
	if len(r.challenges) == before {
		return
	}
	r.requestResetWith(u, r.challenges[before])
	if u.account.waits(enrollment.EventResetRequested) && r.chance(2) {
		// As late as the owner may hear of it, or later than that.
		r.until(u.account.reset.asked.Add(time.Hour + time.Microsecond*time.Duration(r.rng.IntN(3)-1)))
		r.sweep()
	}
	for range 1 + r.rng.IntN(6) {
		switch n := r.rng.IntN(10); {
		case n < 5:
			r.real = r.real.Add(modelDay - time.Duration(r.rng.IntN(3))*time.Hour)
		case n < 7:
			r.until(u.account.reset.next.Add(-time.Microsecond * time.Duration(r.rng.IntN(2))))
		default:
			r.step()
		}
		r.sweep()
		if r.chance(5) {
			r.requestReset(u)
		}
	}
	if at := u.account.reset.matures; u.account.reset.open && r.chance(2) {
		r.until(at.Add(-time.Microsecond * time.Duration(r.rng.IntN(2))))
		if r.chance(6) {
			r.real = r.real.Add(30 * modelDay)
		}
	}
	switch r.rng.IntN(5) {
	case 0:
		r.cancelReset(u)
	case 1:
		r.refuseReset(u)
	case 2:
		r.answer(u)
	default:
		r.adminResetWith(u, r.chance(3), true)
	}
}
