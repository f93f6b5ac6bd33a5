package enrollment

import (
	"context"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Answer checks the code that was typed for a challenge of this purpose. A
// challenge of SignIn takes an app code or a recovery code. A challenge of
// [Messages.Send] takes the code in the message or a recovery code, but no app
// code: it reads six digits as the code in the message. The challenge identifies
// the user; see Success.UserID. A success spends the challenge, a failure does not.
//
// The code can be pasted with the text around it, on one line of at most 64 bytes: "Your
// code is 123456" or "G-123456". The text must have no other digits, and must not look
// like a recovery code. On an account with recovery codes of another system (see
// [Import]), such a text is treated as one of those codes. A recovery code can be its
// whole line on the sheet; see [recovery.ParseCode]. One text is one guess.
//
// It returns a [Denied] that matches [ErrChallenge]: ask for the first factor again.
// After one that matches [ErrWrongCode] or [ErrLocked], the same challenge can be
// answered again. With Config.ShortSecretsUntil there is ReasonMustReplace: the code
// was right, the challenge is spent, and the user must replace the authenticator; see
// [Replacement].
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
	if q.Replenish = g.replenishes(q); q.Replenish && c.seed == (seed{}) { // it is older than the setting
		if c, err = g.seeded(ctx, c); err != nil {
			return Success{}, err
		}
	}
	e.user, e.guess, e.answers = c.user, q, c
	x, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[answer], error) {
		match, err := a.Answer(m, c.Challenge, q.Guess, purpose == PurposeSignIn)
		if err != nil {
			return nil, err
		}
		return g.answered(c, a, purpose, match, m)
	})
	return x.outcome(err)
}

// Verify checks an app code or a recovery code of a user who is signed in, before a
// sensitive action or to prove a change of settings. The application takes the user
// from its own session, never from what the client sent. For a delivered code, see
// [Messages].
//
// With Config.ReplenishCodes, an answer that is lost takes the new code with it. If it must
// not be lost, give the client a challenge of [Guard.SignIn] for this purpose before it sends
// the code, and call [Guard.Answer]: the same request again shows the code, see
// [Guard.NewCode].
//
// It returns a [Denied] of reason ReasonNotEnrolled, or one that matches [ErrWrongCode]
// or [ErrLocked].
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
	c := challenge{user: userID, purpose: purpose}
	if q.Replenish = g.replenishes(q); q.Replenish {
		if c, err = g.answeredAtOnce(ctx, c); err != nil {
			return Success{}, err
		}
	}
	e.user, e.guess, e.answers = userID, q, c
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Success], error) {
		match, err := a.Check(m, q.Guess)
		if err != nil {
			return nil, err
		}
		if match.Replenished {
			spent := c.Challenge
			spent.Expires = m.Now.Add(account.RepeatTTL)
			a.SpendChallenge(m, spent, match.Factor, false)
		}
		return g.success(c, a, purpose, match, m)
	})
}

// replenishes reports whether the guess is replaced if it is right.
func (g *Guard) replenishes(q *guess) bool {
	return g.config.ReplenishCodes && q.Factor == account.Recovery
}

// answeredAtOnce completes a challenge that nobody is handed before it is answered. It
// has expired, so nothing but [Guard.NewCode] takes it.
func (g *Guard) answeredAtOnce(ctx context.Context, c challenge) (challenge, error) {
	if err := g.draw(c.ID[:]); err != nil {
		return c, err
	}
	c.Issued = g.Now()
	c.Expires = c.Issued
	return g.seeded(ctx, c)
}

// seeded gives the challenge a seed and seals it, before anything is evaluated.
func (g *Guard) seeded(ctx context.Context, c challenge) (_ challenge, err error) {
	if c.seed, err = g.newSeed(); err != nil {
		return c, err
	}
	c.text, err = g.sealChallenge(ctx, c)
	return c, err
}

const (
	// minImported and maxImported bound the text of a recovery code of another
	// system, in bytes.
	minImported = 6
	maxImported = 64
)

// A guess is what a person typed, read as what it looks like. App codes and
// recovery codes differ in length, so one field takes both.
type guess struct {
	account.Guess
	code recovery.Code // for Recovery: what the digest is derived from
	text string        // what a code of another system is held against
}

// readDigits returns the digits of an app code or a code from a message, where
// nothing else can be meant. quoted says that other text stood around them.
func readDigits(input string) (digits string, quoted, ok bool) {
	if digits, err := totp.Normalize(input); err == nil {
		return digits, false, true
	}
	if len(input) > totp.MaxInput {
		return "", false, false
	}
	digits, ok = typed.Message(input)
	return digits, true, ok
}

// readGuess reads what a person typed. One text is one guess, and is read in this
// order: six to eight digits are an app code; a text with 16 or 26 symbols is a recovery
// code, and may be a line of the sheet, unless it is a sentence such as "Der Code ist
// 123456"; and a sentence is the app code in it, by the rules of typed.Message. On an
// account with codes of another system, a sentence could be one of those, and is taken
// for one. Whether an account has such codes is known once it is loaded.
//
// readGuess reports false for text that can't be a code, not even of another system,
// before anything is loaded or derived.
func readGuess(input string) (*guess, bool) {
	q := &guess{text: strings.TrimSpace(input)}
	digits, quoted, isDigits := readDigits(input)
	if isDigits && !quoted {
		q.Factor, q.Digits = account.TOTP, digits
		return q, true
	}
	code, err := recovery.ParseCode(input)
	switch {
	case isDigits && (err != nil || typed.Worded(input)):
		q.Factor, q.Digits, q.Quoted = account.TOTP, digits, true
	case err == nil:
		q.Factor, q.Scheme, q.code = account.Recovery, code.Scheme(), code
	case len(input) > maxImported || len(q.text) < minImported || !typed.Printable(q.text):
		return nil, false
	}
	return q, true
}
