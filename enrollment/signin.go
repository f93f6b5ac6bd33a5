package enrollment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ChallengeTTL is how long a challenge can be answered.
const ChallengeTTL = 10 * time.Minute

// maxPurpose is the length of the longest Purpose and channel in bytes.
const maxPurpose = 64

// A Purpose is what a code is asked for. It keeps challenges apart: one for one
// purpose is not answered for another. Hosts name their own: 1 to 64 printable bytes.
type Purpose string

// Purposes of the library.
const (
	// SignInPurpose is the second step of a sign-in.
	SignInPurpose Purpose = "sign-in"

	// SetupPurpose stands in the Success of a Confirm. It is an error anywhere
	// else.
	SetupPurpose Purpose = "setup"
)

func (p Purpose) validate() error {
	if len(p) == 0 || len(p) > maxPurpose || !printable(string(p)) {
		return fmt.Errorf("enrollment: the purpose is not 1 to %d printable bytes", maxPurpose)
	}
	if p == SetupPurpose {
		return errors.New("enrollment: the purpose is that of Confirm alone")
	}
	return nil
}

// Login is what [Guard.SignIn] is told about a sign-in beyond the user.
type Login struct {
	// Purpose is what the challenge is for. Defaults to [SignInPurpose]. A
	// password reset has its own, so that its challenge does not sign in.
	Purpose Purpose

	// Require says that this user must have a second factor: without one the
	// decision is MustEnroll instead of Proceed. Defaults to false.
	Require bool

	// Enrolled says that the host's own records have this user as enrolled. An
	// account that is not confirmed is then ErrMissing: sealing can't notice
	// that a row was deleted, or that a whole old row was put back. Defaults to
	// false.
	//
	// A host that keeps such a flag sets it after Confirm and clears it before
	// it calls Disable, and sets it again if that is denied: a crash in between
	// then leaves a flag that is missing, which the next Success mends, and not
	// a user who can't sign in.
	Enrolled bool

	// Channel names what the first factor came over, for example "email" for
	// a magic link: at most 64 printable bytes. It is carried in the challenge;
	// nothing reads it yet. Defaults to "".
	Channel string
}

// Next is what a host does after the first factor was right. The zero Next is
// Refuse.
type Next uint8

// The decisions.
const (
	// Refuse: do not sign in. It comes with an error.
	Refuse Next = iota

	// Proceed: no second factor is set up and none is demanded. Start the
	// session.
	Proceed

	// AskCode: ask for a code and answer the challenge with it. There is no
	// session until then.
	AskCode

	// MustEnroll: a second factor is demanded and there is none. Lead the user
	// into Begin and Confirm; the Success of Confirm starts the session.
	MustEnroll
)

var nextNames = [...]string{Refuse: "refuse", Proceed: "proceed", AskCode: "ask code", MustEnroll: "must enroll"}

// String returns the decision in words.
func (n Next) String() string {
	if int(n) >= len(nextNames) {
		return fmt.Sprintf("Next(%d)", uint8(n))
	}
	return nextNames[n]
}

// A Decision is the result of [Guard.SignIn].
type Decision struct {
	// Next is what to do. A Decision that came with an error says Refuse.
	Next Next

	// Challenge is set for AskCode. Keep it in a cookie or hand it to the
	// client; it is opaque, at most 2,048 bytes of the base64url alphabet, and
	// worth nothing without a code.
	Challenge string

	// Expires is when the challenge can't be answered any more.
	Expires time.Time
}

// SignIn decides what follows after the host has checked the first factor of
// the user, and mints the challenge where a code has to be asked for. Call it
// only then: a challenge says that the first factor was right. SignIn writes
// nothing.
func (g *Guard) SignIn(ctx context.Context, userID string, l Login) (Decision, error) {
	if l.Purpose == "" {
		l.Purpose = SignInPurpose
	}
	if err := l.Purpose.validate(); err != nil {
		return Decision{}, err
	}
	if len(l.Channel) > maxPurpose || !printable(l.Channel) {
		return Decision{}, fmt.Errorf("enrollment: Login.Channel is not at most %d printable bytes", maxPurpose)
	}
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return Decision{}, err
	}
	switch {
	case a.State() == account.Confirmed:
	case l.Enrolled:
		return Decision{}, ErrMissing
	case l.Require:
		return Decision{Next: MustEnroll}, nil
	default:
		return Decision{Next: Proceed}, nil
	}
	c := challenge{
		Challenge: account.Challenge{Epoch: a.Epoch(), Issued: m.Now, Expires: m.Now.Add(ChallengeTTL)},
		user:      userID,
		purpose:   l.Purpose,
		channel:   l.Channel,
	}
	if _, err := io.ReadFull(g.random, c.ID[:]); err != nil {
		return Decision{}, fmt.Errorf("enrollment: drawing random bytes: %w", err)
	}
	token, err := g.sealChallenge(ctx, c)
	if err != nil {
		return Decision{}, err
	}
	return Decision{Next: AskCode, Challenge: token, Expires: c.Expires}, nil
}

// A Success says that a user has just answered with a code. A Guard returns
// one only together with a nil error; the zero Success stands for nobody.
type Success struct {
	// UserID is who answered.
	UserID string

	// Purpose is what was answered for.
	Purpose Purpose

	// Factor is what was answered with.
	Factor Factor

	// Authenticator is the ID of the authenticator, where Factor is TOTP.
	Authenticator string

	// At is when, in UTC.
	At time.Time

	// Receipt says the same in an opaque, sealed string that a session can
	// keep. ByReceipt takes it as a proof for [ReceiptTTL], unless a factor
	// was changed meanwhile, whatever the code was asked for.
	Receipt string

	// CodesLeft is how many recovery codes are unspent. Tell the user when
	// they get few.
	CodesLeft int
}

// success makes the Success of a right code. It is part of the decision: it is
// made before the account is stored.
func (g *Guard) success(ctx context.Context, userID string, a *account.Account, p Purpose, match account.Match, now time.Time) (Success, error) {
	token, err := g.sealReceipt(ctx, receipt{epoch: a.Epoch(), at: now, factor: match.Factor, user: userID, purpose: p})
	if err != nil {
		return Success{}, err
	}
	left, _, err := a.CodesLeft()
	if err != nil {
		return Success{}, err
	}
	s := Success{
		UserID:    userID,
		Purpose:   p,
		Factor:    factorOf(match.Factor),
		At:        now,
		Receipt:   token,
		CodesLeft: left,
	}
	if match.Factor == account.TOTP {
		s.Authenticator = formatAuthenticatorID(match.Authenticator)
	}
	return s, nil
}

// Answer evaluates the code, an app's or a recovery code, that was given for a
// challenge of this purpose. Whose challenge it is stands in the challenge; the
// Success says it. A success spends the challenge, a failure does not.
//
// It returns a [Denied] of reason ChallengeInvalid, ChallengeExpired,
// ChallengeSpent or ChallengeVoid, where the first factor has to be given
// again; or of MalformedCode, WrongCode, Replayed, Locked or FactorDisabled,
// where the same challenge can be answered again.
func (g *Guard) Answer(ctx context.Context, purpose Purpose, challenge, code string) (Success, error) {
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	c, err := g.openChallenge(ctx, challenge)
	switch {
	case errors.Is(err, errToken), err == nil && c.purpose != purpose:
		return Success{}, deny(ChallengeInvalid)
	case err != nil:
		return Success{}, err
	case !fresh(c.Issued, g.now(), ChallengeTTL) || !g.now().Before(c.Expires):
		return Success{}, deny(ChallengeExpired)
	}
	q, err := readGuess(code)
	if err != nil {
		return Success{}, err
	}
	var ok Success
	e := edit{guard: g, op: "answer", user: c.user, guess: q}
	e.decide = func(ctx context.Context, a *account.Account, m account.Moment) error {
		if err := a.CheckChallenge(c.Challenge); err != nil {
			return err
		}
		if !m.Now.Before(c.Expires) { // while it waited for its turn
			return deny(ChallengeExpired)
		}
		match, err := a.Check(m, q.Guess)
		if err != nil {
			return err
		}
		a.SpendChallenge(m, c.Challenge, match.Factor, purpose == SignInPurpose)
		ok, err = g.success(ctx, c.user, a, purpose, match, m.Now)
		return err
	}
	if err := e.run(ctx); err != nil {
		return Success{}, err
	}
	return ok, nil
}

// Verify evaluates a code that a user who is signed in has typed, before
// something grave or to prove a change of settings. The host takes the user
// from its own session, never from what the client sent.
//
// It returns a [Denied] of reason NotEnrolled, MalformedCode, WrongCode,
// Replayed, Locked or FactorDisabled.
func (g *Guard) Verify(ctx context.Context, userID string, purpose Purpose, code string) (Success, error) {
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	q, err := readGuess(code)
	if err != nil {
		return Success{}, err
	}
	var ok Success
	e := edit{guard: g, op: "verify", user: userID, guess: q}
	e.decide = func(ctx context.Context, a *account.Account, m account.Moment) error {
		match, err := a.Check(m, q.Guess)
		if err != nil {
			return err
		}
		ok, err = g.success(ctx, userID, a, purpose, match, m.Now)
		return err
	}
	if err := e.run(ctx); err != nil {
		return Success{}, err
	}
	return ok, nil
}
