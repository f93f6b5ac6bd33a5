package web

import (
	"errors"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// try changes settings with the proofs that are at hand: the receipt of a code, or the
// word of the application that it has just checked the first factor.
func (c *call) try(change func(enrollment.Proof) error) error {
	if !c.enroll.IsZero() {
		return change(enrollment.ByEnrollToken(c.enroll, ""))
	}
	receipt := c.receipt(SettingsPurpose)
	var err error
	if receipt.IsZero() {
		err = change(enrollment.Proof{})
	} else {
		err = change(enrollment.ByReceipt(receipt))
	}
	if !errors.Is(err, enrollment.ErrProof) {
		return err
	}
	fresh, fault := c.fresh()
	switch {
	case fault != nil:
		return fault
	case !fresh:
		return err
	}
	if again := change(enrollment.ByReauth(reauthMethod)); !errors.Is(again, enrollment.ReasonProofNotAllowed) {
		return again
	}
	return err // which says what would do
}

// reauthMethod is what events say of a proof by the application's word.
const reauthMethod = "sign-in"

// clockSlack is how far the clocks of two nodes may differ. A time that is further ahead
// is of a clock that has jumped, or no time of a sign-in, and would be fresh for longer.
const clockSlack = time.Minute

// fresh reports whether the first factor was checked just now.
func (c *call) fresh() (bool, error) {
	at, err := c.config.Reauth(c.r)
	age := c.guard.Now().Sub(at)
	return err == nil && !at.IsZero() && age >= -clockSlack && age <= enrollment.ReceiptTTL, err
}

// refused answers a change that was not made. If only a proof was missing, it asks for
// that and leads back to the page, which has the button again. Otherwise the other page
// says why.
func (c *call) refused(err error, kind enrollment.ChangeKind, page, other string) {
	if !errors.Is(err, enrollment.ErrProof) || c.json {
		c.deny(err, other)
		return
	}
	if errors.Is(err, enrollment.ReasonEnrollTokenInvalid) {
		c.demandEnded(err)
		return
	}
	if errors.Is(err, enrollment.ReasonProofNotAllowed) {
		c.setNote(noteOf(err, c.guard.Now())) // something else will do
	}
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return
	}
	c.demand(status, kind, page)
}

// may reports whether the page of a change can be shown: the change is possible, and
// what proves it is at hand. Otherwise it answers the request.
func (c *call) may(kind enrollment.ChangeKind, page string) (enrollment.Status, bool) {
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return status, false
	}
	change, possible := status.Change(kind)
	if !c.enroll.IsZero() {
		return status, c.demanded(status, kind, possible)
	}
	if !possible && kind == enrollment.ChangeBind && c.later(status) {
		return status, false
	}
	if !possible { // perhaps it is done already
		c.redirect(c.at("/"))
		return status, false
	}
	if len(change.Codes) == 0 && len(change.Receipts) == 0 && !change.Reauth {
		return status, true
	}
	s, err := c.guard.RecentlyVerified(c.r.Context(), c.user, SettingsPurpose, c.receipt(SettingsPurpose), enrollment.ReceiptTTL)
	if err == nil && slices.Contains(change.Receipts, s.Factor) {
		return status, true
	}
	if err != nil && !errors.Is(err, enrollment.ErrProof) {
		c.fault(err)
		return status, false
	}
	if change.Reauth {
		fresh, err := c.fresh()
		if err != nil {
			c.fault(err)
		}
		if fresh || err != nil {
			return status, fresh
		}
	}
	c.demand(status, kind, page)
	return status, false
}

// demand leads to where the user can prove a change, and back to the page.
func (c *call) demand(status enrollment.Status, kind enrollment.ChangeKind, page string) {
	if !status.Enabled() {
		c.toLogin(page)
		return
	}
	with := ""
	if kind == enrollment.ChangeRecoveryCodes {
		with = onlyApp
	}
	c.redirect(c.at("/step", "for", string(SettingsPurpose), "with", with, "return", page))
}
