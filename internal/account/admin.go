package account

import "crypto/subtle"

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
	if err := a.clear(m); err != nil {
		return err
	}
	a.ticket = ticket
	return a.record(m, by.event(EventReset))
}

// Unlock ends what holds back guessing, and leaves some guesses in the budgets.
// It changes nothing if they are there already.
func (a *Account) Unlock(m Moment, by Admin) error {
	switch {
	case a.fewGuesses(m.Now):
	case !a.enrolled():
		return refuse(NotEnrolled)
	default:
		return nil
	}
	a.leaveGuesses(m.Now)
	a.recovery.leaveGuesses(importedPolicy, m.Now, 1)
	return a.record(m, by.event(EventUnlocked))
}

// Note records that something was done with the account that changes nothing
// in it.
func (a *Account) Note(m Moment, kind EventKind, by Admin) error {
	return a.record(m, by.event(kind))
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
