package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Signing in and stepping up: the rules, and the operations of the driver.

func (r *modelRun) signIn(u *modelUser) { r.signInWith(u, r.signInOptions(u)) }

func (r *modelRun) signInOptions(u *modelUser) enrollment.SignInOptions {
	l := enrollment.SignInOptions{Require: r.chance(3), Enrolled: r.chance(6), Device: enrollment.DeviceTokenOf(r.device(u))}
	if r.chance(4) {
		l.Purpose = "password-reset"
	}
	if r.chance(3) {
		l.Channel = []string{"email", "sms", "Sms", "magic"}[r.rng.IntN(4)]
	}
	if r.chance(2) {
		l.Grace = r.now().Add([]time.Duration{-time.Hour, 0, time.Microsecond, modelDay}[r.rng.IntN(4)])
	}
	l.Browser = modelBrowsers[r.rng.IntN(len(modelBrowsers))]
	return l
}

// movesIn reports whether a sign-in takes over what the host brings, or why not.
func (a *modelAccount) movesIn(l enrollment.SignInOptions) (moves bool, not enrollment.Reason) {
	switch {
	case l.Import == nil, !a.enrolled() && l.Enrolled:
		return false, ""
	case a.enrolled():
		return false, enrollment.ReasonAlreadyEnrolled
	case a.was || a.ticket != "":
		return false, enrollment.ReasonWasEnrolled
	}
	return true, ""
}

// nextCode is when each app shows a code that is not used, after an import.
func (a *modelAccount) nextCode(now time.Time) (next time.Time) {
	for _, x := range a.apps {
		if x.used.IsZero() && modelStep(now) <= x.last {
			next = modelLater(next, time.Unix((x.last+1)*modelPeriod, 0).UTC())
		}
	}
	return next
}

// digits is what all codes of the apps have in common, or 0.
func (a *modelAccount) digits() int {
	kinds := map[int]bool{}
	for _, x := range a.apps {
		kinds[x.key.Params().Digits] = true
	}
	for n := range kinds {
		if len(kinds) == 1 {
			return n
		}
	}
	return 0
}

// decide says what follows after the first factor.
func (a *modelAccount) decide(l enrollment.SignInOptions, now time.Time) (d enrollment.Decision) {
	signIn := cmp.Or(l.Purpose, enrollment.PurposeSignIn) == enrollment.PurposeSignIn
	var waived enrollment.Factor
	_, must := a.mustReplace(now)
	switch {
	case signIn && a.enrolled() && a.limits.devices > 0 && !must && a.holder(l.Device.Reveal(), now) != nil:
		waived = enrollment.FactorTrustedDevice
	case signIn && a.bypassed(now):
		waived = enrollment.FactorBypass
	}
	switch {
	case a.enrolled() && waived != "":
		return enrollment.Decision{Next: enrollment.Proceed, Waived: waived}
	case a.enrolled():
		d = enrollment.Decision{Next: enrollment.AskCode, Expires: now.Add(10 * time.Minute), Digits: a.digits(), NextCode: a.nextCode(now), ThreeCodes: a.offersThree(now)}
		if len(a.apps) > 0 {
			d.Factors = append(d.Factors, enrollment.FactorTOTP)
		}
		if c := a.address.channel; c != "" && !strings.EqualFold(c, l.Channel) { // over the same channel it is refused
			d.Factors = append(d.Factors, enrollment.FactorDelivered)
		}
		if a.codesLeft() > 0 {
			d.Factors = append(d.Factors, enrollment.FactorRecovery)
		}
		return d
	case l.Enrolled:
		return enrollment.Decision{}
	case waived != "":
		return enrollment.Decision{Next: enrollment.Proceed, Waived: waived, EnrollBy: a.bypassUntil}
	case signIn && a.mustEnroll(now):
		return demand(now)
	case !l.Require:
		return enrollment.Decision{Next: enrollment.Proceed}
	case now.Before(l.Grace):
		return enrollment.Decision{Next: enrollment.Proceed, EnrollBy: l.Grace}
	}
	return demand(now)
}

func (r *modelRun) signInWith(u *modelUser, l enrollment.SignInOptions) {
	r.signInMoving(u, l, nil, nil)
}

// signInMoving signs in with what another system has of the user, if im is not nil.
func (r *modelRun) signInMoving(u *modelUser, l enrollment.SignInOptions, im *enrollment.Import, texts []string) {
	var d, want enrollment.Decision
	var err error
	what := "SignIn"
	l.Import = im
	view := u.view(r.now())
	view.limits = r.limits // as they are now
	moves, not := view.movesIn(l)
	if moves {
		view.takeOver(*im, texts, r.now())
	}
	want = view.decide(l, r.now())
	if want.NotImported = not; moves || want.Waived != "" {
		what = "SignInWaived"
	}
	number := r.next()
	no := r.do(u, fmt.Sprintf("%s moves=%t not=%q %.200v", what, moves, not, l), func(a *modelAccount, turn int) *modelNo {
		if moves {
			a.turn(turn)
			a.takeOver(*im, texts, r.now())
			a.was = true
			a.record(r.now(), enrollment.Event{Kind: enrollment.EventImported})
		}
		if want.Next == enrollment.AskCode {
			a.asked(number, r.now())
		}
		signIn := cmp.Or(l.Purpose, enrollment.PurposeSignIn) == enrollment.PurposeSignIn
		if want.Waived == "" && (want.Next != enrollment.Proceed || !signIn || !a.stored) {
			return nil // what a broken clock has left behind is repaired
		}
		if want.Waived == enrollment.FactorTrustedDevice {
			a.holder(l.Device.Reveal(), r.now()).used = r.now()
		}
		a.lastSignIn, a.lastFactor, a.dirty = r.now(), want.Waived, true
		return nil
	}, func(ctx context.Context) error {
		d, err = r.guard.SignIn(ctx, u.name, l)
		return nil
	}, func(a *modelAccount) {
		if moves {
			r.named(u, a, texts)
		}
		if errors.Is(err, enrollment.ErrMissing) != (want.Next == enrollment.Refuse) || err != nil && want.Next != enrollment.Refuse {
			r.fatalf("SignIn says %v, %v; want %+v", d.Next, err, want)
		}
		if d.Next == enrollment.Proceed {
			r.checkStamp(u, a, d.Stamp)
			d.Stamp = ""
		}
		text, enroll := d.Challenge.Reveal(), d.EnrollToken.Reveal()
		d.Challenge, d.EnrollToken = enrollment.Challenge{}, enrollment.EnrollToken{}
		if (enroll != "") != (want.Next == enrollment.MustEnroll) {
			r.fatalf("SignIn says %v with the token %q", d.Next, enroll)
		}
		if (text != "") != (want.Next == enrollment.AskCode) || !reflect.DeepEqual(d, want) {
			r.fatalf("SignIn says %+v with the challenge %q, want %+v", d, text, want)
		}
		r.tally[fmt.Sprintf("SignIn: %v %s %t", d.Next, d.Waived, !d.EnrollBy.IsZero())]++
		if _, must := a.mustReplace(r.now()); must && d.Next == enrollment.AskCode && a.holder(l.Device.Reveal(), r.now()) != nil {
			r.tally["Short: a trusted device spares no code"]++
		}
		if im != nil {
			r.tally[fmt.Sprintf("SignIn moves in: %t %s", moves, not)]++
		}
		if enroll != "" {
			r.demanded(u, a, l, enroll)
		}
		if text == "" {
			return
		}
		r.challenges = append(r.challenges, modelToken{
			number: number, text: text, user: u.name, epoch: a.epoch, channel: l.Channel, browser: l.Browser,
			purpose: cmp.Or(l.Purpose, enrollment.PurposeSignIn), issued: r.now(), expires: d.Expires,
		})
	})
	if moves && no == nil {
		r.taken(u, *im, texts)
	}
}
