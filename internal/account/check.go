package account

import (
	"errors"
	"slices"
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
	Delivered

	// What can replace a code at a sign-in. Nothing is proven by
	// them.
	ByBypass
	TrustedDevice

	// ElsewhenTOTP is the factor of a receipt of three consecutive codes of another
	// time; see [Match.Receipt].
	ElsewhenTOTP
)

// A Guess is a code that somebody typed, in the form in which it can be
// evaluated.
type Guess struct {
	// Factor is what the text looks like: TOTP, Recovery, or NoFactor where it
	// can only be a code of another system. Delivered is not told by the look.
	Factor Factor

	// Digits is the normalised code, for TOTP and Delivered.
	Digits string

	// Quoted says that the digits stood in a text, such as "Your code is 123456".
	// That text can be a code of another system instead.
	Quoted bool

	// Delivery names the message that the code came with, for Delivered.
	Delivery DeliveryID

	// Scheme is what the code's length names, for Recovery.
	Scheme recovery.Scheme

	// Replenish says that a recovery code that is used is replaced at once.
	Replenish bool
}

// A Match is a guess that was right.
type Match struct {
	Factor        Factor
	Authenticator AuthenticatorID // for TOTP
	Drift         time.Duration   // for TOTP: how far the code's step is ahead
	Elsewhen      bool            // for TOTP: whether a single code of that step is not accepted now
	Replenished   bool            // whether the spare has replaced the code
	Missed        Missed          // for an answer: what was wrong before it
	Replace       AuthenticatorID // for an answer: what has to be replaced instead of going on
}

// Receipt returns the factor that a receipt of the match is of. Three consecutive
// codes are good for twenty minutes, so somebody may have noted them down for later.
// If they are of another time than the present, their receipt is good for what the
// codes were asked for, and proves no change.
func (x Match) Receipt() Factor {
	if x.Elsewhen {
		return ElsewhenTOTP
	}
	return x.Factor
}

// Check evaluates a guess and counts it. A success has changed the account, and so has a
// refusal with [WrongCode], except for an app code on an account without an
// authenticator; [Locked], [FactorDisabled], [MalformedCode] and a replayed TOTP code
// have not.
//
// It asks for NeedDigest or NeedImported if a recovery code may be evaluated, and
// something has yet to be derived for it. The account has not changed then.
func (a *Account) Check(m Moment, g Guess) (Match, error) {
	if !a.enrolled() && g.Factor == NoFactor {
		return Match{}, refuse(MalformedCode)
	}
	if !a.enrolled() {
		return Match{}, refuse(NotEnrolled)
	}
	var match Match
	factor, imported, err := a.reading(g)
	switch {
	case err != nil:
		return Match{}, err
	case imported:
		match, err = a.checkImported(m)
	case !a.takes(factor, len(g.Digits)):
		return Match{}, a.refused(m, NoFactor, refuse(MalformedCode))
	case factor == Recovery:
		match, err = a.checkRecovery(m, g)
	case factor == Delivered:
		match, err = a.checkDelivered(m, g)
	case factor == TOTP:
		match, err = a.checkTOTP(m, g.Digits)
	default:
		return Match{}, a.refused(m, NoFactor, refuse(MalformedCode))
	}
	if err == nil {
		err = a.succeeded(m, match.Factor)
	}
	if err != nil {
		return Match{}, a.refused(m, factor, err)
	}
	a.matched = match.Factor
	return match, nil
}

// Matched returns what a guess was right as, NoFactor if none was.
func (a *Account) Matched() Factor { return a.matched }

// reading decides what a guess is taken for. Where the account has codes of
// another system, it has no set of its own, and a text is one of those unless it
// has as many digits as an authenticator's codes, or as the code in a message
// where one is asked for, and nothing else.
func (a *Account) reading(g Guess) (f Factor, imported bool, err error) {
	if g.Factor == Delivered && !g.Quoted && a.takes(Delivered, len(g.Digits)) {
		return Delivered, false, nil
	}
	codes, err := a.imported.get(decodeImported)
	if err != nil {
		return NoFactor, false, err
	}
	if len(*codes) == 0 {
		return g.Factor, false, nil
	}
	if g.Factor == TOTP && !g.Quoted && len(a.authenticators) > 0 && a.takes(TOTP, len(g.Digits)) {
		return TOTP, false, nil
	}
	return Recovery, true, nil
}

// takes reports whether codes of the factor can have that many digits. What can't
// be right is a slip and no guess, so that it is not counted.
func (a *Account) takes(f Factor, digits int) bool {
	switch {
	case f == Delivered:
		return digits == DeliveredDigits
	case f == TOTP && len(a.authenticators) > 0:
		return slices.ContainsFunc(a.authenticators, func(x Authenticator) bool { return x.Key.Params().Digits == digits })
	}
	return true
}

// succeeded ends what ends when a user has answered with a code.
func (a *Account) succeeded(m Moment, by Factor) error {
	a.bypass = Bypass{}
	if a.reset.Open {
		return a.CancelReset(m, by)
	}
	return nil
}

// about says in a refusal what the code was taken for.
func about(f Factor, err error) error {
	if r := refusalIn(err); r != nil {
		r.Factor = f
	}
	return err
}

// refused says in a refusal what the code was taken for, and what else would do.
func (a *Account) refused(m Moment, f Factor, err error) error {
	if r := refusalIn(err); r != nil {
		r.Consecutive = a.OffersConsecutive(m.Now)
	}
	return about(f, err)
}

// OffersConsecutive reports whether three consecutive codes are the way in for an
// owner with the app: a single one is not evaluated now. It follows from the lock
// alone, so it tells nothing about what was typed.
func (a *Account) OffersConsecutive(now time.Time) bool {
	_, locked := a.LockedUntil(TOTP, now)
	return locked
}

// checkTOTP holds the code against every authenticator, whichever matches, so
// that the work tells nothing.
func (a *Account) checkTOTP(m Moment, digits string) (Match, error) {
	if len(a.authenticators) == 0 {
		// Nothing is evaluated, so nothing is counted: an account that has an
		// address alone answers every guess alike.
		return Match{}, refuse(WrongCode)
	}
	if err := a.totp.blocked(totpPolicy, m.Now); err != nil {
		return Match{}, err
	}
	matched, drift := -1, time.Duration(0)
	var next time.Time // when a replayed code is followed by one that is unused
	for i := range a.authenticators {
		x := &a.authenticators[i]
		step, err := x.check(m, digits)
		switch {
		case err == nil:
			x.Last, x.Used = step, m.Now
			matched, drift = i, x.drift(m, step)
		case errors.Is(err, totp.ErrReplayed):
			next = later(next, x.nextUnused(m.Now))
		case !errors.Is(err, totp.ErrWrong):
			return Match{}, err
		}
	}
	switch {
	case matched >= 0:
		a.totp.succeed()
		a.changed = true
		return Match{Factor: TOTP, Authenticator: a.authenticators[matched].ID, Drift: drift}, nil
	case !next.IsZero():
		return Match{}, &Refusal{Reason: Replayed, RetryAt: next}
	}
	a.missed = digits
	return Match{}, a.fail(m, &a.totp, totpPolicy, TOTP, a.guessCost())
}

func (a *Account) checkRecovery(m Moment, g Guess) (Match, error) {
	if err := a.recovery.blocked(recoveryPolicy, m.Now); err != nil {
		return Match{}, err
	}
	set, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return Match{}, err
	}
	if set.IsZero() || set.Derivation().Scheme() != g.Scheme {
		return Match{}, a.fail(m, &a.recovery, recoveryPolicy, Recovery, 1)
	}
	need := Need{Kind: NeedDigest, From: set.Derivation()}
	if g.Replenish {
		need.replenished = *set
	}
	got := m.Prepared.Digest
	if got == nil || got.From != need.From {
		return Match{}, a.ask(need)
	}
	spent := *set // a copy: nothing has changed if a spare is needed first
	place, err := spent.Spend(got.Digest, m.Now)
	switch {
	case errors.Is(err, recovery.ErrSpent):
		return Match{}, a.spentAgain(m, recoveryPolicy)
	case errors.Is(err, recovery.ErrWrong):
		return Match{}, a.fail(m, &a.recovery, recoveryPolicy, Recovery, 1)
	case err != nil:
		return Match{}, err
	}
	if g.Replenish {
		if got.Spare == nil {
			return Match{}, a.ask(need)
		}
		if err := a.replenish(&spent, place, *got.Spare); err != nil {
			return Match{}, err
		}
	}
	a.codes.set(spent)
	a.codesTouched()
	if spent.Remaining() == 0 {
		a.DropKept() // nothing of them can be shown any more
	}
	return Match{Factor: Recovery, Replenished: g.Replenish}, a.recovered(m)
}

// spentAgain counts a recovery code that was used before.
func (a *Account) spentAgain(m Moment, p policy) error {
	refusal := a.fail(m, &a.recovery, p, Recovery, 1)
	if r := refusalIn(refusal); r != nil {
		r.Reason = Replayed
	}
	return refusal
}

// recovered does what follows from the use of a recovery code: the other
// factors are held back no longer, and what was handed out is void.
func (a *Account) recovered(m Moment) error {
	a.recovery.succeed()
	a.leaveGuesses(m.Now)
	a.rotateEpoch(m)
	return a.record(m, Event{Kind: EventRecoveryUsed, Factor: Recovery})
}
