package model

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// How what was typed is read and evaluated.

// modelOther is a text that has the form of no code of ours. It can be a
// recovery code of another system.
const modelOther enrollment.Factor = "other"

// modelRead says what a typed text looks like: an app's code, a recovery code
// of one of the two schemes, modelOther, or "" for what can't be a code at all.
// The driver types only ASCII.
func modelRead(text string) (normal string, factor enrollment.Factor) {
	if len(text) > 64 {
		return "", ""
	}
	normal = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\n", "").Replace(text))
	digits := strings.Trim(normal, "0123456789") == ""
	switch {
	case digits && len(normal) >= 6 && len(normal) <= 8:
		return normal, enrollment.FactorTOTP
	case (len(normal) == 16 || len(normal) == 26) && strings.Trim(normal, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == "":
		return normal, enrollment.FactorRecovery
	case len(strings.TrimSpace(text)) >= 6 && !strings.Contains(strings.TrimSpace(text), "\n"):
		return strings.TrimSpace(text), modelOther
	}
	return "", ""
}

// A modelGuess is what was typed, and where.
type modelGuess struct {
	text      string
	delivery  int  // the message of the challenge; 0 if there is none
	replenish bool // whether a recovery code is replaced when it is used
}

// A modelMatch is what a right code matched.
type modelMatch struct {
	factor   enrollment.Factor
	id       string // of the authenticator
	drift    time.Duration
	elsewhen bool // three codes of another time
	key      totp.Key
	offset   int64 // of the authenticator
	place    int   // of the recovery code that has to be replaced, plus one
	other    bool  // a recovery code of another system

	wrong     int       // answers before it, since the last right one
	lastWrong time.Time // when the last of them was
}

// check evaluates a code. turn is the epoch that a recovery code starts.
func (a *modelAccount) check(g modelGuess, now time.Time, turn int) (m modelMatch, no *modelNo) {
	defer func() {
		if no != nil {
			no.three = a.offersThree(now)
		}
	}()
	normal, factor := modelRead(g.text)
	switch {
	case factor == modelOther && (!a.enrolled() || len(a.imported) == 0 && a.enrolled()):
		return m, modelDeny(enrollment.ReasonMalformedCode)
	case !a.enrolled():
		return m, modelDeny(enrollment.ReasonNotEnrolled)
	}
	digits := slices.ContainsFunc(a.apps, func(x modelApp) bool { return x.key.Params().Digits == len(normal) })
	// Where there are codes of another system, a text is one of those unless it
	// has the form of a code that the account has besides.
	if len(a.imported) > 0 {
		app := factor == enrollment.FactorTOTP && g.delivery == 0 && digits
		own := factor == enrollment.FactorRecovery && len(a.codes) > 0 && len(a.codes[0]) == len(normal)
		sent := factor == enrollment.FactorTOTP && g.delivery != 0 && len(normal) == 6
		if !app && !own && !sent {
			factor = modelOther
		}
	}
	switch {
	case factor == enrollment.FactorTOTP && (g.delivery != 0 && len(normal) != 6 || g.delivery == 0 && len(a.apps) > 0 && !digits):
		return m, modelDeny(enrollment.ReasonMalformedCode)
	case factor == modelOther:
		m, no = a.checkForeign(strings.TrimSpace(g.text), now, turn)
		factor = enrollment.FactorRecovery
	case factor == enrollment.FactorRecovery:
		m, no = a.checkRecovery(normal, g.replenish, now, turn)
	case g.delivery != 0:
		m, no = a.checkDelivered(normal, g.delivery, now)
		factor = enrollment.FactorDelivered
	default:
		m, no = a.checkApp(normal, now)
	}
	if no != nil {
		no.factor = factor
		return m, no
	}
	a.succeeded(factor, now)
	return m, nil
}

// succeeded ends what a right code ends.
func (a *modelAccount) succeeded(f enrollment.Factor, now time.Time) {
	a.bypassFrom, a.bypassUntil = time.Time{}, time.Time{}
	a.cancelReset(f, now)
}

func (a *modelAccount) checkRecovery(normal string, replenish bool, now time.Time, turn int) (modelMatch, *modelNo) {
	if no := a.recovery.refuses(modelLong, now); no != nil {
		return modelMatch{}, no
	}
	place := slices.Index(a.codes, normal)
	if place < 0 || a.spentCodes[normal] {
		no := a.miss(&a.recovery, modelLong, enrollment.FactorRecovery, 1, now)
		if place >= 0 {
			no.reason = enrollment.ReasonReplayed
		}
		return modelMatch{}, no
	}
	m := modelMatch{factor: enrollment.FactorRecovery}
	if replenish {
		a.codes = slices.Clone(a.codes)
		a.codes[place], m.place = "to be seen", place+1
	} else {
		a.spentCodes[normal] = true
	}
	a.setUp.codes, a.renewed.codes = false, false
	a.recovered(now, turn)
	return m, nil
}

// checkForeign looks for a code of another system. Case does not matter where
// all letters have one.
func (a *modelAccount) checkForeign(text string, now time.Time, turn int) (modelMatch, *modelNo) {
	if no := a.recovery.refuses(modelOthers, now); no != nil {
		return modelMatch{}, no
	}
	i := slices.IndexFunc(a.imported, func(f modelImported) bool {
		return slices.Contains([]string{text, strings.ToLower(text), strings.ToUpper(text)}, f.text)
	})
	if i < 0 || a.imported[i].used {
		no := a.miss(&a.recovery, modelOthers, enrollment.FactorRecovery, 1, now)
		if i >= 0 {
			no.reason = enrollment.ReasonReplayed
		}
		return modelMatch{}, no
	}
	a.imported[i].used = true
	a.recovered(now, turn)
	return modelMatch{factor: enrollment.FactorRecovery, other: true}, nil
}

// recovered does what follows from a right recovery code.
func (a *modelAccount) recovered(now time.Time, turn int) {
	a.recovery.failures = 0
	a.forgive(now)
	a.turn(turn)
	a.record(now, enrollment.Event{Kind: enrollment.EventRecoveryUsed, Factor: enrollment.FactorRecovery})
}

func (a *modelAccount) checkApp(digits string, now time.Time) (modelMatch, *modelNo) {
	cost := len(a.apps)
	if cost == 0 { // nothing that could be guessed
		return modelMatch{}, modelDeny(enrollment.ReasonWrongCode)
	}
	if no := a.totp.refuses(modelShort, now); no != nil {
		return modelMatch{}, no
	}
	var m modelMatch
	var replayed time.Time // when its app shows the next code that is not used
	for i := range a.apps {
		x := &a.apps[i]
		switch step := x.match(digits, now, a.limits); {
		case step == 0:
		case step <= x.last:
			next := max(x.last, modelStep(x.clock(now))) + 1 - x.offset
			replayed = modelLater(replayed, time.Unix(next*modelPeriod, 0))
		default:
			x.last, x.used = step, now
			m = modelMatch{factor: enrollment.FactorTOTP, id: x.id, drift: modelDrift(step, x.clock(now)), key: x.key, offset: x.offset}
		}
	}
	switch {
	case m.id != "":
		a.totp.failures = 0 // and not the budget
		a.dirty = true
		return m, nil
	case !replayed.IsZero():
		return m, &modelNo{reason: enrollment.ReasonReplayed, retry: replayed}
	}
	return m, a.miss(&a.totp, modelShort, enrollment.FactorTOTP, cost, now)
}

// modelDrift is how far the step of a right code is ahead.
func modelDrift(step int64, now time.Time) time.Duration {
	return time.Duration(step-modelStep(now)) * modelPeriod * time.Second
}

func (a *modelAccount) miss(th *modelThrottle, p modelPolicy, f enrollment.Factor, cost int, now time.Time) *modelNo {
	th.fail(p, cost, now)
	a.dirty = true
	no := &modelNo{reason: enrollment.ReasonWrongCode, factor: f, missed: true}
	if at := th.opens(p); now.Before(at) && !th.off(p) {
		no.retry = at
	}
	switch {
	case th.off(p):
		a.record(now, enrollment.Event{Kind: enrollment.EventFactorDisabled, Factor: f})
	case th.failures == 5 || th.broke(p):
		a.record(now, enrollment.Event{Kind: enrollment.EventLocked, Factor: f})
	}
	return no
}
