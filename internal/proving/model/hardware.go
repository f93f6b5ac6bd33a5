package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Hardware tokens: the rules, and the operations of the driver.

// has reports whether the account has the token already.
func (a *modelAccount) has(token totp.Key) bool {
	return !token.IsZero() && slices.ContainsFunc(a.apps, func(x modelApp) bool { return x.key.Secret().Equal(token.Secret()) })
}

// confirmHardware holds a code against the token of the pending setup. A wrong one is a
// guess as at a sign-in, since nobody has seen the secret, and the account may have had
// the token before.
func (a *modelAccount) confirmHardware(replaced int, digits string, now time.Time, needs bool, turn int) *modelNo {
	if no := a.totp.refuses(modelShort, now); no != nil {
		no.factor = enrollment.FactorTOTP
		return no
	}
	x := &a.setup.app
	x.last = max(0, modelStep(time.Unix(a.lastUsed, 0)))
	step := x.match(digits, now, a.limits)
	switch {
	case step == 0:
		return a.miss(&a.totp, modelShort, enrollment.FactorTOTP, 1, now)
	case step <= x.last:
		next := max(x.last, modelStep(now)) + 1
		return &modelNo{reason: enrollment.ReasonReplayed, factor: enrollment.FactorTOTP, retry: time.Unix(next*modelPeriod, 0)}
	}
	a.totp.failures = 0
	a.addApp(step, replaced, now, needs, turn)
	return nil
}

// hardware returns one of the tokens that the user was given.
func (r *modelRun) hardware(u *modelUser) totp.Key {
	n := r.rng.IntN(2)
	return proving.TheirKey(r.t, fmt.Sprint(u.name, "'s token ", n), totp.Params{Digits: 6 + 2*n})
}

// compareShown checks what a setup shows: the secret of an app, and none of a token.
func (r *modelRun) compareShown(got enrollment.Setup, x modelApp) {
	r.t.Helper()
	switch {
	case got.HardwareToken != x.hardware || got.Params().Digits != x.key.Params().Digits:
		r.fatalf("the setup is of a hardware token: %t, of %d digits", got.HardwareToken, got.Params().Digits)
	case x.hardware && (got.URI() != "" || !got.Secret().IsZero()):
		r.fatalf("the setup shows the secret of a hardware token")
	case !x.hardware && !x.key.IsZero() && !proving.KeyOf(r.t, got).Secret().Equal(x.key.Secret()):
		r.fatalf("the setup shows another secret")
	}
}
