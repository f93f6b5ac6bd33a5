package enrollment

import (
	"context"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// ThreeCodes lets owners sign in with three codes that their app shows one after the
// other, when a single code is not enough. Three codes can't be guessed, so they are
// evaluated even while app codes are locked or disabled. So an attacker with the
// password, who can lock app codes, can't keep the owner out. Three codes also work if
// the clock of the phone, or the server's, is wrong by up to ten minutes; Success.Drift
// says by how much.
//
// Offer it where Decision.ThreeCodes or Denied.ThreeCodes is set: show three fields
// of the same name, and ask the user to wait for the next code twice, which takes
// about a minute. If the lock ends meanwhile, the codes are evaluated all the same.
//
//	if err := r.ParseForm(); err != nil {
//		return err
//	}
//	ok, err := guard.ThreeCodes().Answer(ctx, enrollment.PurposeSignIn, challenge, r.PostForm["code"])
//
// # What it costs
//
// Three guesses at six digits are right with a chance of 4·10⁻¹⁷ for each
// authenticator. If exactly two of the three are right, used or not, and the last one
// was not used, the try is counted, and [EventNearMiss] tells the owner. The fifth such
// try in a row, each less than twenty minutes after the one before, and each one after
// it, uses the codes up. Other wrong tries are not counted. An attacker who measures how
// long answers take notices a near miss, which raises the chance to less than 10⁻¹⁵.
//
// An attacker who sees three codes that the owner did not use can use them for ten
// minutes, or for twenty if the clock of the phone is ten minutes ahead. So their
// receipt proves changes of settings, and earns trust in a device, only if the last
// code would have been accepted by itself. If not, it is good for
// [Guard.RecentlyVerified] alone, and everything else denies it as
// ReasonProofNotAllowed.
//
// A ThreeCodes is made by [Guard.ThreeCodes], and safe for concurrent use.
type ThreeCodes struct {
	guard *Guard
}

// ThreeCodes returns the ThreeCodes of the Guard.
func (g *Guard) ThreeCodes() ThreeCodes { return ThreeCodes{g} }

// Answer is [Guard.Answer] with three consecutive codes of one app, the earliest
// first. All of them must be later than the last code that was used. Each is read by
// itself, as [totp.Normalize] reads it. A success spends the challenge and the codes,
// and ends the run of wrong codes; it gives nothing back to the budget of guesses,
// so app codes can stay locked for up to a day. A failure leaves the challenge as it
// is.
//
// It returns a [Denied] that matches [ErrChallenge]: ask for the first factor again. It
// returns one of reason ReasonMalformedCode if there are not three codes of the same
// length; ReasonWrongCode; or ReasonReplayed if the codes are right and at least the
// first of them was used. Then RetryAt is when the app has shown three others. With
// Config.ShortSecretsUntil there is ReasonMustReplace; see [Replacement].
func (c ThreeCodes) Answer(ctx context.Context, purpose Purpose, challenge Challenge, codes []string) (_ Success, err error) {
	g := c.guard
	if err := g.check(); err != nil {
		return Success{}, err
	}
	e := edit{guard: g, op: opAnswerThree, via: account.TOTP}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	from, err := g.readChallenge(ctx, purpose, challenge)
	if err != nil {
		return Success{}, err
	}
	digits, err := readConsecutive(codes)
	if err != nil {
		return Success{}, err
	}
	e.user = from.user
	x, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[answer], error) {
		match, err := a.AnswerConsecutive(m, from.Challenge, digits, purpose == PurposeSignIn)
		if err != nil {
			return nil, err
		}
		return g.answered(from, a, purpose, match, m)
	})
	return x.outcome(err)
}

// Verify is [Guard.Verify] with three consecutive codes of one app, as Answer takes
// them. It returns a [Denied] of reason ReasonNotEnrolled, ReasonMalformedCode,
// ReasonWrongCode or ReasonReplayed.
func (c ThreeCodes) Verify(ctx context.Context, userID string, purpose Purpose, codes []string) (_ Success, err error) {
	g := c.guard
	if err := g.check(); err != nil {
		return Success{}, err
	}
	e := edit{guard: g, op: opVerifyThree, via: account.TOTP, user: userID}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	digits, err := readConsecutive(codes)
	if err != nil {
		return Success{}, err
	}
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Success], error) {
		match, err := a.CheckConsecutive(m, digits)
		if err != nil {
			return nil, err
		}
		return g.success(challenge{user: userID}, a, purpose, match, m)
	})
}

// Resynchronize measures how wrong the clock of a hardware token is, because nobody can
// set that clock. From then on, codes of the token are accepted by its own clock, in a
// window as narrow as before. The authenticator is the ID of one with
// Authenticator.HardwareToken (see [Status]), and the codes are three consecutive ones of
// it, as Answer takes them. A success uses them up and ends the run of wrong codes. Offer
// it if the Success.Drift of a token is not zero at each sign-in, or if three consecutive
// codes of it are accepted and a single one is not.
//
// It finds a clock that is wrong by up to ten minutes. Each call replaces what the one
// before has found. A token that is set up again starts at zero.
//
// It takes a proof like a new authenticator: [ByCode] or [ByReceipt] with an app code, of
// this token as well while its codes are accepted, or a recovery code. The three codes
// are no proof: an attacker who has seen four codes of the token could move the window
// to their time, and change settings with the fourth. The proof is looked at after the
// three codes, so a page can ask for it when they were right.
//
// The event is [EventResynchronized]. It returns a [Denied] of reason
// ReasonNotEnrolled; ReasonUnknownAuthenticator, also for an authenticator that is no
// hardware token; ReasonMalformedCode, ReasonWrongCode or ReasonReplayed, as Answer
// does; or ReasonProofRequired, ReasonProofInvalid, ReasonProofStale,
// ReasonProofNotAllowed, or a reason of [Guard.Verify].
func (c ThreeCodes) Resynchronize(ctx context.Context, userID, authenticator string, codes []string, p Proof) (err error) {
	g := c.guard
	if err := g.check(); err != nil {
		return err
	}
	e := edit{guard: g, op: opResynchronize, user: userID}
	defer e.conclude(ctx, &err)
	id, err := readAuthenticatorID(authenticator)
	if err != nil {
		return err
	}
	digits, err := readConsecutive(codes)
	if err != nil {
		return err
	}
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error {
		return a.Resynchronize(m, id, digits, proof)
	})
}

// readConsecutive reads three codes, each by itself.
func readConsecutive(inputs []string) (codes account.Consecutive, err error) {
	if len(inputs) != len(codes) {
		return codes, deny(ReasonMalformedCode)
	}
	for i, input := range inputs {
		if codes[i], err = totp.Normalize(input); err != nil {
			return account.Consecutive{}, deny(ReasonMalformedCode)
		}
	}
	return codes, nil
}
