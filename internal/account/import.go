package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Import sets up an account with authenticators that another system has
// proven, and its recovery codes, for which the caller has asked CheckImported.
// App codes that could have been used there until now are used up, and so are
// those that the account remembers of authenticators that are gone, whatever
// their kind: the mark is a time. Again allows it where the account was on
// before, or waits for its ticket. A refusal changes nothing.
func (a *Account) Import(m Moment, authenticators []Authenticator, codes []ImportedCode, again bool, by Admin) error {
	if err := a.importable(m, authenticators, again); err != nil {
		return err
	}
	if err := a.clear(m); err != nil {
		return err
	}
	a.takeOver(m, authenticators, codes)
	a.leaveGuesses(m.Now) // at the price of a guess from now on
	return a.record(m, by.event(EventImported))
}

// MoveIn is Import at a sign-in, without an administrator and never again. Nobody
// but the user's password stands behind it, so it forgives nothing: the account
// keeps its throttles. It also keeps a bypass, which holds for an account that is
// on as well.
func (a *Account) MoveIn(m Moment, authenticators []Authenticator, codes []ImportedCode) error {
	if err := a.importable(m, authenticators, false); err != nil {
		return err
	}
	a.rotateEpoch(m) // a setup that somebody has begun is gone
	a.takeOver(m, authenticators, codes)
	return a.record(m, Event{Kind: EventImported})
}

// importable returns the refusal if the account can't take these over, or an error if
// their codes can't be computed.
func (a *Account) importable(m Moment, authenticators []Authenticator, again bool) error {
	switch {
	case a.enrolled():
		return refuse(AlreadyEnrolled)
	case !again && (a.wasConfirmed || a.ticket != (TicketHash{})):
		return refuse(WasEnrolled)
	case len(authenticators) > m.Limits.Authenticators:
		return refuse(TooManyAuthenticators)
	}
	for i, x := range authenticators {
		if x.Short() && m.Limits.ShortUntil.IsZero() {
			return refuse(ShortSecret)
		}
		for _, y := range authenticators[:i] {
			if x.Key.Secret().Equal(y.Key.Secret()) {
				return refuse(DuplicateSecret)
			}
		}
		if err := x.approved(m); err != nil {
			return err
		}
	}
	return nil
}

// takeOver makes them the authenticators and the recovery codes of an account
// that has none.
func (a *Account) takeOver(m Moment, authenticators []Authenticator, codes []ImportedCode) {
	for _, x := range authenticators {
		// A phone that is ahead may have used the next step's code there. The mark
		// is not below 0, the step of 1970, where none was used.
		x.Last = max(0, x.Key.Step(m.Now)+totp.LookAround, x.Key.Step(time.Unix(a.lastUsed, 0)))
		x.Offset = 0 // it is found out here
		if x.Name == "" {
			x.Name = defaultName
		}
		if x.Added.Unix() <= 0 || x.Added.After(m.Now) {
			x.Added = m.Now
		}
		a.authenticators = append(a.authenticators, x)
	}
	a.wasConfirmed = true
	a.imported.set(codes)
}

// nextCode returns from when on each app shows a code that was not used, after an
// import has used up the present ones; the zero time if each may show one now. It is
// about imports alone: whether the owner has just used a code is nothing to tell
// someone who has only the password.
func (a *Account) nextCode(now time.Time) (next time.Time) {
	for i := range a.authenticators {
		x := &a.authenticators[i]
		if x.Used.IsZero() && x.Key.Step(now) <= x.Last {
			next = later(next, x.nextUnused(now))
		}
	}
	return next
}
