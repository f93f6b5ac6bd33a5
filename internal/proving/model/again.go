package model

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Requests that come twice.

// A modelDone is the setup or the renewal that was completed last.
type modelDone struct {
	number int
	until  time.Time
	codes  bool // whether its recovery codes are those of the account, all unused
}

// modelAgain is for how long after its token has expired it is known.
const modelAgain = 10 * time.Minute

func (d *modelDone) tidy(now time.Time) {
	if !now.Before(d.until) {
		*d = modelDone{}
	}
}

func (d *modelDone) clampFuture(now time.Time) bool {
	if d.until.Sub(now) <= 2*modelDay+modelAgain {
		return false
	}
	*d = modelDone{}
	return true
}

// over is what is said of a setup that is gone because its token has expired.
func (r *modelRun) over(t modelToken, no *modelNo) *modelNo {
	if no != nil && !r.now().Before(t.expires) && (no.reason == enrollment.ReasonNoSetup || no.reason == enrollment.ReasonSetupSuperseded) {
		return modelDeny(enrollment.ReasonSetupExpired)
	}
	return no
}

// findSetup denies what is not the pending setup.
func (a *modelAccount) findSetup(number int) *modelNo {
	switch {
	case a.setUp.number == number:
		return modelDeny(enrollment.ReasonAlreadyConfirmed)
	case a.setup == nil:
		return modelDeny(enrollment.ReasonNoSetup)
	case a.setup.number != number:
		return modelDeny(enrollment.ReasonSetupSuperseded)
	}
	return nil
}

// again returns why the codes can't be shown again, or nil.
func (a *modelAccount) again(d modelDone) *modelNo {
	if !d.codes || len(a.codes) == 0 || len(a.spentCodes) > 0 {
		return modelDeny(enrollment.ReasonCodesNotKept)
	}
	return nil
}

func (r *modelRun) setupCodes(u *modelUser) {
	t, address := r.setupToken(u), false
	if len(r.bindings) > 0 && r.chance(3) {
		t, address = r.bindings[len(r.bindings)-1], true
	}
	var got recovery.Codes
	r.do(u, fmt.Sprintf("SetupCodes %d", t.number), func(a *modelAccount, _ int) *modelNo {
		if no := r.glanceSetup(u, t); no != nil {
			return no
		}
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case a.setUp.number == t.number:
			return a.again(a.setUp)
		case address && (a.waiting == nil || a.waiting.binds.channel == ""):
			return r.over(t, modelDeny(enrollment.ReasonNoSetup))
		case address && a.waiting.number != t.number:
			return r.over(t, modelDeny(enrollment.ReasonSetupSuperseded))
		case address:
			return modelDeny(enrollment.ReasonCodesNotKept)
		}
		if no := a.findSetup(t.number); no != nil {
			return r.over(t, no)
		}
		return modelDeny(enrollment.ReasonCodesNotKept)
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.SetupCodes(ctx, u.name, enrollment.SetupTokenOf(t.text))
		return err
	}, func(a *modelAccount) { r.checkAgain(a, got) })
}

func (r *modelRun) checkAgain(a *modelAccount, got recovery.Codes) {
	if !slices.Equal(modelTexts(got), a.codes) {
		r.fatalf("the codes are %q again, want %q", modelTexts(got), a.codes)
	}
}

func (r *modelRun) prepareRenewal(u *modelUser) {
	var got enrollment.RenewalToken
	t := modelToken{user: u.name, expires: r.now().Add(cmp.Or(r.config.SetupTTL, 15*time.Minute))}
	r.do(u, "PrepareRenewal", func(a *modelAccount, _ int) *modelNo {
		a.dirty = false // reading repairs nothing
		if !a.enrolled() {
			return modelDeny(enrollment.ReasonNotEnrolled)
		}
		t.number, t.epoch = r.next(), a.epoch
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.PrepareRenewal(ctx, u.name)
		return err
	}, func(*modelAccount) {
		t.text = got.Reveal()
		r.renewals = append(r.renewals, t)
	})
}

// renewalToken picks a token of a renewal, mostly the latest.
func (r *modelRun) renewalToken() modelToken {
	if len(r.renewals) > 0 && !r.chance(3) {
		return r.renewals[len(r.renewals)-1]
	}
	if t, ok := modelPick(r, r.renewals); ok {
		return t
	}
	return modelToken{number: -1, text: "cmVuZXdhbA", user: "nobody"}
}

func (r *modelRun) glanceRenewal(u *modelUser, t modelToken) *modelNo {
	if t.user != u.name || !r.now().Before(t.expires.Add(modelAgain)) {
		return modelForm(enrollment.ReasonRenewalInvalid)
	}
	return nil
}

// newCodesOnce renews the codes with a token, often the one of the last renewal.
func (r *modelRun) newCodesOnce(u *modelUser) {
	if r.chance(2) {
		r.prepareRenewal(u)
	}
	t := r.renewalToken()
	r.newCodesWith(u, t, r.proof(u))
	if r.chance(2) {
		r.newCodesWith(u, t, r.proof(u))
	}
	if r.chance(4) {
		r.newCodes(u) // whose codes are not those of the token
	}
	if r.chance(2) {
		r.renewalCodes(u, t)
	}
}

func (r *modelRun) renewalCodes(u *modelUser, t modelToken) {
	var got recovery.Codes
	r.do(u, fmt.Sprintf("RenewalCodes %d", t.number), func(a *modelAccount, _ int) *modelNo {
		if no := r.glanceRenewal(u, t); no != nil {
			return no
		}
		switch {
		case !a.enrolled():
			return modelDeny(enrollment.ReasonNotEnrolled)
		case a.renewed.number != t.number:
			return modelDeny(enrollment.ReasonRenewalInvalid)
		}
		return a.again(a.renewed)
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.RenewalCodes(ctx, u.name, enrollment.RenewalTokenOf(t.text))
		return err
	}, func(a *modelAccount) { r.checkAgain(a, got) })
}
