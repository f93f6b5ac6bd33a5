package enrollment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// SignInOptions is what [Guard.SignIn] is told about a sign-in beyond the user.
type SignInOptions struct {
	// Purpose is what the challenge is for. Defaults to [PurposeSignIn]. A
	// password reset has its own, so that its challenge does not sign in.
	Purpose Purpose

	// Require says that this user must have a second factor. Without one the decision is
	// MustEnroll instead of Proceed. An application that exempts some users leaves it
	// false for them. Defaults to false.
	Require bool

	// Grace is until when a user may put off the enrolment that Require demands.
	// Before that time, the decision is Proceed with Decision.EnrollBy. Defaults
	// to the zero time: no grace.
	Grace time.Time

	// Enrolled says that the application's own records have this user as enrolled. An
	// account that is not confirmed is then ErrMissing: sealing can't notice that a row
	// was deleted, or that a whole old row was put back. Defaults to false.
	//
	// An application that keeps such a flag sets it after Confirm and at each Success, and
	// clears it before Disable, Admin.Reset, ApproveReset and Erase, and with
	// [EventReset]. In the other order, a crash in between would leave a user who can't
	// sign in.
	Enrolled bool

	// Channel names what the first factor came over, for example "email" for
	// a magic link: at most 64 printable bytes. A delivered code is refused over
	// the same channel, see BindOptions.Channel. Defaults to "".
	Channel string

	// Browser names the browser of the user, and binds an EnrollToken to it: at most
	// [MaxBrowser] printable bytes, such as the hash of a cookie that the application
	// sets before the sign-in. With another text, the token is worth nothing. Defaults
	// to "": the token is good wherever the client keeps it.
	Browser string

	// Device is the token of a trusted device, from the cookie of this browser.
	// Any other text has no effect, and needs no check. It counts at a sign-in
	// only. Defaults to none.
	Device DeviceToken

	// Import is the second factor that the user has in the system that the application is
	// leaving. SignIn takes it over in one write and then asks for a code, so that users
	// move one by one, each at a sign-in. Defaults to nil: nothing is imported.
	//
	// It is for users who never had a second factor here. If two-factor authentication is
	// on here, was on before, or the user has a ticket, SignIn decides as without it and
	// says so in Decision.NotImported. Import.Again is an error here. If Enrolled is set
	// and the account is gone, the error is ErrMissing as always.
	//
	// As with [Admin.Import], the codes that the app shows now and next count as used; see
	// Decision.NextCode. A pending setup is dropped. Unlike with Admin.Import, an account
	// keeps its waits, budgets and a bypass. The event is [EventImported], without an
	// actor.
	//
	// Pass what the other system has for this user for every purpose, also for a password
	// reset. The other system has to stop accepting codes of the user before the call.
	// After SignIn has returned without an error, this library alone decides about the
	// user, and the secret in the other system is of no use. See MOVING.md.
	Import *Import
}

// Next is what an application does after the first factor was right. The zero Next is
// Refuse.
type Next uint8

// The decisions.
const (
	// Refuse: do not sign in. It comes with an error.
	Refuse Next = iota

	// Proceed: the account has no second factor and needs none, or the code is
	// waived; see Decision.Waived. Start the session, or go on with what
	// SignInOptions.Purpose was for.
	Proceed

	// AskCode: ask for a code and answer the challenge with it. There is no
	// session until then.
	AskCode

	// MustEnroll: the account needs a second factor and has none. Lead the user
	// through Begin, with [ByEnrollToken], and Confirm. Its Success starts the session
	// if it has the purpose of the sign-in; see PurposeSetup. There is no session until
	// then.
	MustEnroll
)

var nextNames = [...]string{Refuse: "refuse", Proceed: "proceed", AskCode: "ask_code", MustEnroll: "must_enroll"}

// String returns the decision in one word: "refuse", "proceed", "ask_code" or
// "must_enroll".
func (n Next) String() string {
	if int(n) >= len(nextNames) {
		return fmt.Sprintf("Next(%d)", uint8(n))
	}
	return nextNames[n]
}

// errNext says that a value or a text is no Next.
var errNext = errors.New("enrollment: Next is not a defined decision")

// MarshalText returns what String returns, so that JSON has the word. It returns
// an error for a value that is not one of the decisions.
func (n Next) MarshalText() ([]byte, error) {
	if int(n) >= len(nextNames) {
		return nil, errNext
	}
	return []byte(nextNames[n]), nil
}

// UnmarshalText sets n to the decision with that word. For any other text it
// returns an error, and n is Refuse.
func (n *Next) UnmarshalText(text []byte) error {
	i := slices.Index(nextNames[:], string(text))
	if i < 0 {
		*n = Refuse
		return errNext
	}
	*n = Next(i)
	return nil
}

// A Decision is the result of [Guard.SignIn].
type Decision struct {
	// Next is what to do. A Decision that came with an error says Refuse.
	Next Next `json:"next"`

	// Challenge is set for AskCode. Keep it in a cookie or hand it to the
	// client. It is worth nothing without a code.
	Challenge Challenge `json:"challenge,omitzero"`

	// EnrollToken is set for MustEnroll: it proves the setup. See there how to keep it.
	EnrollToken EnrollToken `json:"enroll_token,omitzero"`

	// Expires is when the challenge ends, or until when the EnrollToken can begin a
	// setup.
	Expires time.Time `json:"expires,omitzero"`

	// Factors are the account's factors that can answer the challenge: FactorTOTP,
	// FactorDelivered and FactorRecovery. No message has been sent yet; FactorDelivered
	// says that [Messages.Send] can send one. It is left out without Config.Sender, and if
	// the address is on SignInOptions.Channel.
	Factors []Factor `json:"factors,omitempty"`

	// Digits is how many digits a code of the user's apps and hardware tokens has: 6, 7 or
	// 8. It is 0 if they differ, or if there is none. A page can say the number, and send
	// the code with its last digit; if it is 0, the user sends it. A code in a message has
	// six digits.
	Digits int `json:"digits,omitempty"`

	// NextCode is set with AskCode after an import, while an app of the user shows codes
	// that count as used. From this time on, each app shows another one; it is at most two
	// periods after the import. Show it. Recovery codes work at once.
	NextCode time.Time `json:"next_code,omitzero"`

	// NotImported is why SignInOptions.Import was not taken over: ReasonAlreadyEnrolled
	// or ReasonWasEnrolled. It is "" if it was, or if there was none. It is not part
	// of the JSON.
	NotImported Reason `json:"-"`

	// ThreeCodes says, with AskCode, that app codes are locked or disabled, and that
	// three consecutive codes let the owner in: offer [ThreeCodes].
	ThreeCodes bool `json:"three_codes,omitempty"`

	// Waived is why no code is asked for, with Proceed: FactorTrustedDevice or
	// FactorBypass. FactorBypass also appears while nothing is set up yet. It is "" if no
	// code was needed.
	Waived Factor `json:"waived,omitempty"`

	// EnrollBy is set with Proceed if the user must enrol by then, because of
	// SignInOptions.Grace or a bypass. Show it.
	EnrollBy time.Time `json:"enroll_by,omitzero"`

	// Stamp is set with Proceed. It goes into the session; see [Stamp].
	Stamp Stamp `json:"stamp,omitempty"`
}

// SignIn decides what follows after the application has checked the first factor of the
// user. If a code is needed, it mints a challenge. Call it only after that check: a
// challenge says that the first factor was right.
//
// At a sign-in that proceeds, SignIn writes Status.LastSignIn if the user has a
// record. It writes nothing for a user without one, and nothing with a challenge,
// except when it takes SignInOptions.Import over, repairs what a broken clock has
// left behind, or remembers the challenge for Config.AlertUnanswered.
//
// When a bypass has ended and the user still has no second factor, the decision
// is MustEnroll, whatever SignInOptions.Require and SignInOptions.Grace say.
//
// SignIn returns no [Denied]: every error is a fault, and the decision is Refuse
// then. The error matches [ErrMissing] if SignInOptions.Enrolled contradicts the
// stored account. It names the field, and matches the Reason if there is one, if
// SignInOptions.Import can't be taken over as it is.
func (g *Guard) SignIn(ctx context.Context, userID string, o SignInOptions) (_ Decision, err error) {
	if err := g.check(); err != nil {
		return Decision{}, err
	}
	if o.Purpose == "" {
		o.Purpose = PurposeSignIn
	}
	if err := o.Purpose.validate(); err != nil {
		return Decision{}, err
	}
	if len(o.Channel) > MaxChannel || !typed.Printable(o.Channel) {
		return Decision{}, fmt.Errorf("enrollment: SignInOptions.Channel is not at most %d printable bytes", MaxChannel)
	}
	if err := validBrowser(o.Browser); err != nil {
		return Decision{}, err
	}
	login := account.Login{
		SignIn:   o.Purpose == PurposeSignIn,
		Require:  o.Require,
		Grace:    o.Grace,
		Enrolled: o.Enrolled,
		Device:   g.deviceHash(userID, o.Device),
		Channel:  o.Channel,
		Delivers: g.config.Sender != nil,
	}
	if err := g.draw(login.Challenge[:]); err != nil {
		return Decision{}, err
	}
	var from seed
	if g.config.ReplenishCodes {
		var err error
		if from, err = g.newSeed(); err != nil {
			return Decision{}, err
		}
	}
	old, err := g.readMoveIn(o.Import)
	if err != nil {
		return Decision{}, err
	}
	e := edit{guard: g, user: userID, reads: true}
	defer e.conclude(ctx, &err)
	d, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Decision], error) {
		moved, not, err := old.moveIn(a, m, o.Enrolled)
		if err != nil {
			return nil, err
		}
		d, err := a.SignIn(m, login)
		if e.op, e.via = "", d.Waived; moved || d.Waived != account.NoFactor {
			e.op = opSignIn
		}
		stamp := g.stampOf(userID, a)
		return func(ctx context.Context) (Decision, error) {
			public, err := g.decision(ctx, userID, o, d, stamp, from)
			public.NotImported = not
			return public, err
		}, err
	})
	if err == nil && d.Next == Refuse {
		err = ErrMissing
	}
	return d, err
}

// nexts are the public names of what follows.
var nexts = map[account.Next]Next{
	account.Refuse: Refuse, account.Proceed: Proceed, account.AskCode: AskCode, account.MustEnroll: MustEnroll,
}

// decision returns the public view of a decision, with the token that it takes to go
// on.
func (g *Guard) decision(ctx context.Context, userID string, o SignInOptions, from account.Decision, stamp Stamp, s seed) (Decision, error) {
	d := Decision{
		Next:     nexts[from.Next],
		Expires:  from.Challenge.Expires,
		Waived:   factorOf(from.Waived),
		EnrollBy: from.EnrollBy,
		Digits:   from.Digits,
		NextCode: from.NextCode,

		ThreeCodes: from.Consecutive,
	}
	for _, f := range from.Factors {
		d.Factors = append(d.Factors, factorOf(f))
	}
	var err error
	switch d.Next {
	case Proceed:
		d.Stamp = stamp
	case AskCode:
		d.Challenge, err = g.sealChallenge(ctx, challenge{
			Challenge: from.Challenge, user: userID, purpose: o.Purpose, channel: o.Channel, browser: o.Browser, seed: s,
		})
	case MustEnroll:
		d.Expires = from.Enroll.At.Add(EnrollTTL)
		d.EnrollToken, err = g.sealEnroll(ctx, enrollToken{
			Enroll: from.Enroll, user: userID, purpose: o.Purpose, browser: o.Browser,
		})
	}
	return d, err
}
