package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// maxWithin bounds how long a receipt is good for a purpose.
const maxWithin = 24 * time.Hour

// A Success says that a user has just answered with a code. A Guard returns
// one only together with a nil error; the zero Success stands for nobody.
type Success struct {
	// UserID is who answered.
	UserID string `json:"user_id"`

	// Purpose is what was answered for.
	Purpose Purpose `json:"purpose"`

	// Factor is what was answered with.
	Factor Factor `json:"factor"`

	// Authenticator is the ID of the authenticator, where Factor is TOTP.
	Authenticator string `json:"authenticator,omitempty"`

	// At is when, in UTC.
	At time.Time `json:"at"`

	// Receipt says the same to the Guard. Keep it in the session. ByReceipt takes
	// it as a proof for [ReceiptTTL], unless a factor was changed meanwhile,
	// whatever the code was asked for.
	Receipt Receipt `json:"receipt,omitzero"`

	// CodesLeft is how many recovery codes are unspent. Tell the user when
	// they get few.
	CodesLeft int `json:"codes_left"`

	// NewCode is the recovery code that has taken the place of the one that was
	// used, with Config.ReplenishCodes; the zero Code otherwise. Show it to the
	// user now: unless Config.KeepCodes is set, nothing can show it later. A
	// Success with a new code can't be encoded as JSON; see [Confirmed].
	NewCode recovery.Code `json:"new_code,omitzero"`
}

// success returns the Success of a right code, whose receipt is yet to be sealed.
func (g *Guard) success(userID string, a *account.Account, p Purpose, match account.Match, m account.Moment) (sealing[Success], error) {
	left, _, err := a.CodesLeft()
	if err != nil {
		return nil, err
	}
	s := Success{
		UserID:    userID,
		Purpose:   p,
		Factor:    factorOf(match.Factor),
		At:        m.Now,
		CodesLeft: left,
	}
	if match.Factor == account.TOTP {
		s.Authenticator = formatAuthenticatorID(match.Authenticator)
	}
	if match.Replenished {
		s.NewCode = m.Prepared.Digest.Spare.Code
	}
	r := receipt{account.Receipt{Epoch: a.Epoch(), At: m.Now, Factor: match.Factor}, userID, p}
	return func(ctx context.Context) (_ Success, err error) {
		s.Receipt, err = g.sealReceipt(ctx, r)
		return s, err
	}, nil
}

// Answer checks the code that was typed for a challenge of this purpose. A
// challenge of SignIn takes an app code or a recovery code. A challenge of
// [Messages.Send] takes the code in the message or a recovery code, but no app
// code: it reads six digits as the code in the message. The challenge identifies
// the user; see Success.UserID. A success spends the challenge, a failure does not.
//
// It returns a [Denied] of reason ReasonChallengeInvalid, ReasonChallengeExpired,
// ReasonChallengeSpent or ReasonChallengeVoid: ask for the first factor again. Or
// it returns one of reason ReasonMalformedCode, ReasonWrongCode, ReasonReplayed,
// ReasonLocked or ReasonFactorDisabled: the same challenge can be answered again.
func (g *Guard) Answer(ctx context.Context, purpose Purpose, challenge Challenge, code string) (_ Success, err error) {
	if err := g.check(); err != nil {
		return Success{}, err
	}
	e := edit{guard: g, op: opAnswer}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	c, err := g.readChallenge(ctx, purpose, challenge)
	if err != nil {
		return Success{}, err
	}
	q, ok := readGuess(code)
	if !ok {
		return Success{}, deny(ReasonMalformedCode)
	}
	if c.Delivery != (account.DeliveryID{}) && q.Factor == account.TOTP {
		q.Factor, q.Delivery = account.Delivered, c.Delivery
	}
	q.Replenish = g.config.ReplenishCodes
	e.user, e.guess = c.user, q
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Success], error) {
		if err := a.CheckChallenge(c.Challenge, m.Now); err != nil {
			return nil, err
		}
		match, err := a.Check(m, q.Guess)
		if err != nil {
			return nil, err
		}
		a.SpendChallenge(m, c.Challenge, match.Factor, purpose == PurposeSignIn)
		return g.success(c.user, a, purpose, match, m)
	})
}

// readChallenge opens a challenge for that purpose, if it has not expired.
func (g *Guard) readChallenge(ctx context.Context, purpose Purpose, token Challenge) (challenge, error) {
	c, err := g.openChallenge(ctx, token)
	switch {
	case errors.Is(err, errToken), err == nil && c.purpose != purpose:
		return c, deny(ReasonChallengeInvalid)
	case err != nil:
		return c, err
	case c.Expired(g.now()):
		return c, deny(ReasonChallengeExpired)
	}
	return c, nil
}

// Verify evaluates a code, an app's or a recovery code, that a user who is
// signed in has typed, before a sensitive action or to prove a change of
// settings. The host takes the user from its own session, never from what the
// client sent. For a delivered code, see [Messages].
//
// It returns a [Denied] of reason ReasonNotEnrolled, ReasonMalformedCode, ReasonWrongCode,
// ReasonReplayed, ReasonLocked or ReasonFactorDisabled.
func (g *Guard) Verify(ctx context.Context, userID string, purpose Purpose, code string) (_ Success, err error) {
	if err := g.check(); err != nil {
		return Success{}, err
	}
	e := edit{guard: g, op: opVerify}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	q, ok := readGuess(code)
	if !ok {
		return Success{}, deny(ReasonMalformedCode)
	}
	q.Replenish = g.config.ReplenishCodes
	e.user, e.guess = userID, q
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Success], error) {
		match, err := a.Check(m, q.Guess)
		if err != nil {
			return nil, err
		}
		return g.success(userID, a, purpose, match, m)
	})
}

// RecentlyVerified returns what a receipt stands for, if the same user answered for that
// very purpose within the given time and no factor was changed since: a user
// who has just stepped up need not do so again. Within is at most 24 hours; a
// longer one, and one that is not positive, is an error. The Success has that
// receipt and the present CodesLeft, and names no authenticator.
//
// A receipt is not bound to a session: keep it where the client can't exchange
// it for a receipt of another session of the same user.
//
// It returns a [Denied] of reason ReasonProofInvalid or ReasonProofStale. It writes nothing.
func (g *Guard) RecentlyVerified(ctx context.Context, userID string, purpose Purpose, receipt Receipt, within time.Duration) (Success, error) {
	if err := g.check(); err != nil {
		return Success{}, err
	}
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	if within <= 0 || within > maxWithin {
		return Success{}, fmt.Errorf("enrollment: within is not more than 0 and at most %v", maxWithin)
	}
	r, err := g.openReceipt(ctx, receipt)
	switch {
	case errors.Is(err, errToken), err == nil && (r.user != userID || r.purpose != purpose):
		return Success{}, deny(ReasonProofInvalid)
	case err != nil:
		return Success{}, err
	}
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return Success{}, err
	}
	if err := a.CheckReceipt(r.Receipt, m.Now, within); err != nil {
		return Success{}, outward(err)
	}
	left, _, err := a.CodesLeft()
	if err != nil {
		return Success{}, outward(err)
	}
	return Success{
		UserID:    userID,
		Purpose:   purpose,
		Factor:    factorOf(r.Factor),
		At:        r.At,
		Receipt:   receipt,
		CodesLeft: left,
	}, nil
}
