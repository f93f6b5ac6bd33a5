package web

import (
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// Where a used recovery code is replaced, [enrollment.Guard.NewCode] shows the new one once
// more for the challenge and the used code. The client must have the challenge before the
// answer, which can be lost. So the first form with a recovery code is answered with a
// challenge in a cookie and with status 307: the browser sends the same form once more. Until
// then no code is checked.

// stepChallenge returns the challenge that the code of a step-up answers, or the zero one.
func (c *call) stepChallenge() enrollment.Challenge {
	switch {
	case c.json:
		return enrollment.ChallengeOf(c.in.Challenge)
	case c.in.With == withText:
		return enrollment.ChallengeOf(c.cookie(cookieStep, 3)[0])
	}
	part := c.cookie(cookieStepCode, 2)
	if user, err := c.who(); err != nil || user != "" && user != unpacked(part[1]) || !c.isRecovery() {
		return enrollment.Challenge{}
	}
	return enrollment.ChallengeOf(part[0])
}

// isRecovery reports whether the code that was sent looks like a recovery code.
func (c *call) isRecovery() bool {
	_, err := recovery.ParseCode(c.in.Code.first())
	return err == nil && len(c.in.Code) == 1
}

// handChallenge gives the browser a challenge for the recovery code that it has sent, and has
// it send the form once more to the page. It reports false where nothing is to be sent again:
// also if that has just been done, or a browser without cookies would be led in a circle.
func (c *call) handChallenge(purpose enrollment.Purpose, page string) bool {
	if c.json || c.in.With == withText || !c.isRecovery() || c.r.URL.RawQuery != "" {
		return false
	}
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err == nil && !status.ReplaceBy.IsZero() && !c.guard.Now().Before(status.ReplaceBy) {
		return false // an answer to a challenge would demand the replacement
	}
	var d enrollment.Decision
	if err == nil {
		d, err = c.guard.SignIn(c.r.Context(), c.user, enrollment.SignInOptions{Purpose: purpose})
	}
	switch {
	case err != nil:
		c.fault(err)
		return true
	case d.Next != enrollment.AskCode:
		return false
	}
	c.setCookie(cookieStepCode, enrollment.ChallengeTTL, d.Challenge.Reveal(), packed(c.user))
	c.w.Header().Set("Location", page)
	c.w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

// beginStep is for clients that speak JSON: they get the challenge before they send the code.
func (c *call) beginStep() {
	purpose := enrollment.Purpose(c.in.Purpose)
	if c.life(purpose) == 0 {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	d, err := c.guard.SignIn(c.r.Context(), c.user, enrollment.SignInOptions{Purpose: purpose})
	if err != nil {
		c.fault(err)
		return
	}
	c.writeJSON(http.StatusOK, d)
}

// stepCode checks the code of a step-up, as the answer to the challenge if there is one.
func (c *call) stepCode(purpose enrollment.Purpose, challenge enrollment.Challenge) (enrollment.Success, error) {
	if challenge.IsZero() {
		return c.verifyWith(purpose)
	}
	s, err := c.answerWith(purpose, challenge)
	if err == nil && s.UserID != c.user { // somebody else's challenge grants nothing
		return enrollment.Success{}, &enrollment.Denied{Reason: enrollment.ReasonChallengeInvalid}
	}
	return s, err
}

// replacedBefore is replaced for a step-up whose lost answer has ended the session.
func (c *call) replacedBefore(purpose enrollment.Purpose, challenge enrollment.Challenge) bool {
	user, err := c.who()
	return err == nil && user == "" && c.life(purpose) != 0 && c.replaced(purpose, challenge, c.back(c.at("/")))
}
