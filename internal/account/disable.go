package account

import "github.com/seed-1b6a03a1/twofactor/recovery"

// Disable switches two-factor authentication off: every secret, code, setup
// and spent challenge is gone. The history and the mark of what was used stay,
// and the budget of guesses, with some left in it.
func (a *Account) Disable(m Moment, p Proof) error {
	by, err := a.prove(m, p, toRemove)
	if err != nil {
		return err
	}
	if err := a.clear(m); err != nil {
		return err
	}
	return a.record(m, Event{Kind: EventDisabled, Factor: by.factor, Method: by.method})
}

// clear takes every secret and everything that was handed out or begun away. An alert
// is not waited for any more: there is no code left that could close it.
func (a *Account) clear(m Moment) error {
	if m.Tells {
		if err := a.raiseAlert(m); err != nil {
			return err
		}
	}
	a.wasConfirmed = a.wasConfirmed || a.enrolled()
	a.endBypass()
	for len(a.authenticators) > 0 {
		a.drop(len(a.authenticators) - 1)
	}
	a.codes.set(recovery.Set{})
	a.kept.set(recovery.Codes{})
	a.imported.set(nil)
	a.delivery.address = Address{}
	a.leaveGuesses(m.Now)
	a.recovery = Throttle{}
	a.ticket = TicketHash{}
	a.closeReset()
	a.setUp, a.renewed = completed{}, completed{}
	a.rotateEpoch(m)
	a.changed = true
	return nil
}

// Remove takes one of several authenticators away. The last one is not removed
// but disabled, which is another thing to say yes to.
func (a *Account) Remove(m Moment, id AuthenticatorID, p Proof) error {
	switch {
	case !a.enrolled():
		return refuse(NotEnrolled)
	case a.find(id) < 0:
		return refuse(UnknownAuthenticator)
	case len(a.authenticators) == 1:
		return refuse(LastAuthenticator)
	}
	by, err := a.prove(m, p, toRemove)
	if err != nil {
		return err
	}
	i := a.find(id)
	name := a.authenticators[i].Name
	a.drop(i)
	a.bypass = Bypass{}
	a.rotateEpoch(m)
	return a.record(m, Event{Kind: EventAuthenticatorRemoved, Factor: by.factor, Method: by.method, Name: name})
}
