package web

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// challenge returns the challenge of the sign-in: the one of the message, if the code
// is said to be from there.
func (c *call) challenge() enrollment.Challenge {
	switch {
	case c.json:
		return enrollment.ChallengeOf(c.in.Challenge)
	case c.in.With == withText:
		return enrollment.ChallengeOf(c.cookie(cookieMessage, 3)[0])
	}
	return c.waiting().challenge
}

func (c *call) showSignIn() {
	if c.in.With == otherAccount {
		c.showOtherAccount()
		return
	}
	signIn := c.waiting()
	if signIn.challenge.IsZero() {
		// Nothing is waiting. Perhaps another tab or another click has signed in.
		if user, err := c.who(); err != nil || user != "" {
			c.landed(err)
			return
		}
	}
	page := Page{Name: "sign-in", Title: c.text("signin.title"), Action: c.at("/sign-in"), Return: localPath(c.in.Return)}
	if signIn.challenge.IsZero() {
		page.Title = c.text("signin.again_button")
	} else {
		page.Factors, page.Digits, page.Mark = signIn.factors, signIn.digits, markOf(signIn.user)
		page.Account = signIn.account
		page.Sent = c.sent(cookieMessage)
		page.OfferThree = signIn.three
	}
	page.ThreeCodes = c.in.With == withThree && page.OfferThree
	if page.ByMessage = c.in.With == withText && page.Sent != nil; page.ByMessage {
		page.Digits = messageDigits
	}
	page.OfferTrust, page.OfferReset = c.config.TrustDevices, c.config.Resets
	c.show(page)
}

// landed leads a user on who is signed in already.
func (c *call) landed(err error) {
	if err != nil {
		c.fault(err)
		return
	}
	c.dropCookies(cookieChallenge, cookieMessage, cookieNote) // the note is about a second click
	c.redirect(c.back(c.config.Home))
}

func (c *call) answer() {
	if !c.takesWaiting() {
		return
	}
	challenge := c.challenge()
	if challenge.IsZero() && !c.json {
		c.redirect(c.onward("/sign-in"))
		return
	}
	s, err := c.answerWith(enrollment.PurposeSignIn, challenge)
	if errors.Is(err, enrollment.ErrChallenge) && c.replaced(enrollment.PurposeSignIn, challenge, c.back(c.config.Home)) {
		return
	}
	c.countWrong(c.waiting().user, err)
	switch denied := deniedIn(err); {
	case err == nil:
		c.answered(s)
		return
	case denied != nil && denied.Replace != nil:
		c.dropCookies(cookieChallenge, cookieMessage)
		c.deny(err, c.demandSetup(denied.Replace.EnrollToken, denied.Replace.Authenticator))
		return
	case errors.Is(err, enrollment.ErrChallenge) && c.in.With == withText:
		c.dropCookies(cookieMessage) // the app or another message still can do it
	case errors.Is(err, enrollment.ErrChallenge):
		c.dropCookies(cookieChallenge, cookieMessage)
	case denied != nil && denied.ThreeCodes && c.in.With != withText:
		signIn := c.waiting()
		signIn.three = true
		c.setWaiting(signIn)
	}
	c.deny(err, c.at("/sign-in", "with", c.in.With, "return", localPath(c.in.Return)))
}

// answered signs in a user whose code was right.
func (c *call) answered(s enrollment.Success) {
	answer := map[string]any{}
	if c.in.Trust && c.config.TrustDevices {
		if token := c.trust(s); token != "" {
			answer["device"] = token
		}
	}
	session, ok := c.signIn(signedIn(s))
	if !ok {
		return
	}
	c.user = s.UserID
	c.succeed(s, session, answer, c.tellWrong(s, c.afterSignIn(s.UserID)))
}

// succeed answers with a Success. A recovery code that replaces the used one is shown
// before the next page.
func (c *call) succeed(s enrollment.Success, session any, answer map[string]any, next string) {
	fresh := s.NewCode
	s.NewCode = recovery.Code{}
	switch {
	case c.json:
		answer["success"] = s
		if session != nil {
			answer["session"] = session
		}
		if !fresh.IsZero() {
			answer["new_code"] = fresh.Reveal()
		}
		c.writeJSON(http.StatusOK, answer)
	case fresh.IsZero():
		c.redirect(next)
	default:
		c.keepNewCode(s.UserID, s.Purpose, s.Challenge)
		c.redirect(c.at("/codes", "return", next))
	}
}

// trust makes this browser a trusted device. That it can't be is no reason not to sign
// in.
func (c *call) trust(s enrollment.Success) string {
	name := c.in.Name
	if name == "" {
		name = browserName(c.r.UserAgent())
	}
	d, err := c.guard.Devices().Trust(c.r.Context(), s.UserID, s.Receipt, name)
	if err != nil {
		return ""
	}
	c.setCookie(cookieDevice, d.Device.Expires.Sub(d.Device.Added), d.Token.Reveal())
	return d.Token.Reveal()
}

func (c *call) openReset() {
	if !c.config.Resets {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	if !c.takesWaiting() {
		return
	}
	reset, err := c.guard.ResetRequests().Open(c.r.Context(), c.challenge())
	page := c.onward("/sign-in")
	switch {
	case err == nil && c.json:
		c.writeJSON(http.StatusOK, reset)
	case err == nil:
		c.setNote(note{kind: noteDone, key: "note.reset_asked", until: reset.Matures})
		c.redirect(page)
	default:
		c.deny(err, page)
	}
}
