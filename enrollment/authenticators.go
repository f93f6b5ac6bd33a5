package enrollment

import (
	"context"
	"encoding/hex"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// Disable switches two-factor authentication off. It takes effect at once: the
// same write deletes every secret, recovery code, setup and open challenge. The
// account keeps its history and its budget of guesses, with at least five left.
//
// The proof is [ByCode] or [ByReceipt], or [ByReauth] where Config.ReauthDisables is set.
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

// Rename gives an authenticator another name, by its ID (see [Status]): 1 to
// [MaxName] bytes without control characters. The name in the app does not change.
//
// It needs no proof, because it changes no factor. An attacker with a stolen session
// could give two authenticators each other's name, and so make the owner remove the
// wrong one. So the owner is told with the name before, in [EventAuthenticatorRenamed],
// and a page should show Added and Used beside the name. The history keeps the latest
// three events of renaming, so that renaming drives nothing else out. A name is text of
// a user: escape it.
//
// If the name is the same, nothing is written and there is no event. It returns a
// [Denied] of reason ReasonNotEnrolled, ReasonUnknownAuthenticator or
// ReasonInvalidName.
func (g *Guard) Rename(ctx context.Context, userID, authenticator, name string) (err error) {
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opRename, user: userID}
	defer e.conclude(ctx, &err)
	id, err := readAuthenticatorID(authenticator)
	if err != nil {
		return err
	}
	if !validName(name) {
		return deny(ReasonInvalidName)
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Rename(m, id, name) })
}

func validName(name string) bool { return name != "" && len(name) <= MaxName && typed.Printable(name) }

// readAuthenticatorID reads the ID of a Status. An ID that can't be read belongs to
// no authenticator of the account.
func readAuthenticatorID(text string) (id account.AuthenticatorID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, deny(ReasonUnknownAuthenticator)
	}
	return account.AuthenticatorID(raw), nil
}

func formatAuthenticatorID(id account.AuthenticatorID) string { return hex.EncodeToString(id[:]) }
