package enrollment

import (
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// SetupCodes returns the recovery codes that [Guard.Confirm] or [Messages.Confirm]
// has made with the token, once more: the first answer may never have reached the
// user, because of a second click or a lost connection. It works until ten minutes
// after the token has expired, as long as none of the codes was used and no others
// were made. The codes are drawn again from the token, because the account has only
// their hashes. SetupCodes changes nothing, and nobody is told: the event of the setup
// says that there are new codes. An attacker who has the token of the user's setup
// and the user's session sees them too.
//
// With the scheme Argon2id it takes one derivation. It returns a [Denied] that matches
// [ErrSetup], or one of reason ReasonNotEnrolled or ReasonCodesNotKept. The last one
// says that the setup made no codes, is not confirmed yet, or that the account has
// other codes now. It also returns [ErrBusy].
func (g *Guard) SetupCodes(ctx context.Context, userID string, token SetupToken) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opSetupCodes, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	label := labelSetup
	t, err := g.readSetupToken(ctx, label, userID, token)
	if errors.Is(err, ReasonSetupInvalid) {
		label = labelAddress
		t, err = g.readSetupToken(ctx, label, userID, token)
	}
	if err != nil {
		return recovery.Codes{}, err
	}
	e.user = userID
	draw := g.drawFrom(t.seed, label, userID, t.id)
	if draw == nil {
		draw = undrawn
	}
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) {
		codes, err := a.SetupCodes(m, t.id, label == labelAddress, draw)
		return codes, t.outcome(err)
	})
}

// RenewalCodes returns the recovery codes that [Guard.RenewCodesOnce] has made with
// the token, once more. It is like SetupCodes. Instead of its reasons about a setup,
// there is ReasonRenewalInvalid: also if no codes were made with the token.
func (g *Guard) RenewalCodes(ctx context.Context, userID string, token RenewalToken) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opRenewalCodes, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	t, err := g.readRenewal(ctx, userID, token)
	if err != nil {
		return recovery.Codes{}, err
	}
	e.user = userID
	draw := g.drawFrom(t.seed, labelRenewal, userID, t.ID)
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) {
		return a.RenewalCodes(m, t.ID, draw)
	})
}
