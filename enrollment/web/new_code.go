package web

import (
	"errors"
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

// answeredBefore shows the new code if the challenge was answered with this recovery code
// before, in a request whose answer the browser has not seen. That signs nobody in.
func (c *call) answeredBefore(challenge enrollment.Challenge, err error) bool {
	if c.json || !errors.Is(err, enrollment.ErrChallenge) || len(c.in.Code) != 1 {
		return false
	}
	user, _, err := c.guard.NewCode(c.r.Context(), enrollment.PurposeSignIn, challenge, c.in.Code[0])
	switch {
	case err == nil:
		c.dropCookies(cookieChallenge, cookieMessage)
		c.keepNewCode(user, enrollment.PurposeSignIn, challenge)
		c.redirect(c.at("/codes", "return", c.back(c.config.Home)))
	case deniedIn(err) == nil:
		c.fault(err)
	default:
		return false
	}
	return true
}
