package model

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Setups that a sign-in demands: the rules, and the operations of the driver.

// modelBrowsers are the names of browsers that a sign-in is bound to.
var modelBrowsers = []string{"", "firefox", "safari"}

// demand is what a sign-in says that leads to the setup.
func demand(now time.Time) enrollment.Decision {
	return enrollment.Decision{Next: enrollment.MustEnroll, Expires: now.Add(10 * time.Minute)}
}

// demanded remembers the token that a sign-in has handed out. The epoch of a user who
// has no account is of this token alone.
func (r *modelRun) demanded(u *modelUser, a *modelAccount, l enrollment.SignInOptions, text string) {
	r.enrolls = append(r.enrolls, modelToken{
		number: r.next(), text: text, user: u.name, epoch: a.epoch, unstored: !a.stored, browser: l.Browser,
		purpose: cmp.Or(l.Purpose, enrollment.PurposeSignIn), issued: r.now(),
	})
	r.enrolling()
}

// mayEnroll evaluates a token for the first setup, or for one that replaces a short
// secret. The first one that begins it is the
// one whose epoch is stored.
func (a *modelAccount) mayEnroll(t modelToken, now time.Time, replaces bool) *modelNo {
	adopts := t.unstored && !a.stored
	if t.replace != replaces || !adopts && t.epoch != a.epoch || !modelFresh(t.issued, now, 10*time.Minute) {
		return modelDeny(enrollment.ReasonEnrollTokenInvalid)
	}
	a.epoch = t.epoch
	return nil
}

// mandate notes in the token of a setup what its code completes.
func (t modelToken) mandate(p modelProof) modelToken {
	if p.kind == "enroll" {
		t.purpose, t.issued = p.receipt.purpose, p.receipt.issued
	}
	return t
}

// completes is what the code is for that confirms a setup. A sign-in is noted.
func (r *modelRun) completes(a *modelAccount, t modelToken, by enrollment.Factor) enrollment.Purpose {
	if t.purpose == "" || !modelFresh(t.issued, r.now(), 30*time.Minute) {
		return enrollment.PurposeSetup
	}
	r.tally["Confirm: completes "+string(t.purpose)]++
	if t.purpose == enrollment.PurposeSignIn {
		a.lastSignIn, a.lastFactor = r.now(), by
	}
	return t.purpose
}

// enrollProof is the proof by such a token, mostly in the right browser.
func (r *modelRun) enrollProof(t modelToken) modelProof {
	p := modelProof{kind: "enroll", receipt: t, browser: t.browser}
	if r.chance(8) {
		p.browser = modelBrowsers[r.rng.IntN(len(modelBrowsers))]
	}
	return p
}

// enrolling asks whom a token is of. The Guard knows without the account.
func (r *modelRun) enrolling() {
	t, ok := modelPick(r, r.enrolls)
	if !ok {
		return
	}
	p := r.enrollProof(t)
	user, err := r.guard.EnrollingUser(r.t.Context(), enrollment.EnrollTokenOf(t.text), p.browser)
	want := p.browser == t.browser && modelFresh(t.issued, r.now(), 30*time.Minute)
	r.tally[fmt.Sprintf("EnrollingUser: %t", want)]++
	if want && (err != nil || user != t.user) || !want && (proving.ReasonOf(err) != enrollment.ReasonEnrollTokenInvalid || user != "") {
		r.fatalf("EnrollingUser says %q, %v for %q in the browser %q", user, err, t.user, p.browser)
	}
}

// mandated signs in as a user who has to set up a second factor, once or twice, and does
// so, sometimes late.
func (r *modelRun) mandated(u *modelUser) {
	before := len(r.enrolls)
	for range 1 + r.rng.IntN(2) {
		l := r.signInOptions(u)
		l.Require, l.Enrolled, l.Grace = true, false, time.Time{}
		r.signInWith(u, l)
	}
	own := slices.Clone(r.enrolls[before:])
	for range 1 + r.rng.IntN(2) {
		t, ok := modelPick(r, own)
		if !ok {
			return
		}
		r.dawdle(11 * time.Minute)
		ticket := u.account.ticket
		if r.chance(8) {
			ticket = ""
		}
		setups, bindings := len(r.setups), len(r.bindings)
		if r.alone && r.chance(4) {
			r.bindWith(u, ticket, r.enrollProof(t))
		} else {
			r.beginWith(u, totp.Key{}, "", "", ticket, r.enrollProof(t))
		}
		r.dawdle(25 * time.Minute)
		switch {
		case len(r.setups) > setups:
			if r.chance(4) {
				r.resume(u)
			}
			r.confirmWith(u, r.setups[len(r.setups)-1], proving.Shown(u.keys[len(u.keys)-1], r.now()))
		case len(r.bindings) > bindings && u.account.waiting != nil:
			r.confirmAddressWith(u, r.bindings[len(r.bindings)-1], u.account.waiting.digits)
		}
	}
}

// dawdle lets a while pass, now and then.
func (r *modelRun) dawdle(most time.Duration) {
	if r.chance(4) {
		r.real = r.real.Add(time.Duration(r.rng.Int64N(most.Microseconds())) * time.Microsecond)
	}
}
