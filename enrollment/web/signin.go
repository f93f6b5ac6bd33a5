package web

import (
	"errors"
	"fmt"
	"net/http"

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
// Config.Origins. SignIn can't tell who has caused a GET. If a provider or a link in a mail
// leads back by one, check that this browser began the sign-in.
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
		account, err := c.accountOf(userID)
		if err != nil {
			c.fault(err)
			return
		}
		c.setWaiting(waiting{d.Challenge, d.Factors, d.ThreeCodes, d.Digits, userID, account})
		if !d.NextCode.IsZero() {
			c.setNote(note{kind: noteDone, key: noteNextCode, until: d.NextCode})
		}
		next = c.onward("/sign-in")
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
	c.dropCookies(cookieChallenge, cookieMessage, cookieStep, cookieStepCode, cookieEnroll)
	c.dropReceipts()
	for _, name := range codeCookies {
		if owner, _ := ownerOf(c.cookie(name, 3)[1]); owner != in.UserID {
			c.dropCookies(name)
		}
	}
	return c.start(in)
}

// signedIn returns what Config.Start gets after a code. Tokens and codes are left out: a
// session has no use for them.
func signedIn(s enrollment.Success) SignedIn {
	in := SignedIn{UserID: s.UserID, Factor: s.Factor, Stamp: s.Stamp, Success: s}
	in.Success.Receipt, in.Success.NewCode, in.Success.Challenge = enrollment.Receipt{}, recovery.Code{}, enrollment.Challenge{}
	return in
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
