package model

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// needsCodes says whether a confirmation makes recovery codes.
func (a *modelAccount) needsCodes(now time.Time) (bool, *modelNo) {
	if a.codesLeft() > 0 {
		return false, nil
	}
	switch no := a.mayMakeSet(now); {
	case no == nil:
		return true, nil
	case a.enrolled():
		return false, nil // a new phone does not wait for paper
	default:
		return false, no
	}
}

// confirm holds a code against the pending setup. needs says whether a set
// of recovery codes is made.
func (a *modelAccount) confirm(number int, digits string, now time.Time, turn int) (needs bool, no *modelNo) {
	if no := a.findSetup(number); no != nil {
		return false, no
	}
	s := a.setup
	replaced := -1
	if s.replaces != "" {
		replaced = a.find(s.replaces)
	}
	if replaced < 0 && len(a.apps) >= a.limits.apps {
		return false, modelDeny(enrollment.ReasonTooManyAuthenticators)
	}
	if needs, no = a.needsCodes(now); no != nil {
		return false, no
	}
	if len(s.codes) > 0 && !needs { // they were noted, and would never work
		if no := a.mayMakeSet(now); no != nil {
			return false, no
		}
	}
	if len(digits) != s.app.key.Params().Digits {
		return false, modelDeny(enrollment.ReasonMalformedCode)
	}
	if s.app.hardware {
		return needs, a.confirmHardware(replaced, digits, now, needs, turn)
	}
	if no := s.throttle.refuses(modelShort, now); no != nil {
		no.factor = enrollment.FactorTOTP
		return false, no
	}
	step := s.app.match(digits, now, a.limits)
	if step == 0 {
		s.throttle.fail(modelShort, 1, now)
		a.dirty = true
		no := &modelNo{reason: enrollment.ReasonWrongCode, factor: enrollment.FactorTOTP}
		if skew, found := s.app.skew(digits, now); found {
			no.reason, no.skew = enrollment.ReasonClockSkew, skew
		}
		if at := s.throttle.opens(modelShort); now.Before(at) {
			no.retry = at
		}
		return false, no
	}
	a.addApp(step, replaced, now, needs, turn)
	return needs, nil
}

// addApp makes the app of the setup one of the account, by a code of that step.
func (a *modelAccount) addApp(step int64, replaced int, now time.Time, needs bool, turn int) {
	s := a.setup
	if len(a.apps) == 0 && a.totp.short(modelShort, 1, now) {
		a.totp.forgive(1, now)
		a.forgiven = true
	}
	kind := enrollment.EventAuthenticatorAdded
	switch {
	case !a.enrolled():
		kind = enrollment.EventEnabled
	case replaced >= 0:
		kind = enrollment.EventAuthenticatorReplaced
		a.drop(replaced)
	}
	x := s.app
	x.last, x.added, x.used = step, now, now
	a.apps = append(a.apps, x)
	a.setUp = modelDone{number: s.number, until: s.expires.Add(modelAgain)}
	a.proven(kind, enrollment.FactorTOTP, x.name, needs, now, turn)
}

// proven does what follows when an authenticator or an address was proven.
func (a *modelAccount) proven(kind enrollment.EventKind, f enrollment.Factor, name string, needs bool, now time.Time, turn int) {
	if needs {
		a.madeSet(now)
		a.setUp.codes = true
	}
	a.was, a.ticket = true, ""
	a.turn(turn)
	a.record(now, enrollment.Event{Kind: kind, Factor: f, Name: name})
	if needs && kind != enrollment.EventEnabled {
		a.record(now, enrollment.Event{Kind: enrollment.EventCodesRenewed, Factor: f})
	}
	a.succeeded(f, now)
}

// skew measures the app's clock by a code within ten minutes: the nearest
// counts, and of two the earlier.
func (x *modelApp) skew(digits string, now time.Time) (time.Duration, bool) {
	for d := int64(0); d <= 20; d++ {
		for _, step := range []int64{modelStep(now) - d, modelStep(now) + d} {
			if modelStep(now) >= 0 && step > 0 && proving.Shown(x.key, time.Unix(step*modelPeriod, 0)) == digits {
				return modelDrift(step, now), true
			}
		}
	}
	return 0, false
}

func (a *modelAccount) mayMakeSet(now time.Time) *modelNo {
	if at := a.setsSince.Add(modelDay); a.sets >= 5 && now.Before(at) {
		return &modelNo{reason: enrollment.ReasonTooManyCodeSets, retry: at}
	}
	return nil
}

func (a *modelAccount) madeSet(now time.Time) {
	if a.sets == 0 || !now.Before(a.setsSince.Add(modelDay)) {
		a.sets, a.setsSince = 0, modelLater(a.setsSince, now)
	}
	a.sets++
	a.codes, a.spentCodes = nil, map[string]bool{} // the driver fills them in
	a.kept, a.imported = false, nil
	a.recovery = modelThrottle{}
	a.setUp.codes, a.renewed.codes = false, false
	a.dirty = true
}
