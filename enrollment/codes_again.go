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

// NewCode returns the recovery code that has replaced the one which answered the
// challenge, once more; see Config.ReplenishCodes. The code is the one that was typed:
// without it, the challenge shows nothing. So the same request that comes twice, because
// of a second click or a lost answer, shows the new code again. NewCode also returns the
// user, who is not signed in by that. Purpose is that of the challenge.
//
// Call it when Answer is denied as ReasonChallengeSpent, or with Success.Challenge for a
// page that can be loaded again; of [Guard.Verify], only that is a challenge. It works
// until ten minutes after the challenge has expired, or after Verify, and ends before that
// with every change of factor and use of a recovery code. The account has only the hash of
// the code: it is drawn again from the challenge. NewCode changes nothing, and nobody is
// told.
//
// With the scheme Argon2id it takes one derivation. It returns a [Denied] of reason
// ReasonChallengeInvalid, ReasonChallengeExpired, ReasonNotEnrolled or, if there is no such
// code, ReasonCodesNotKept. It also returns [ErrBusy].
func (g *Guard) NewCode(ctx context.Context, purpose Purpose, challenge Challenge, code string) (userID string, _ recovery.Code, err error) {
	if err := g.check(); err != nil {
		return "", recovery.Code{}, err
	}
	e := edit{guard: g, op: opNewCode, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return "", recovery.Code{}, err
	}
	c, err := g.openChallenge(ctx, challenge)
	switch {
	case errors.Is(err, errToken), err == nil && c.purpose != purpose:
		return "", recovery.Code{}, deny(ReasonChallengeInvalid)
	case err != nil:
		return "", recovery.Code{}, err
	case !g.Now().Before(c.Expires.Add(account.RepeatTTL)):
		return "", recovery.Code{}, deny(ReasonChallengeExpired)
	}
	q, ok := readGuess(code)
	if !ok || q.Factor != account.Recovery || c.seed == (seed{}) {
		return "", recovery.Code{}, deny(ReasonCodesNotKept)
	}
	e.user = c.user
	fresh, err := run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Code, error) {
		return a.NewCode(m, c.ID, func(s recovery.Scheme) (recovery.Code, error) { return g.newCode(c, q.code, s) })
	})
	if err != nil {
		return "", recovery.Code{}, err
	}
	return c.user, fresh, nil
}
