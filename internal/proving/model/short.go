package model

import (
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Secrets of 80 to 127 bits, which users bring from another system: the rules, and the
// operations of the driver.

// shortUntil configures until when they sign in: not at all, a while, or no longer.
func (r *modelRun) shortUntil() time.Time {
	if r.chance(2) {
		return time.Time{}
	}
	return r.now().Add([]time.Duration{-modelDay, time.Hour, 30 * modelDay}[r.rng.IntN(3)])
}

// mustReplace is the first authenticator with a short secret, once their time is over.
func (a *modelAccount) mustReplace(now time.Time) (id string, must bool) {
	if i := slices.IndexFunc(a.apps, modelApp.short); i >= 0 && !now.Before(a.limits.short) {
		return a.apps[i].id, true
	}
	return "", false
}

func (x modelApp) short() bool { return x.key.Secret().Short() }

// mends reports whether the setup is to replace a short secret.
func (a *modelAccount) mends(replace string) bool {
	i := a.find(replace)
	return i >= 0 && a.apps[i].short()
}

// instead is what a right answer comes to that only lets its user replace a short
// secret: no success, whoever asks.
func (m modelMatch) instead(must bool) bool {
	return must && !m.elsewhen && (m.factor == enrollment.FactorTOTP || m.factor == enrollment.FactorRecovery)
}

// replacing remembers the token that came instead of a success.
func (r *modelRun) replacing(u *modelUser, c modelToken, p enrollment.Purpose, id string, epoch int, denied *enrollment.Denied) {
	r.t.Helper()
	x := denied.Replace
	if x == nil || x.UserID != u.name || x.Purpose != p || x.Authenticator != id {
		r.fatalf("a right code came to %+v, want the replacement of %q", x, id)
	}
	r.enrolls = append(r.enrolls, modelToken{
		number: r.next(), text: x.EnrollToken.Reveal(), user: u.name, epoch: epoch, replace: true, browser: c.browser, purpose: p, issued: r.now(),
	})
	r.enrolling()
}

// outlive signs in with a short secret whose time is over, and replaces it.
func (r *modelRun) outlive(u *modelUser) {
	view := u.view(r.now())
	view.limits = r.limits
	id, must := view.mustReplace(r.now())
	if !must {
		return
	}
	before := len(r.enrolls)
	r.real = r.real.Add(time.Minute) // the codes of the import's time count as used
	if r.chance(2) {                 // a device that is trusted does not help
		r.verify(u, modelNext(u.account.apps[u.account.find(id)], r.now()))
		r.trust(u)
		r.real = r.real.Add(time.Minute)
	}
	r.signIn(u)
	r.answerLatest(u, modelNext(u.account.apps[u.account.find(id)], r.now()))
	for _, t := range slices.Clone(r.enrolls[before:]) {
		r.dawdle(11 * time.Minute)
		setups := len(r.setups)
		r.beginWith(u, totp.Key{}, id, "", "", r.enrollProof(t))
		r.dawdle(25 * time.Minute)
		if len(r.setups) > setups {
			r.confirmWith(u, r.setups[len(r.setups)-1], proving.Shown(u.keys[len(u.keys)-1], r.now()))
		}
		if u.account.enrolled() && u.account.find(id) < 0 {
			r.tally["Short: replaced"]++
		}
	}
}
