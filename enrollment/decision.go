package enrollment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

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
	// through Begin, with [ByEnrollToken], and Confirm. There is no session until then. If
	// the Success of Confirm has the purpose of the sign-in, and not PurposeSetup, start
	// the session.
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
	// 8. It is 0 if they differ, or if the user has neither. A page can name the number, and
	// send the code after its last digit. With 0, the user has to send it. A code in a
	// message has six digits.
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
