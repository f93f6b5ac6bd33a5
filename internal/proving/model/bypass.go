package model

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// bypassed reports whether sign-in goes without a code by the word of an
// administrator.
func (a *modelAccount) bypassed(now time.Time) bool {
	return !now.Before(a.bypassFrom) && now.Before(a.bypassUntil)
}

// modelLongAgo is an end that is over by every sane clock.
var modelLongAgo = time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC)

// endBypass ends a bypass before its time. That it was there is not forgotten
// where there is no factor.
func (a *modelAccount) endBypass() {
	switch {
	case a.bypassUntil.IsZero():
	case a.enrolled():
		a.bypassFrom, a.bypassUntil = time.Time{}, time.Time{}
	default:
		a.bypassFrom, a.bypassUntil = modelLongAgo, modelLongAgo
	}
}

// mustEnroll reports whether a bypass has ended and nothing was set up since.
func (a *modelAccount) mustEnroll(now time.Time) bool {
	return !a.enrolled() && !a.bypassUntil.IsZero() && !now.Before(a.bypassUntil)
}

func (r *modelRun) bypass(u *modelUser) {
	most := r.config.MaxBypass
	if most == 0 {
		most = 24 * time.Hour
	}
	lasts := []time.Duration{time.Minute, time.Hour, most, most + time.Microsecond, 0, -time.Hour, most / 2}[r.rng.IntN(7)]
	r.bypassFor(u, lasts, most)
}

func (r *modelRun) bypassFor(u *modelUser, lasts, most time.Duration) {
	until := r.now().Add(lasts)
	r.administer(u, fmt.Sprintf("Bypass for %v", lasts), func(a *modelAccount, by modelActor, _ int) *modelNo {
		if lasts <= 0 || lasts > most {
			return modelDeny(enrollment.ReasonInvalidBypass)
		}
		a.bypassFrom, a.bypassUntil = r.now(), until
		a.record(r.now(), by.event(enrollment.EventBypassGranted))
		return nil
	}, func(ctx context.Context, x enrollment.Admin) error { return x.Bypass(ctx, u.name, until) }, nil)
}
