package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Disable switches two-factor authentication off. It takes effect at once:
// every secret, recovery code, setup and open challenge is gone with the same
// write. The account's history stays, and so does its budget of guesses, which
// has at least five left then.
//
// The proof is [ByCode] or [ByReceipt], or [ByReauth] where Config.AllowReauth
// is set. It returns a [Denied] of reason ReasonNotEnrolled, ReasonProofRequired,
// ReasonProofInvalid, ReasonProofStale, ReasonProofNotAllowed or whatever evaluating a code
// denies.
func (g *Guard) Disable(ctx context.Context, userID string, p Proof) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opDisable, user: userID}
	defer e.conclude(ctx, &err)
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Disable(m, proof) })
}

// Remove takes one of several authenticators away, by its ID (see [Status]).
// Open challenges, receipts and a setup that waits are void with it.
// Proofs and what is denied are as for [Guard.Disable], and ReasonUnknownAuthenticator
// or ReasonLastAuthenticator.
func (g *Guard) Remove(ctx context.Context, userID, authenticator string, p Proof) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opRemove, user: userID}
	defer e.conclude(ctx, &err)
	id, err := readAuthenticatorID(authenticator)
	if err != nil {
		return err
	}
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Remove(m, id, proof) })
}

// RenewedCodes is the result of [Guard.RenewCodes].
type RenewedCodes struct {
	// Codes are the new recovery codes, to be shown once. They can't be encoded
	// as JSON; see [Confirmed].
	Codes recovery.Codes `json:"codes"`

	// Receipt takes the place of the receipt that was used as the proof, or
	// says that the code was right: renewing voids earlier receipts. It is as
	// old as the proof.
	Receipt Receipt `json:"receipt,omitzero"`
}

// RenewCodes makes a new set of recovery codes. All earlier ones stop working
// with the same write, and open challenges, receipts and a setup that waits are
// void with it. An account makes at most five sets in a day, which begins with
// the first of them; those that Confirm makes count.
//
// The proof is [ByCode] or [ByReceipt]. It returns a [Denied] of reason
// ReasonNotEnrolled, ReasonTooManyCodeSets, ReasonProofRequired, ReasonProofInvalid, ReasonProofStale,
// ReasonProofNotAllowed or whatever evaluating a code denies. With the scheme
// Argon2id it takes as long as Confirm.
func (g *Guard) RenewCodes(ctx context.Context, userID string, p Proof) (_ RenewedCodes, err error) {
	if err := g.check(); err != nil {
		return RenewedCodes{}, err
	}
	e := edit{guard: g, op: opRenewCodes, user: userID}
	defer e.conclude(ctx, &err)
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return RenewedCodes{}, err
	}
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[RenewedCodes], error) {
		r, err := a.Renew(m, proof)
		return func(ctx context.Context) (RenewedCodes, error) {
			token, err := g.sealReceipt(ctx, receipt{r, userID, PurposeSetup})
			return RenewedCodes{Codes: m.Prepared.Set.Codes, Receipt: token}, err
		}, err
	})
}

// RecoveryCodes returns the recovery codes of the user that are unspent, in clear and in
// their order, where Config.KeepCodes is set and was when they were made. Every
// call is an event, and the user is told.
//
// The proof is [ByCode] with an app's code, or [ByReceipt] with the receipt of
// one. It returns a [Denied] of reason ReasonNotEnrolled, ReasonCodesNotKept, ReasonProofRequired,
// ReasonProofInvalid, ReasonProofStale, ReasonProofNotAllowed or whatever evaluating a code
// denies.
func (g *Guard) RecoveryCodes(ctx context.Context, userID string, p Proof) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opRecoveryCodes, user: userID}
	defer e.conclude(ctx, &err)
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return recovery.Codes{}, err
	}
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) { return a.Show(m, proof) })
}
