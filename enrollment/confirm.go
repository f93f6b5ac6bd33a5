package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Confirmed is the result of [Guard.Confirm] and [Messages.Confirm].
//
// A Confirmed with recovery codes can't be encoded as JSON, so that codes are not
// sent by accident. A host that sends them says so:
//
//	json.NewEncoder(w).Encode(struct {
//		enrollment.Confirmed
//		Codes []string `json:"codes"`
//	}{done, done.Codes.Reveal()})
type Confirmed struct {
	// Success says that the user has just answered with a code, so that a host
	// that demands enrolment at sign-in can start the session.
	Success Success `json:"success"`

	// Did says what came of it: EventEnabled, EventAuthenticatorAdded,
	// EventAuthenticatorReplaced or EventAddressBound.
	Did EventKind `json:"did"`

	// Codes are the recovery codes, to be shown once: those that the setup has
	// shown, if it has. They are empty (Len is 0) if the account had unspent
	// ones already, which stay valid.
	Codes recovery.Codes `json:"codes,omitzero"`
}

// Confirm turns the setup into a working authenticator if the code is a
// current one of it, and switches two-factor authentication on if it was off.
// The code is used up: the next sign-in takes the next one.
//
// Where the account has no unspent recovery codes, Confirm makes a set. With
// the scheme Argon2id that takes as many derivations as there are codes, half
// a second of a processor.
//
// It returns a [Denied] of reason ReasonSetupInvalid, ReasonSetupExpired,
// ReasonSetupSuperseded, ReasonNoSetup, ReasonMalformedCode, ReasonWrongCode,
// ReasonClockSkew, ReasonLocked, ReasonTooManyAuthenticators or
// ReasonTooManyCodeSets. Wrong codes count for the setup alone.
func (g *Guard) Confirm(ctx context.Context, userID string, token SetupToken, code string) (_ Confirmed, err error) {
	if err := g.check(); err != nil {
		return Confirmed{}, err
	}
	e := edit{guard: g, op: opConfirm}
	defer e.conclude(ctx, &err)
	t, err := g.readSetupToken(ctx, labelSetup, userID, token)
	if err != nil {
		return Confirmed{}, err
	}
	digits, err := totp.Normalize(code)
	if err != nil {
		return Confirmed{}, deny(ReasonMalformedCode)
	}
	e.user, e.via = userID, account.TOTP
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Confirmed], error) {
		done, err := a.Confirm(m, t.id, digits)
		if err != nil {
			return nil, err
		}
		return g.confirmed(userID, a, m, done)
	})
}

// confirmed returns what has come of a confirmation, whose receipt is yet to be
// sealed.
func (g *Guard) confirmed(userID string, a *account.Account, m account.Moment, from account.Confirmation) (sealing[Confirmed], error) {
	success, err := g.success(userID, a, PurposeSetup, from.Match, m)
	if err != nil {
		return nil, err
	}
	done := Confirmed{Did: eventKinds[from.Did]}
	if from.NewCodes {
		done.Codes = m.Prepared.Set.Codes
	}
	return func(ctx context.Context) (_ Confirmed, err error) {
		done.Success, err = success(ctx)
		return done, err
	}, nil
}
