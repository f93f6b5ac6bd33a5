package model

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Tokens whose clock drifts: the rules, and the operations of the driver.

// resynchronize takes the clock of a token for as wrong as three codes show.
func (a *modelAccount) resynchronize(id string, codes []string, p modelProof, user string, now time.Time, turn int) (by modelAuthority, no *modelNo) {
	i := a.find(id)
	switch {
	case !a.enrolled():
		return by, modelDeny(enrollment.ReasonNotEnrolled)
	case i < 0 || !a.apps[i].hardware:
		return by, modelDeny(enrollment.ReasonUnknownAuthenticator)
	}
	x := &a.apps[i]
	for _, c := range codes {
		if len(c) != x.key.Params().Digits {
			return by, &modelNo{reason: enrollment.ReasonMalformedCode, three: a.offersThree(now)}
		}
	}
	step := x.matchThree(codes, 3, now, func(first int64) bool { return first > x.last })
	if step == 0 {
		_, no := a.tryThree(codes, now, func(y modelApp) bool { return y.id == id })
		no.three = a.offersThree(now)
		return by, no
	}
	if by, no = a.prove(p, user, now, turn, modelDemand{}); no != nil {
		return by, no
	}
	x.last, x.used, x.near, x.offset = max(x.last, step), now, modelNear{}, step-modelStep(now)
	a.totp.outlast(now)
	a.succeeded(enrollment.FactorTOTP, now)
	a.record(now, enrollment.Event{Kind: enrollment.EventResynchronized, Factor: by.factor, Name: x.name})
	return by, nil
}

// drift lets the clock of a token drift, and gives three codes of it.
func (r *modelRun) drift(u *modelUser) {
	token := func(x modelApp) bool { return x.hardware }
	if !slices.ContainsFunc(u.account.apps, token) && !r.chance(4) {
		r.enrollToken(u)
	}
	app, _ := modelPick(r, u.account.apps)
	if i := slices.IndexFunc(u.account.apps, token); i >= 0 && !r.chance(5) {
		app = u.account.apps[i]
	}
	off := time.Duration(r.rng.IntN(45)-22) * modelPeriod * time.Second
	for range 1 + r.rng.IntN(3) {
		r.resynchronize(u, app, off)
		r.real = r.real.Add(time.Duration(r.rng.IntN(300)) * time.Second)
		if i := u.account.find(app.id); i >= 0 && r.chance(2) {
			r.verify(u, modelNext(u.account.apps[i], r.now()))
		}
	}
}

// enrollToken sets a token up as an honest user does.
func (r *modelRun) enrollToken(u *modelUser) {
	p := r.proof(u)
	if x, ok := modelPick(r, u.account.apps); ok && !r.chance(4) {
		p = modelProof{kind: "code", code: modelNext(x, r.now())}
	}
	before := len(r.setups)
	r.beginWith(u, r.hardware(u), "", "", u.account.ticket, p)
	if len(r.setups) > before {
		r.real = r.real.Add(time.Minute)
		if s := u.account.setup; s != nil {
			r.confirmWith(u, r.setups[len(r.setups)-1], proving.Shown(s.app.key, r.now()))
		}
		r.real = r.real.Add(time.Minute)
	}
}

// resynchronize gives three codes of the app, by a clock that is off.
func (r *modelRun) resynchronize(u *modelUser, app modelApp, off time.Duration) {
	id := app.id
	if id == "" || r.chance(20) {
		id = "00ff00ff00ff00ff"
	}
	p := r.proof(u)
	if x, ok := modelPick(r, u.account.apps); ok && r.chance(2) {
		p = modelProof{kind: "code", code: modelNext(x, r.now())}
	}
	codes := []string{"123456", "234567", "345678"}
	if !app.key.IsZero() {
		codes = proving.Three(app.key, r.now().Add(off))
	}
	if slices.Contains(codes, "") {
		return
	}
	for r.chance(6) {
		codes = proving.NearMiss(codes, r.rng.IntN(3))
	}
	if r.chance(20) {
		codes = codes[1:]
	}
	var by modelAuthority
	no := r.do(u, fmt.Sprintf("Resynchronize %s with %q by %v", id, codes, p), func(a *modelAccount, turn int) (no *modelNo) {
		normal := readThree(codes)
		if normal == nil {
			return modelForm(enrollment.ReasonMalformedCode)
		}
		by, no = a.resynchronize(id, normal, p, u.name, r.now(), turn)
		return no
	}, func(ctx context.Context) error {
		return r.guard.ThreeCodes().Resynchronize(ctx, u.name, id, codes, p.proof())
	}, nil)
	if no != nil {
		return
	}
	r.acceptThree(u, modelMatch{}, codes)
	if by.match.factor != "" && by.match.id != id { // else it can be one of the three
		r.accept(u, by.match, p.code)
	}
}
