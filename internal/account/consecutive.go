package account

import (
	"errors"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Consecutive are three codes, normalised, that an app showed one after the other.
type Consecutive = [totp.Consecutive]string

// CheckConsecutive evaluates three codes that an app showed one after the other. It
// does so whether app codes are locked, disabled or neither: 60 bits that are right
// at 41 places can't be guessed, so a thief of the password who keeps app codes
// locked does not keep the owner out.
//
// A success has changed the account. It uses up the codes, ends the run of
// failures, and leaves what the budget has spent: forgiving units would give
// guesses to a thief each time the owner comes. A refusal with [WrongCode] has
// changed the account only after a near miss, see [nearMisses]. All others are
// neither counted nor written, and say nothing about the codes.
func (a *Account) CheckConsecutive(m Moment, codes Consecutive) (Match, error) {
	switch {
	case !a.enrolled():
		return Match{}, refuse(NotEnrolled)
	case len(a.authenticators) == 0: // as checkTOTP answers
		return Match{}, a.refused(m, TOTP, refuse(WrongCode))
	case !a.takesConsecutive(codes):
		return Match{}, a.refused(m, NoFactor, refuse(MalformedCode))
	}
	match, err := a.consecutiveOf(m, a.authenticators, codes)
	if err == nil {
		a.matched = TOTP
	}
	return match, err
}

// consecutiveOf evaluates three codes as those of some of the authenticators, and does
// what follows from them.
func (a *Account) consecutiveOf(m Moment, some []Authenticator, codes Consecutive) (Match, error) {
	match, err := a.matchConsecutive(m, some, codes)
	if err == nil {
		err = a.succeeded(m, TOTP)
	}
	if err != nil {
		return Match{}, a.refused(m, TOTP, err)
	}
	a.totp.outlast(totpPolicy, m.Now)
	a.changed = true
	return match, nil
}

// takesConsecutive reports whether the codes have the digits of one authenticator.
// Others are a slip, as those of one code.
func (a *Account) takesConsecutive(codes Consecutive) bool {
	return a.takes(TOTP, len(codes[0])) &&
		!slices.ContainsFunc(codes[1:], func(c string) bool { return len(c) != len(codes[0]) })
}

// matchConsecutive holds the codes against each of these authenticators, whichever
// matches, so that the work tells nothing.
func (a *Account) matchConsecutive(m Moment, some []Authenticator, codes Consecutive) (Match, error) {
	var match Match
	var next time.Time                // when the app has shown three codes that are unused
	var near [MaxAuthenticators]int64 // where two of the codes are right; 0 if nowhere
	for i := range some {
		x := &some[i]
		step, err := x.checkConsecutive(m, codes)
		switch {
		case err == nil:
			x.Last, x.Used, x.near = step, m.Now, nearMisses{}
			match = Match{Factor: TOTP, Authenticator: x.ID, Drift: x.drift(m, step), Elsewhen: !x.shows(m, codes, step)}
		case errors.Is(err, totp.ErrReplayed):
			next = later(next, x.nextThree(m, step))
		case errors.Is(err, totp.ErrNearMiss):
			near[i] = step
		case !errors.Is(err, totp.ErrWrong):
			return Match{}, err
		}
	}
	switch {
	case match.Factor != NoFactor:
		return match, nil
	case !next.IsZero():
		return Match{}, &Refusal{Reason: Replayed, RetryAt: next}
	}
	for i, step := range near {
		if step == 0 {
			continue
		}
		x := &some[i]
		x.nearlyMissed(m.Now, step)
		a.counted = true
		if err := a.record(m, Event{Kind: EventNearMiss, Factor: TOTP, Name: x.Name}); err != nil {
			return Match{}, err
		}
	}
	return Match{}, refuse(WrongCode)
}

// checkConsecutive is [totp.Key.CheckConsecutive] with what the application allows. It
// looks around the time of the server, also where the clock of a token is known: what
// was found once widens nothing.
func (a *Authenticator) checkConsecutive(m Moment, codes Consecutive) (step int64, err error) {
	m.exempt(a.Key, func() { step, err = a.Key.CheckConsecutive(codes, m.typed(), a.Last) })
	return step, err
}

// shows reports whether the last of the codes, which is of the step, would be
// accepted by itself: the app shows it now.
func (a *Authenticator) shows(m Moment, codes Consecutive, step int64) (shows bool) {
	m.exempt(a.Key, func() {
		_, err := a.Key.CheckWithin(m.Limits.Window, codes[totp.Consecutive-1], a.clock(m.typed()), step-1)
		shows = err == nil
	})
	return shows
}

// nextThree returns by when the app has shown three codes that were never used,
// after three codes that were, the last of which is of the given step. The app shows
// this one now, by its own clock.
func (a *Authenticator) nextThree(m Moment, step int64) time.Time {
	wait := max(a.Last, step) + totp.Consecutive - step
	return a.Key.StepTime(a.Key.Step(m.typed()) + wait + 1)
}
