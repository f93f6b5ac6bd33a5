package account

import "github.com/seed-1b6a03a1/twofactor/recovery"

// A Confirmation is what has come of a code that proves an authenticator or an
// address.
type Confirmation struct {
	Did      EventKind
	Match    Match
	NewCodes bool // whether the set of recovery codes that was prepared was stored
}

// confirmed ends a confirmation: what was handed out before is void, and the set
// that was prepared is the account's if it needs one.
func (a *Account) confirmed(m Moment, e Event, app AuthenticatorID, needsCodes bool) (Confirmation, error) {
	if needsCodes {
		a.setCodes(m)
	}
	a.wasConfirmed = true
	a.ticket = TicketHash{}
	a.rotateEpoch(m)
	if err := a.record(m, e); err != nil {
		return Confirmation{}, err
	}
	if needsCodes && e.Kind != EventEnabled {
		if err := a.record(m, Event{Kind: EventCodesRenewed, Factor: e.Factor}); err != nil {
			return Confirmation{}, err
		}
	}
	done := Confirmation{Did: e.Kind, Match: Match{Factor: e.Factor, Authenticator: app}, NewCodes: needsCodes}
	return done, a.succeeded(m, e.Factor)
}

// needsCodes reports whether a confirmation has to make recovery codes.
func (a *Account) needsCodes(m Moment) (bool, error) {
	held, err := a.codes.get(recovery.DecodeSet)
	if err != nil {
		return false, err
	}
	imported, err := a.importedLeft()
	if err != nil {
		return false, err
	}
	if held.Remaining()+imported > 0 {
		return false, nil
	}
	if err := a.mayMake(m); err != nil {
		if !a.enrolled() {
			return false, err
		}
		return false, nil // a new phone does not wait for paper
	}
	return true, nil
}
