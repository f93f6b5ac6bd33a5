package account

import (
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Factor is what a code is an instance of.
type Factor uint8

// The factors.
const (
	NoFactor Factor = iota
	TOTP
	Recovery
)

// A Guess is a code that somebody typed, in the form in which it can be
// evaluated.
type Guess struct {
	Factor Factor

	// Digits is the normalised code, for TOTP.
	Digits string

	// Scheme, Digest and From belong to Recovery: the scheme that the code's
	// length names, its digest, and the derivation the digest was made with.
	Scheme recovery.Scheme
	Digest recovery.Digest
	From   recovery.Derivation
}

// A Match is a guess that was right.
type Match struct {
	Factor        Factor
	Authenticator AuthenticatorID // for TOTP
}

// Check evaluates a guess and counts it. A refusal with [WrongCode] has changed
// the account, and so has a success; [Locked], [FactorDisabled] and a replayed
// TOTP code have not.
//
// It returns ErrNeedDigest if the guess is a recovery code that may be
// evaluated, and its digest has yet to be derived.
func (a *Account) Check(m Moment, g Guess) (Match, error) {
	if len(a.authenticators) == 0 {
		return Match{}, refuse(NotEnrolled)
	}
	var match Match
	var err error
	if g.Factor == Recovery {
		match, err = a.checkRecovery(m, g)
	} else {
		match, err = a.checkTOTP(m, g.Digits)
	}
	return match, about(g.Factor, err)
}

// about says in a refusal what the code was taken for.
func about(f Factor, err error) error {
	if r, ok := err.(*Refusal); ok {
		r.Factor = f
	}
	return err
}

// checkTOTP holds the code against every authenticator, whichever matches, so
// that the work tells nothing.
func (a *Account) checkTOTP(m Moment, digits string) (Match, error) {
	cost := len(a.authenticators)
	if err := a.totp.blocked(totpPolicy, m.Now, cost); err != nil {
		return Match{}, err
	}
	matched, replayed := -1, false
	for i := range a.authenticators {
		x := &a.authenticators[i]
		step, err := x.check(m, digits)
		switch {
		case err == nil:
			x.Last, x.Used = step, m.Now
			matched = i
		case errors.Is(err, totp.ErrReplayed):
			replayed = true
		case !errors.Is(err, totp.ErrWrong):
			return Match{}, err
		}
	}
	switch {
	case matched >= 0:
		a.totp.succeed()
		a.changed = true
		return Match{Factor: TOTP, Authenticator: a.authenticators[matched].ID}, nil
	case replayed:
		return Match{}, refuse(Replayed)
	}
	err := a.fail(m, &a.totp, totpPolicy, TOTP, cost)
	return Match{}, err
}

func (a *Account) checkRecovery(m Moment, g Guess) (Match, error) {
	if err := a.recovery.blocked(recoveryPolicy, m.Now, 1); err != nil {
		return Match{}, err
	}
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return Match{}, err
	}
	if set.IsZero() || set.Derivation().Scheme() != g.Scheme {
		return Match{}, a.fail(m, &a.recovery, recoveryPolicy, Recovery, 1)
	}
	if g.From != set.Derivation() {
		return Match{}, ErrNeedDigest
	}
	_, err = set.Spend(g.Digest, m.Now)
	switch {
	case errors.Is(err, recovery.ErrSpent):
		refusal := a.fail(m, &a.recovery, recoveryPolicy, Recovery, 1)
		if r, ok := refusal.(*Refusal); ok {
			r.Reason = Replayed
		}
		return Match{}, refusal
	case errors.Is(err, recovery.ErrWrong):
		return Match{}, a.fail(m, &a.recovery, recoveryPolicy, Recovery, 1)
	case err != nil:
		return Match{}, err
	}
	a.codes.touch()
	a.recovery.succeed()
	a.totp.forgive(totpPolicy, m.Now)
	a.turn(m)
	if err := a.record(m, Event{Kind: EventRecoveryUsed, Factor: Recovery}); err != nil {
		return Match{}, err
	}
	return Match{Factor: Recovery}, nil
}

// fail counts a failure, records the lock that begins with it, and returns the
// refusal that says so.
func (a *Account) fail(m Moment, t *Throttle, p policy, f Factor, cost int) error {
	t.fail(p, m.Now, cost)
	a.changed = true
	refusal := &Refusal{Reason: WrongCode}
	disabled := p.disableAt > 0 && t.Failures >= p.disableAt
	if until := t.until(p, cost); m.Now.Before(until) && !disabled {
		refusal.RetryAt = until
	}
	var err error
	switch {
	case disabled:
		err = a.record(m, Event{Kind: EventFactorDisabled, Factor: f})
	case t.Failures == p.free, t.exhausted(p, cost):
		err = a.record(m, Event{Kind: EventLocked, Factor: f})
	}
	if err != nil {
		return err
	}
	return refusal
}

// LockedUntil reports whether codes of the factor are not evaluated now, and
// until when; the zero time if waiting does not end it.
func (a *Account) LockedUntil(f Factor, now time.Time) (until time.Time, locked bool) {
	if len(a.authenticators) == 0 {
		return time.Time{}, false
	}
	err := a.totp.blocked(totpPolicy, now, len(a.authenticators))
	if f == Recovery {
		err = a.recovery.blocked(recoveryPolicy, now, 1)
	}
	if r, ok := err.(*Refusal); ok {
		return r.RetryAt, true
	}
	return time.Time{}, false
}
