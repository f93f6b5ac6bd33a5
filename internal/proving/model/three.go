package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	wrong := &modelNo{reason: enrollment.ReasonWrongCode, factor: enrollment.FactorTOTP}
	if len(a.apps) == 0 {
		return m, wrong
	}
	if len(codes[0]) != len(codes[1]) || len(codes[0]) != len(codes[2]) ||
		!slices.ContainsFunc(a.apps, func(x modelApp) bool { return x.key.Params().Digits == len(codes[0]) }) {
		return m, modelDeny(enrollment.ReasonMalformedCode)
	}
	var again time.Time
	near := map[int]int64{}
	for i := range a.apps {
		x := &a.apps[i]
		unused := func(first int64) bool { return first > x.last }
		if step := x.matchThree(codes, 3, now, unused); step != 0 {
			x.last, x.used, x.near = step, now, modelNear{}
			m = modelMatch{
				factor: enrollment.FactorTOTP, id: x.id, drift: modelDrift(step, now),
				elsewhen: !a.limits.accepts(step - modelStep(now)),
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
		if x.near.count == 5 {
			x.last, x.near = step, modelNear{}
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

// threeCodes returns three codes as the owner, or somebody else, could type them.
func (r *modelRun) threeCodes(u *modelUser) []string {
	app, has := modelPick(r, u.account.apps)
	if !has || r.chance(8) {
		var codes []string
		for range 2 + r.rng.IntN(3) {
			codes = append(codes, r.code(u, r.rng.IntN(104)))
		}
		return codes
	}
	at := r.now()
	switch r.rng.IntN(6) {
	case 0: // a wrong clock
		at = at.Add(time.Duration(r.rng.IntN(47)-23) * 30 * time.Second)
	case 1: // the last ones that were used
		at = time.Unix(app.last*modelPeriod, 0)
	}
	codes := proving.Three(app.key, at)
	if slices.Contains(codes, "") {
		return []string{"000000", "000000", "000000"}
	}
	for r.chance(5) {
		codes = proving.NearMiss(codes, r.rng.IntN(3))
	}
	if r.chance(8) {
		i := r.rng.IntN(3)
		codes[i] = " " + codes[i][:3] + "-" + codes[i][3:]
	}
	return codes
}

// three gives three codes at a sign-in or a step-up, mostly such as were not used.
func (r *modelRun) three(u *modelUser) {
	if r.chance(6) && len(u.account.apps) > 0 {
		rounds := 5
		if r.chance(6) {
			rounds = 120
		}
		r.guess(u, rounds, false)
	}
	if r.chance(3) {
		r.lookOver(u)
	}
	if !r.chance(4) {
		r.real = r.real.Add(90 * time.Second)
	}
	if r.chance(2) {
		r.verifyThree(u, r.threeCodes(u))
		return
	}
	r.signIn(u)
	if c, ok := r.challenge(u); ok {
		r.answerThree(u, c, r.threeCodes(u))
	}
}

// lookOver is somebody who has seen two codes, and guesses at the third.
func (r *modelRun) lookOver(u *modelUser) {
	app, ok := modelPick(r, u.account.apps)
	if !ok {
		return
	}
	at := r.now().Add(time.Duration(r.rng.IntN(43)-21) * 30 * time.Second)
	if r.chance(3) { // some or all of them were used
		at = time.Unix((app.last+int64(r.rng.IntN(4)))*modelPeriod, 0)
	}
	codes := proving.Three(app.key, at)
	if slices.Contains(codes, "") {
		return
	}
	for range 4 + r.rng.IntN(4) {
		r.verifyThree(u, proving.NearMiss(codes, r.rng.IntN(3)))
		r.real = r.real.Add(time.Duration(r.rng.IntN(400)) * time.Second * time.Duration(r.rng.IntN(2)))
	}
	r.verifyThree(u, codes)
}

func (r *modelRun) answerThree(u *modelUser, c modelToken, codes []string) {
	u = r.owner(u, c)
	p := c.purpose
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("AnswerThree challenge %d for %q with %q", c.number, p, codes), func(a *modelAccount, _ int) (no *modelNo) {
		if no := r.glanceChallenge(c, p); no != nil {
			return no
		}
		normal := readThree(codes)
		if normal == nil {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		if no := a.challenge(c); no != nil {
			return no
		}
		if m, no = a.checkThree(normal, r.now()); no != nil {
			if no.missed {
				a.answered(c, false, r.now())
			}
			return no
		}
		a.spend(c)
		m.wrong, m.lastWrong = a.answered(c, true, r.now())
		if p == enrollment.PurposeSignIn {
			a.lastSignIn, a.lastFactor = r.now(), m.factor
		}
		return nil
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.ThreeCodes().Answer(ctx, p, enrollment.ChallengeOf(c.text), codes)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
		r.receipts[len(r.receipts)-1].elsewhen = m.elsewhen
	})
	if no != nil {
		return
	}
	r.acceptThree(u, m, codes)
	if _, again := u.answered[c.number]; again {
		r.fatalf("challenge %d was answered twice", c.number)
	}
	u.answered[c.number] = struct{}{}
}

func (r *modelRun) verifyThree(u *modelUser, codes []string) {
	const p = "delete-project"
	var got enrollment.Success
	var m modelMatch
	no := r.do(u, fmt.Sprintf("VerifyThree with %q", codes), func(a *modelAccount, _ int) (no *modelNo) {
		normal := readThree(codes)
		if normal == nil {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		m, no = a.checkThree(normal, r.now())
		return no
	}, func(ctx context.Context) (err error) {
		got, err = r.guard.ThreeCodes().Verify(ctx, u.name, p, codes)
		return err
	}, func(a *modelAccount) {
		r.checkSuccess(u, got, p, m, a)
		r.keep(u, got, a)
		r.receipts[len(r.receipts)-1].elsewhen = m.elsewhen
	})
	if no == nil {
		r.acceptThree(u, m, codes)
	}
}

// acceptThree checks, apart from the model, that none of the codes was accepted
// before.
func (r *modelRun) acceptThree(u *modelUser, m modelMatch, codes []string) {
	r.t.Helper()
	normal := readThree(codes)
	fresh := false
	for k, key := range u.keys {
		x := modelApp{key: key}
		step := x.matchThree(normal, 3, r.now(), func(first int64) bool {
			return !slices.ContainsFunc(u.used[k], func(s int64) bool { return s >= first })
		})
		if step != 0 {
			fresh = true
			u.used[k] = append(u.used[k], step)
		}
	}
	if !fresh {
		r.fatalf("%s: %q were accepted, and were used", u.name, strings.Join(codes, " "))
	}
	if m.elsewhen {
		r.tally["Three: elsewhen"]++
	}
}
