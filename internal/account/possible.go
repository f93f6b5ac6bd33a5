package account

import (
	"errors"
	"slices"
	"time"
)

// A ChangeKind is a change of settings that can need a proof.
type ChangeKind uint8

// The changes.
const (
	ChangeBegin ChangeKind = iota + 1
	ChangeReplace
	ChangeBind
	ChangeRenew
	ChangeShow
	ChangeRemove
	ChangeUnbind
	ChangeDisable
	ChangeResynchronize
)

// A Possible is a change that would not be refused now, with what would prove it.
type Possible struct {
	Kind     ChangeKind
	Codes    []Factor // whose codes would be evaluated
	Receipts []Factor // whose receipts are enough
	Reauth   bool
	Ticket   bool
}

// An Offer is what the application has to offer.
type Offer struct {
	Delivers bool // whether it sends messages
	Alone    bool // whether an address may be all that an account has
	Keeps    bool // whether it keeps recovery codes
}

// Possible returns the changes that would not be refused now.
func (a *Account) Possible(m Moment, o Offer) ([]Possible, error) {
	on, apps := a.enrolled(), len(a.authenticators)
	ticket := a.checkTicket(TicketHash{}) != nil
	left, _, err := a.CodesLeft()
	if err != nil {
		return nil, err
	}
	kept := false
	if on && o.Keeps && apps > 0 { // an app has to prove it
		_, err := a.unspent()
		if err != nil && refusalIn(err) == nil {
			return nil, err
		}
		kept = err == nil
	}
	var all []Possible
	add := func(possible bool, kind ChangeKind, d demand) {
		if !possible {
			return
		}
		p := Possible{Kind: kind, Ticket: ticket}
		if on {
			p.Codes, p.Receipts = a.provers(m.Now, d, left)
			p.Reauth = d.reauth && m.ReauthDisables
		} else {
			p.Reauth = !m.UnprovenSetup
		}
		all = append(all, p)
	}
	add(apps < m.Limits.Authenticators, ChangeBegin, toAdd)
	add(apps > 0, ChangeReplace, toAdd)
	add(slices.ContainsFunc(a.authenticators, func(x Authenticator) bool { return x.Hardware }), ChangeResynchronize, toAdd)
	add(o.Delivers && (on || o.Alone) && a.mayMessage(m) == nil, ChangeBind, toAdd)
	add(on && a.sets.blocked(m.Now) == nil, ChangeRenew, toAdd)
	add(kept, ChangeShow, toShow)
	add(apps > 1, ChangeRemove, toRemove)
	add(apps > 0 && a.delivery.bound(), ChangeUnbind, toRemove)
	add(on, ChangeDisable, toRemove)
	return all, nil
}

// provers returns whose codes and whose receipts prove what is demanded.
func (a *Account) provers(now time.Time, d demand, left int) (codes, receipts []Factor) {
	if len(a.authenticators) > 0 {
		if _, locked := a.LockedUntil(TOTP, now); !locked {
			codes = append(codes, TOTP)
		}
		receipts = append(receipts, TOTP)
	}
	if d.app {
		return codes, receipts
	}
	if _, locked := a.LockedUntil(Recovery, now); !locked && left > 0 {
		codes = append(codes, Recovery)
	}
	return codes, append(receipts, Recovery)
}

// NextMessage returns from when on a message may be sent, or the zero time if it
// may be sent now or if waiting does not help.
func (a *Account) NextMessage(m Moment) time.Time {
	var r *Refusal
	if errors.As(a.mayMessage(m), &r) {
		return r.RetryAt
	}
	return time.Time{}
}
