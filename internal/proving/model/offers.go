package model

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// What Status says is possible: the rules.

// changes returns the changes of settings that would not be refused now, with what
// would prove each.
func (r *modelRun) changes(a *modelAccount, now time.Time) (all []enrollment.Change) {
	on, apps := a.enrolled(), len(a.apps)
	add := func(kind enrollment.ChangeKind, possible, takesAway bool) {
		if !possible {
			return
		}
		c := enrollment.Change{Kind: kind}
		if on {
			c.Codes, c.Receipts = a.provers(now, kind == enrollment.ChangeRecoveryCodes)
			c.Reauth = takesAway && r.config.ReauthDisables
		} else {
			c.Reauth = !r.config.UnprovenSetup
			c.Ticket = a.ticket != ""
		}
		all = append(all, c)
	}
	add(enrollment.ChangeBegin, apps < a.limits.apps, false)
	add(enrollment.ChangeReplace, apps > 0, false)
	add(enrollment.ChangeResynchronize, slices.ContainsFunc(a.apps, func(x modelApp) bool { return x.hardware }), false)
	add(enrollment.ChangeBind, (on || r.alone) && a.mayMessage(now) == nil, false)
	add(enrollment.ChangeRenewCodes, on && a.mayMakeSet(now) == nil, false)
	add(enrollment.ChangeRecoveryCodes, apps > 0 && a.kept && r.config.KeepCodes && a.codesLeft() > 0, false)
	add(enrollment.ChangeRemove, apps > 1, true)
	add(enrollment.ChangeUnbind, apps > 0 && a.address.channel != "", true)
	add(enrollment.ChangeDisable, on, true)
	return all
}

// provers returns the factors whose codes prove a change now, and those whose receipts
// do. Codes are shown to an app alone.
func (a *modelAccount) provers(now time.Time, show bool) (codes, receipts []enrollment.Factor) {
	if len(a.apps) > 0 {
		receipts = append(receipts, enrollment.FactorTOTP)
		if a.totp.refuses(modelShort, now) == nil {
			codes = append(codes, enrollment.FactorTOTP)
		}
	}
	if show {
		return codes, receipts
	}
	if a.codesLeft() > 0 && a.recovery.refuses(a.recoveryPolicy(), now) == nil {
		codes = append(codes, enrollment.FactorRecovery)
	}
	return codes, append(receipts, enrollment.FactorRecovery)
}

// nextMessage is from when on a message may be sent, if waiting helps.
func (a *modelAccount) nextMessage(now time.Time) time.Time {
	if no := a.mayMessage(now); no != nil {
		return no.retry
	}
	return time.Time{}
}
