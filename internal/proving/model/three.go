package model

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Three consecutive codes: the rules, and the operations of the driver.

// modelNear are tries of which two codes were right.
type modelNear struct {
	count int
	last  time.Time
}

func (n *modelNear) tidy(now time.Time) {
	if now.Sub(n.last) >= 20*time.Minute {
		*n = modelNear{}
	}
}

// offersThree says whether an app's code is not evaluated by itself.
func (a *modelAccount) offersThree(now time.Time) bool {
	return len(a.apps) > 0 && a.totp.refuses(modelShort, now) != nil
}

// matchThree returns the latest step at which so many of the codes are right, as the
// last of three, within ten minutes.
func (x *modelApp) matchThree(codes []string, right int, now time.Time, fits func(first int64) bool) int64 {
	for d := int64(20); d >= -20; d-- {
		last, found := modelStep(now)+d, 0
		for i, c := range codes {
			step := last - 2 + int64(i)
			if modelStep(now) >= 0 && step > 0 && proving.Shown(x.key, time.Unix(step*modelPeriod, 0)) == c {
				found++
			}
		}
		if found == right && fits(last-2) {
			return last
		}
	}
	return 0
}

// checkThree evaluates three codes, each in its normal form.
func (a *modelAccount) checkThree(codes []string, now time.Time) (m modelMatch, no *modelNo) {
	if !a.enrolled() {
		return m, modelDeny(enrollment.ReasonNotEnrolled)
	}
	defer func() {
		if no != nil {
			no.three = a.offersThree(now)
		}
	}()
	if len(a.apps) == 0 {
		return m, &modelNo{reason: enrollment.ReasonWrongCode, factor: enrollment.FactorTOTP, triple: true}
	}
	if len(codes[0]) != len(codes[1]) || len(codes[0]) != len(codes[2]) ||
		!slices.ContainsFunc(a.apps, func(x modelApp) bool { return x.key.Params().Digits == len(codes[0]) }) {
		return m, modelDeny(enrollment.ReasonMalformedCode)
	}
	return a.tryThree(codes, now, func(modelApp) bool { return true })
}

// tryThree holds three codes of the right length against some of the apps.
func (a *modelAccount) tryThree(codes []string, now time.Time, some func(x modelApp) bool) (m modelMatch, no *modelNo) {
	wrong := &modelNo{reason: enrollment.ReasonWrongCode, factor: enrollment.FactorTOTP, triple: true}
	var again time.Time
	near := map[int]int64{}
	for i := range a.apps {
		x := &a.apps[i]
		if !some(*x) {
			continue
		}
		unused := func(first int64) bool { return first > x.last }
		if step := x.matchThree(codes, 3, now, unused); step != 0 {
			x.last, x.used, x.near = step, now, modelNear{}
			m = modelMatch{
				factor: enrollment.FactorTOTP, id: x.id, drift: modelDrift(step, x.clock(now)),
				elsewhen: !a.limits.accepts(step - modelStep(x.clock(now))),
			}
		} else if step := x.matchThree(codes, 3, now, func(int64) bool { return true }); step != 0 {
			// Three steps after the last used one, by a phone that shows this one now.
			wait := max(x.last, step) + 3 - step
			again = modelLater(again, time.Unix((modelStep(now)+wait+1)*modelPeriod, 0))
		} else if step := x.matchThree(codes, 2, now, func(first int64) bool { return first+2 > x.last }); step != 0 {
			near[i] = step
		}
	}
	switch {
	case m.id != "":
		a.totp.outlast(now)
		a.dirty = true
		a.succeeded(enrollment.FactorTOTP, now)
		return m, nil
	case !again.IsZero():
		return m, &modelNo{reason: enrollment.ReasonReplayed, factor: enrollment.FactorTOTP, retry: again}
	}
	wrong.missed = len(near) > 0
	for i := range a.apps {
		step, ok := near[i]
		if !ok {
			continue
		}
		x := &a.apps[i]
		x.near.tidy(now)
		x.near = modelNear{x.near.count + 1, modelLater(x.near.last, now)}
		if x.near.count >= 5 {
			x.last = step
		}
		a.record(now, enrollment.Event{Kind: enrollment.EventNearMiss, Factor: enrollment.FactorTOTP, Name: x.name})
	}
	return m, wrong
}

// outlast ends the run of wrong codes. Where so much was spent that codes are
// disabled, what has come back since counts from now on.
func (th *modelThrottle) outlast(now time.Time) {
	th.failures = 0
	if th.off(modelShort) {
		th.mark = modelLater(th.mark, now)
		th.full = modelLater(th.full, th.mark)
	}
}

// readThree returns the normal form of three codes, or nil.
func readThree(codes []string) (normal []string) {
	for _, c := range codes {
		n, f := modelRead(c)
		if f != enrollment.FactorTOTP {
			return nil
		}
		normal = append(normal, n)
	}
	if len(normal) != 3 {
		return nil
	}
	return normal
}
