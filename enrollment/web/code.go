package web

import "github.com/seed-1b6a03a1/twofactor/enrollment"

// What the field "with" says about the code: it is from a message, only the code of an
// app will do, or three consecutive codes of an app are asked for. Or it says that the
// form before was about another account, so that there is nothing to ask for.
const (
	withText     = "text"
	onlyApp      = "app"
	withThree    = "three"
	otherAccount = "other"
)

// messageDigits is how many digits a code in a message has.
const messageDigits = 6

// digitsOfAll returns how many digits a code of the authenticators has, or 0 if they
// differ.
func digitsOfAll(list []enrollment.Authenticator) int {
	digits := 0
	for i, x := range list {
		if i > 0 && x.Digits != digits {
			return 0
		}
		digits = x.Digits
	}
	return digits
}

// answerWith answers a challenge with the code that was sent, or with three consecutive
// ones if the field was sent more than once.
func (c *call) answerWith(purpose enrollment.Purpose, challenge enrollment.Challenge) (enrollment.Success, error) {
	if len(c.in.Code) > 1 {
		return c.guard.ThreeCodes().Answer(c.r.Context(), purpose, challenge, c.in.Code)
	}
	return c.guard.Answer(c.r.Context(), purpose, challenge, c.in.Code.first())
}

// verifyWith is the same for a user who is signed in.
func (c *call) verifyWith(purpose enrollment.Purpose) (enrollment.Success, error) {
	if len(c.in.Code) > 1 {
		return c.guard.ThreeCodes().Verify(c.r.Context(), c.user, purpose, c.in.Code)
	}
	return c.guard.Verify(c.r.Context(), c.user, purpose, c.in.Code.first())
}
