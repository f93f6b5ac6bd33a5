package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// RenewedCodes is the result of [Guard.RenewCodes].
type RenewedCodes struct {
	// Codes are the new recovery codes, to be shown once. They can't be encoded
	// as JSON; see [Confirmed].
	Codes recovery.Codes `json:"codes"`

	// Receipt replaces the receipt or code that was the proof, because renewing
	// voids earlier receipts. It is as old as the proof.
	Receipt Receipt `json:"receipt,omitzero"`

	// Stamp replaces the one in the session; see [Stamp].
	Stamp Stamp `json:"stamp,omitempty"`
}

// RenewCodes makes a new set of recovery codes. The same write ends all earlier
// codes, open challenges, receipts and pending setups. An account makes at most
// five sets in a day, which begins with the first of them. Sets that Confirm
// makes count as well.
//
// The proof is [ByCode] or [ByReceipt]. It returns a [Denied] of reason
// ReasonTooManyCodeSets, one that matches [ErrProof], or one of [Guard.Verify]. With
// the scheme Argon2id it takes as long as Confirm.
//
// If the same request can come twice, as from a form, use [Guard.RenewCodesOnce].
func (g *Guard) RenewCodes(ctx context.Context, userID string, p Proof) (_ RenewedCodes, err error) {
	if err := g.check(); err != nil {
		return RenewedCodes{}, err
	}
	e := edit{guard: g, op: opRenewCodes, user: userID}
	defer e.conclude(ctx, &err)
	return e.renewCodes(ctx, renewalToken{}, p)
}

// RenewCodesOnce is RenewCodes with a token of [Guard.PrepareRenewal], which makes one
// set of codes. The same request again, for example after a second click, is denied as
// ReasonAlreadyRenewed, whatever the proof: show the codes with [Guard.RenewalCodes]
// then. Besides the reasons of RenewCodes, there is ReasonRenewalInvalid.
func (g *Guard) RenewCodesOnce(ctx context.Context, userID string, token RenewalToken, p Proof) (_ RenewedCodes, err error) {
	if err := g.check(); err != nil {
		return RenewedCodes{}, err
	}
	e := edit{guard: g, op: opRenewCodes}
	defer e.conclude(ctx, &err)
	t, err := g.readRenewal(ctx, userID, token)
	if err != nil {
		return RenewedCodes{}, err
	}
	e.user, e.draw = userID, g.drawFrom(t.seed, labelRenewal, userID, t.ID)
	return e.renewCodes(ctx, t, p)
}

// renewCodes makes a new set of codes. The zero renewalToken stands for a renewal
// without a token.
func (e *edit) renewCodes(ctx context.Context, t renewalToken, p Proof) (RenewedCodes, error) {
	g, userID := e.guard, e.user
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return RenewedCodes{}, err
	}
	return issue(ctx, e, func(a *account.Account, m account.Moment) (sealing[RenewedCodes], error) {
		r, err := a.Renew(m, t.Renewal, proof)
		stamp := g.stampOf(userID, a)
		return func(ctx context.Context) (RenewedCodes, error) {
			token, err := g.sealReceipt(ctx, receipt{Receipt: r, user: userID, purpose: PurposeSetup})
			return RenewedCodes{Codes: m.Prepared.Set.Codes, Receipt: token, Stamp: stamp}, err
		}, err
	})
}

// RecoveryCodes returns the unspent recovery codes of the user, in clear and in
// their order. Config.KeepCodes must be set now and when the codes were made.
// Every call is an event, and the user is told.
//
// The proof is [ByCode] with an app code, or [ByReceipt] with the receipt of one. It
// returns a [Denied] of reason ReasonCodesNotKept, one that matches [ErrProof], or one
// of [Guard.Verify]. In a dry run it returns an error.
func (g *Guard) RecoveryCodes(ctx context.Context, userID string, p Proof) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opRecoveryCodes, user: userID}
	defer e.conclude(ctx, &err)
	if err := g.reveals(); err != nil {
		return recovery.Codes{}, err
	}
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return recovery.Codes{}, err
	}
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) { return a.Show(m, proof) })
}
