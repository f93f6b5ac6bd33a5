package web

import (
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// keepNewCode keeps what shows the code that replaced the one that was typed: the challenge
// that it answered, and the used code, which is good for nothing else any more.
func (c *call) keepNewCode(user string, purpose enrollment.Purpose, challenge enrollment.Challenge) {
	c.setCookie(cookieNewCode, 0, challenge.Reveal(), packed(user), packed(string(purpose)+"\n"+c.in.Code.first()))
}

// newCodeOf is [call.codesOf] for such a code.
func (c *call) newCodeOf(user string, part []string) (recovery.Codes, error) {
	first, code, _ := strings.Cut(unpacked(part[2]), "\n") // which no purpose contains
	purpose, none := enrollment.Purpose(first), &enrollment.Denied{Reason: enrollment.ReasonCodesNotKept}
	if purpose != enrollment.PurposeSignIn && c.life(purpose) == 0 { // a browser can send anything
		return recovery.Codes{}, none
	}
	owner, fresh, err := c.guard.NewCode(c.r.Context(), purpose, enrollment.ChallengeOf(part[0]), code)
	switch {
	case err != nil:
		return recovery.Codes{}, err
	case owner != user:
		return recovery.Codes{}, none
	}
	return recovery.JoinCodes(fresh)
}

// replaced shows the new code if the challenge was answered with this recovery code before,
// in a request whose answer the client has not seen. That signs nobody in, and leads on to
// the next page.
func (c *call) replaced(purpose enrollment.Purpose, challenge enrollment.Challenge, next string) bool {
	if challenge.IsZero() || len(c.in.Code) != 1 {
		return false
	}
	user, fresh, err := c.guard.NewCode(c.r.Context(), purpose, challenge, c.in.Code[0])
	switch {
	case err == nil && !c.isOf(user):
		return false
	case err == nil && c.json:
		c.replacement = fresh
		c.fault(&enrollment.Denied{Reason: enrollment.ReasonChallengeSpent})
	case err == nil:
		c.dropCookies(cookieChallenge, cookieMessage, cookieStep, cookieStepCode)
		c.keepNewCode(user, purpose, challenge)
		c.redirect(c.at("/codes", "return", next))
	case deniedIn(err) == nil:
		c.fault(err)
	default:
		return false
	}
	return true
}
