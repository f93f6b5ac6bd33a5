package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// SignIn goes on with a sign-in after the first factor of the user was right, and
// answers the request: it starts the session, or leads to the page that asks for a
// code, or to the setup. Call it in place of starting the session, and write nothing.
//
// A client that sent JSON gets an [enrollment.Decision] with the member "session" if
// the session was started.
//
// A decision of [enrollment.MustEnroll] leads to the setup, whose first code signs in. So
// does a code that is right for a secret that has to be replaced, see
// [enrollment.Replacement]. A cookie ties both to the browser: SignInOptions.Browser stays
// empty.
//
// SignIn refuses a request that another site has sent, so that nobody can sign a user
// into another account. A provider that posts to the application has to be named in
// Config.Origins. A GET can't be told apart like this: if a provider or a link in a mail
// leads back by one, the application has to check that this browser began the sign-in.
func (p *Pages) SignIn(w http.ResponseWriter, r *http.Request, userID string, o enrollment.SignInOptions) {
	c := p.call(w, r)
	c.headers()
	if err := p.config.Origins.Check(r); err != nil {
		c.refuse(http.StatusForbidden, "cross_origin")
		return
	}
	if c.in.Return = r.URL.Query().Get("return"); r.Form != nil {
		c.in.Return = r.Form.Get("return")
	}
	if o.Purpose != "" && o.Purpose != enrollment.PurposeSignIn {
		p.config.Fail(w, r, fmt.Errorf("web: SignIn with the purpose %q", o.Purpose))
		return
	}
	if o.Browser != "" {
		p.config.Fail(w, r, errors.New("web: SignIn with SignInOptions.Browser, which the later requests do not name"))
		return
	}
	if p.config.TrustDevices && o.Device.IsZero() {
		o.Device = enrollment.DeviceTokenOf(c.cookie(cookieDevice, 1)[0])
	}
	d, err := p.guard.SignIn(r.Context(), userID, o)
	if err != nil {
		c.fault(err)
		return
	}
	c.decided(userID, d)
}

// decided does what follows after the first factor.
func (c *call) decided(userID string, d enrollment.Decision) {
	var session any
	next := ""
	switch d.Next {
	case enrollment.Proceed:
		var ok bool
		in := SignedIn{UserID: userID, Factor: d.Waived, EnrollBy: d.EnrollBy, Stamp: d.Stamp}
		if session, ok = c.signIn(in); !ok {
			return
		}
		next = c.afterSignIn(userID)
	case enrollment.AskCode:
		c.dropCookies(cookieMessage, cookieEnroll)
		three := ""
		if d.ThreeCodes {
			three = withThree
		}
		c.setCookie(cookieChallenge, 0, d.Challenge.Reveal(), factorList(d.Factors), three)
		next = c.at("/sign-in", "return", localPath(c.in.Return))
	case enrollment.MustEnroll:
		c.dropCookies(cookieChallenge, cookieMessage)
		c.setNote(note{kind: noteDone, key: noteMustEnroll})
		next = c.demandSetup(d.EnrollToken, "")
	default:
		c.config.Fail(c.w, c.r, fmt.Errorf("web: the decision is %v", d.Next))
		return
	}
	if c.json {
		c.writeJSON(http.StatusOK, struct {
			enrollment.Decision
			Session any `json:"session,omitempty"`
		}{d, session})
		return
	}
	c.redirect(next)
}

// signIn starts the session of a user who has signed in. What belongs to the session
// before ends with it.
func (c *call) signIn(in SignedIn) (session any, ok bool) {
	c.dropCookies(cookieChallenge, cookieMessage, cookieStep, cookieEnroll)
	c.dropReceipts()
	for _, name := range codeCookies {
		if owner, _ := ownerOf(c.cookie(name, 3)[1]); owner != in.UserID {
			c.dropCookies(name)
		}
	}
	return c.start(in)
}

// start calls Config.Start. It answers the request if that fails.
func (c *call) start(in SignedIn) (session any, ok bool) {
	if !in.Renewed {
		in.At = c.guard.Now()
	}
	session, err := c.config.Start(c.w, c.r, in)
	if err != nil {
		c.config.Fail(c.w, c.r, err)
	}
	return session, err == nil
}

// afterSignIn returns where a sign-in leads to. Recovery codes whose answer was lost
// come first.
func (c *call) afterSignIn(userID string) string {
	after := c.back(c.config.Home)
	for _, name := range codeCookies {
		part := c.cookie(name, 3)
		if owner, _ := ownerOf(part[1]); part[0] != "" && owner == userID {
			return c.at("/codes", "return", after)
		}
	}
	return after
}

// challenge returns the challenge of the sign-in: the one of the message, if the code
// is said to be from there.
func (c *call) challenge() enrollment.Challenge {
	switch {
	case c.json:
		return enrollment.ChallengeOf(c.in.Challenge)
	case c.in.With == withText:
		return enrollment.ChallengeOf(c.cookie(cookieMessage, 4)[0])
	}
	return enrollment.ChallengeOf(c.cookie(cookieChallenge, 3)[0])
}

func (c *call) showSignIn() {
	part := c.cookie(cookieChallenge, 3)
	if part[0] == "" {
		// Nothing is waiting. Perhaps another tab or another click has signed in.
		if user, err := c.config.User(c.r); err != nil || user != "" {
			c.landed(err)
			return
		}
	}
	page := Page{Name: "sign-in", Title: c.text("signin.title"), Action: c.at("/sign-in"), Return: localPath(c.in.Return)}
	if part[0] == "" {
		page.Title = c.text("signin.again_button")
	} else {
		page.Factors = factorsOf(part[1])
		page.Sent = c.sent(cookieMessage)
		page.OfferThree = part[2] == withThree
	}
	page.ThreeCodes = c.in.With == withThree && page.OfferThree
	page.ByMessage = c.in.With == withText && page.Sent != nil
	page.OfferTrust, page.OfferReset = c.config.TrustDevices, c.config.Resets
	c.show(page)
}

// landed leads a user on who is signed in already.
func (c *call) landed(err error) {
	if err != nil {
		c.fault(err)
		return
	}
	c.dropCookies(cookieChallenge, cookieMessage)
	c.redirect(c.back(c.config.Home))
}

func (c *call) answer() {
	challenge := c.challenge()
	if challenge.IsZero() && !c.json {
		c.redirect(c.at("/sign-in", "return", localPath(c.in.Return)))
		return
	}
	s, err := c.answerWith(enrollment.PurposeSignIn, challenge)
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
		c.setCookie(cookieChallenge, 0, challenge.Reveal(), c.cookie(cookieChallenge, 3)[1], withThree)
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
	session, ok := c.signIn(SignedIn{UserID: s.UserID, Factor: s.Factor, Stamp: s.Stamp})
	if !ok {
		return
	}
	c.user = s.UserID
	c.succeed(s, session, answer, c.afterSignIn(s.UserID))
}

// succeed answers with a Success. A recovery code that replaces the used one is shown
// in this answer, since nothing keeps it.
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
		codes, err := recovery.JoinCodes(fresh)
		if err != nil {
			c.fault(err)
			return
		}
		c.showOnce(Page{Name: "new-code", Title: c.text("newcode.title"), Codes: codes, Return: next})
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

func (c *call) sendSignIn() {
	challenge := c.challenge()
	d, err := c.guard.Messages().Send(c.r.Context(), enrollment.PurposeSignIn, challenge)
	c.sentMessage(d, err, cookieMessage, c.at("/sign-in", "return", localPath(c.in.Return)))
}

// sentMessage answers with where the code was sent to. In the cookie, the challenge of
// the message stands beside it.
func (c *call) sentMessage(d enrollment.Delivery, err error, cookie, page string) {
	withCode := page + map[bool]string{true: "&", false: "?"}[strings.Contains(page, "?")] + "with=" + withText
	switch {
	case err == nil && c.json:
		c.writeJSON(http.StatusOK, d)
	case err == nil:
		c.setCookie(cookie, 0, d.Challenge.Reveal(), packed(d.Address.Channel), packed(d.Address.Hint), strconv.FormatInt(d.Sent.Unix(), 10))
		c.done(map[bool]string{true: "note.sent_earlier", false: "note.sent"}[d.Earlier], withCode)
	case errors.Is(err, enrollment.ReasonTooSoon) && c.sent(cookie) != nil:
		c.deny(err, withCode)
	default:
		c.deny(err, page)
	}
}

// sent returns where the code of that cookie was sent to, or nil.
func (c *call) sent(cookie string) *enrollment.Address {
	part := c.cookie(cookie, 4)
	if part[0] == "" {
		return nil
	}
	return &enrollment.Address{Channel: unpacked(part[1]), Hint: unpacked(part[2])}
}

func (c *call) openReset() {
	if !c.config.Resets {
		c.refuse(http.StatusNotFound, "not_found")
		return
	}
	reset, err := c.guard.ResetRequests().Open(c.r.Context(), c.challenge())
	page := c.at("/sign-in", "return", localPath(c.in.Return))
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

// factorList writes factors as part of a cookie.
func factorList(factors []enrollment.Factor) string {
	var list []string
	for _, f := range factors {
		list = append(list, string(f))
	}
	return strings.Join(list, ".")
}

// factorsOf reads them. It only decides what the page offers.
func factorsOf(list string) []enrollment.Factor {
	var factors []enrollment.Factor
	for _, f := range []enrollment.Factor{enrollment.FactorTOTP, enrollment.FactorDelivered, enrollment.FactorRecovery} {
		if slices.Contains(strings.Split(list, "."), string(f)) {
			factors = append(factors, f)
		}
	}
	return factors
}
