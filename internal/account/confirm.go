package account

import (
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Confirmation is what has come of a code that proves an authenticator or an
// address.
type Confirmation struct {
	Event    EventKind
	Match    Match
	NewCodes bool // whether the set of recovery codes that was prepared was stored
}

// confirmed ends a confirmation: what was handed out before is void, and the set
// that was prepared is the account's if it needs one. It was set up with a token of
// that id, which expires then.
func (a *Account) confirmed(m Moment, e Event, app AuthenticatorID, needsCodes bool, id SetupID, expires time.Time) (Confirmation, error) {
	if needsCodes {
		a.setCodes(m)
	}
	a.setUp = completedAs(id, expires, needsCodes)
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
	done := Confirmation{Event: e.Kind, Match: Match{Factor: e.Factor, Authenticator: app}, NewCodes: needsCodes}
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

// Confirm turns the waiting authenticator into a working one if the code is
// right. The code's step is used up by it. Where the account has no recovery
// codes left it asks for NeedSet.
func (a *Account) Confirm(m Moment, id SetupID, digits string) (Confirmation, error) {
	s, err := a.FindSetup(id)
	if err != nil {
		return Confirmation{}, err
	}
	replaced := a.find(s.Replaces) // -1 for none: whatever removes one drops the setup
	if replaced < 0 && len(a.authenticators) >= m.Limits.Authenticators {
		return Confirmation{}, refuse(TooManyAuthenticators)
	}
	needsCodes, err := a.needsCodes(m)
	if err != nil {
		return Confirmation{}, err
	}
	if s.Codes.Len() > 0 && !needsCodes {
		// The owner has noted codes that would never work.
		if err := a.mayMake(m); err != nil {
			return Confirmation{}, err
		}
	}
	if err := a.checkSetup(m, s, digits); err != nil {
		return Confirmation{}, err
	}
	if needsCodes && m.Prepared.Set == nil {
		return Confirmation{}, a.ask(Need{Kind: NeedSet, Shown: s.Codes})
	}
	if len(a.authenticators) == 0 && a.totp.few(totpPolicy, m.Now, 1) {
		a.totp.leaveGuesses(totpPolicy, m.Now, 1) // setups of hardware tokens have spent them
	}
	kind := EventAuthenticatorAdded
	switch {
	case !a.enrolled():
		kind = EventEnabled
	case replaced >= 0:
		kind = EventAuthenticatorReplaced
		a.drop(replaced)
	}
	x := s.Authenticator
	x.Added, x.Used = m.Now, m.Now
	a.authenticators = append(a.authenticators, x)
	done, err := a.confirmed(m, Event{Kind: kind, Factor: TOTP, Name: x.Name}, x.ID, needsCodes, s.ID, s.Expires)
	done.Match.Drift = x.drift(m, x.Last)
	return done, err
}

// checkSetup evaluates a code against a waiting authenticator. Its failures
// are counted apart: who confirms has seen the secret, so they say nothing
// about guessing. For the same reason the work may tell what the code was right
// for, and so does the answer. Hardware tokens are another matter.
func (a *Account) checkSetup(m Moment, s *Setup, digits string) error {
	x := &s.Authenticator
	if x.Hardware {
		return a.checkHardware(m, x, digits)
	}
	fits, alone := len(digits) == x.Key.Params().Digits, x.withDefaults()
	if !fits && len(digits) != alone.Key.Params().Digits {
		return refuse(MalformedCode)
	}
	if err := s.Throttle.blocked(totpPolicy, m.Now); err != nil {
		return about(TOTP, err)
	}
	if fits {
		step, err := x.check(m, digits)
		if err == nil {
			x.Last = step
			a.changed = true
			return nil
		}
		if !errors.Is(err, totp.ErrWrong) {
			return err
		}
	}
	refusal := &Refusal{Reason: WrongCode}
	_, err := alone.check(m, digits)
	switch {
	case err == nil: // an app that ignores what the setup asks for
		refusal.Reason = ParamsIgnored
	case fits:
		if skew, err := x.clockOffset(m, digits); err == nil {
			refusal.Reason, refusal.Skew = ClockSkew, skew
		}
	case !errors.Is(err, totp.ErrWrong):
		return refuse(MalformedCode) // nothing was evaluated
	}
	s.Throttle.fail(totpPolicy, m.Now, 1)
	a.changed = true
	if until := s.Throttle.until(totpPolicy); m.Now.Before(until) {
		refusal.RetryAt = until
	}
	return about(TOTP, refusal)
}
