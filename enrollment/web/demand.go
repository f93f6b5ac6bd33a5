package web

import "github.com/seed-1b6a03a1/twofactor/enrollment"

// A sign-in can demand a setup: the first one, or that of an authenticator which replaces
// one with a short secret. Nobody is signed in until its code is right. Until then the
// token of the sign-in stands for the user, in a cookie as the challenge does, or in the
// body of a request in JSON. Only the routes of a setup take it.

// noteMustEnroll is the key of what the first page of such a setup says.
const noteMustEnroll = "note.must_enroll"

// demandSetup keeps the token, and returns the page that the setup begins with.
func (c *call) demandSetup(token enrollment.EnrollToken, replace string) string {
	c.setCookie(cookieEnroll, enrollment.EnrollConfirmTTL, token.Reveal(), replace)
	return c.onward("/setup/begin")
}

// subject finds out whose authenticator or address is set up, and answers the request if
// that is nobody, or another account than the form is about. A sign-in that demands the
// setup is newer than any session.
func (c *call) subject() bool {
	part := c.cookie(cookieEnroll, 2)
	if c.json {
		part = []string{c.in.Enroll, c.in.Replace}
	}
	if part[0] == "" {
		return c.member()
	}
	token := enrollment.EnrollTokenOf(part[0])
	user, err := c.guard.EnrollingUser(c.r.Context(), token, "")
	switch {
	case err == nil:
		c.user, c.enroll, c.in.Replace = user, token, part[1]
		return c.takes(user)
	case deniedIn(err) == nil || c.json:
		c.fault(err)
		return false
	}
	c.dropCookies(cookieEnroll) // it is over
	return c.member()
}

// demanded reports whether the setup is still to be done, and possible in this way.
// Otherwise it answers the request.
func (c *call) demanded(status enrollment.Status, kind enrollment.ChangeKind, possible bool) bool {
	replaces := kind == enrollment.ChangeReplace && authenticatorOf(status, c.in.Replace) != nil
	switch {
	case status.Enabled() != replaces:
		c.demandEnded(&enrollment.Denied{Reason: enrollment.ReasonEnrollTokenInvalid})
	case !possible && kind == enrollment.ChangeBind && c.later(status):
	case !possible: // no message can be sent to an address now, but an app can be set up
		c.redirect(c.onward("/setup/begin"))
	default:
		return true
	}
	return false
}

// demandEnded tells the user to sign in again.
func (c *call) demandEnded(err error) {
	c.dropCookies(cookieEnroll)
	c.deny(err, c.onward("/sign-in"))
}

// completed goes on with the session after a setup, and returns where that leads to, ""
// for no place in particular. If a sign-in has demanded the setup, it starts the session
// now, unless that was too long ago.
func (c *call) completed(s enrollment.Success) (session any, after string, ok bool) {
	switch {
	case s.Purpose == enrollment.PurposeSignIn:
		session, ok = c.signIn(signedIn(s))
		return session, c.back(c.config.Home), ok
	case !c.enroll.IsZero():
		c.dropCookies(cookieEnroll)
		return nil, withQuery(c.config.Login, "return", localPath(c.in.Return)), true
	}
	session, ok = c.start(SignedIn{UserID: c.user, Renewed: true, Stamp: s.Stamp})
	return session, localPath(c.in.Return), ok
}
