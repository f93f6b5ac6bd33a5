package account

import (
	"crypto/subtle"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// An Admin is who acts on the account of somebody else, and why.
type Admin struct {
	Actor, Reason string
}

func (by Admin) event(kind EventKind) Event {
	return Event{Kind: kind, Actor: by.Actor, Reason: by.Reason}
}

// A TicketHash stands for the ticket that a setup has to bring. The zero
// TicketHash is none.
type TicketHash [32]byte

// Reset takes every factor away without a proof. With a ticket, the next setup
// has to bring it. An account that has no factor is only given the ticket, or
// loses the one it had.
func (a *Account) Reset(m Moment, by Admin, ticket TicketHash) error {
	if !a.enrolled() && ticket == (TicketHash{}) && a.ticket == (TicketHash{}) {
		return refuse(NotEnrolled)
	}
	a.clear(m)
	a.ticket = ticket
	return a.record(m, by.event(EventReset))
}

// Unlock ends what holds back guessing, and leaves some guesses in the budgets.
// It changes nothing if they are there already.
func (a *Account) Unlock(m Moment, by Admin) error {
	switch {
	case a.short(m.Now):
	case !a.enrolled():
		return refuse(NotEnrolled)
	default:
		return nil
	}
	a.leaveGuesses(m.Now)
	a.recovery.leaveGuesses(importedPolicy, m.Now, 1)
	return a.record(m, by.event(EventUnlocked))
}

// short reports whether codes of a factor are locked, or will be before
// leftGuesses more wrong ones. The address counts without one being bound: what
// holds it back holds back binding one.
func (a *Account) short(now time.Time) bool {
	recovery := recoveryPolicy
	if !a.imported.isEmpty() {
		recovery = importedPolicy
	}
	return a.delivery.throttle.short(totpPolicy, now, 1) ||
		a.enrolled() && a.recovery.short(recovery, now, 1) ||
		len(a.authenticators) > 0 && a.totp.short(totpPolicy, now, a.guessCost())
}

// Note records that something was done with the account that changes nothing
// in it.
func (a *Account) Note(m Moment, kind EventKind, by Admin) error {
	return a.record(m, by.event(kind))
}

// Import sets up an account with authenticators that another system has
// proven, and its recovery codes, for which the caller has asked CheckImported.
// App codes that could have been used there until now are used up, and so are
// those that the account remembers of authenticators that are gone, whatever
// their kind: the mark is a time. Again allows it where the account was on
// before, or waits for its ticket. A refusal changes nothing.
func (a *Account) Import(m Moment, authenticators []Authenticator, codes []ImportedCode, again bool, by Admin) error {
	switch {
	case a.enrolled():
		return refuse(AlreadyEnrolled)
	case !again && (a.wasConfirmed || a.ticket != (TicketHash{})):
		return refuse(WasEnrolled)
	case len(authenticators) > MaxAuthenticators:
		return refuse(TooManyAuthenticators)
	}
	for i, x := range authenticators {
		for _, y := range authenticators[:i] {
			if x.Key.Secret().Equal(y.Key.Secret()) {
				return refuse(DuplicateSecret)
			}
		}
	}
	a.clear(m)
	for _, x := range authenticators {
		// A phone that is ahead may have used the next step's code there. Neither
		// is below 0, the step of 1970, where none was used.
		x.Last = max(x.Key.Step(m.Now)+totp.LookAround, x.Key.Step(time.Unix(a.lastUsed, 0)))
		if x.Name == "" {
			x.Name = defaultName
		}
		if x.Added.Unix() <= 0 || x.Added.After(m.Now) {
			x.Added = m.Now
		}
		a.authenticators = append(a.authenticators, x)
	}
	a.leaveGuesses(m.Now) // at the price of a guess from now on
	a.wasConfirmed = true
	a.imported.set(codes)
	return a.record(m, by.event(EventImported))
}

// checkTicket reports whether a setup may begin with that ticket. Wrong ones are
// not counted: a ticket carries 80 bits, and each try costs the caller a call.
func (a *Account) checkTicket(ticket TicketHash) error {
	switch {
	case a.enrolled() || a.ticket == (TicketHash{}):
		return nil
	case ticket == (TicketHash{}):
		return refuse(TicketRequired)
	case subtle.ConstantTimeCompare(a.ticket[:], ticket[:]) != 1:
		return refuse(TicketInvalid)
	}
	return nil
}
