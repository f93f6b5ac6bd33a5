package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// Disable switches two-factor authentication off. It takes effect at once: the
// same write deletes every secret, recovery code, setup and open challenge. The
// account keeps its history and its budget of guesses, with at least five left.
//
// The proof is [ByCode] or [ByReceipt], or [ByReauth] where Config.AllowReauth is set.
// It returns a [Denied] that matches [ErrProof], or one of [Guard.Verify].
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

// Remove removes one of several authenticators, by its ID (see [Status]). Open
// challenges, receipts and pending setups end with it. Proofs and reasons are
// those of [Guard.Disable], and ReasonUnknownAuthenticator or
// ReasonLastAuthenticator.
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
