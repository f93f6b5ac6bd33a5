package web

import (
	"cmp"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// beginPage returns the page that begins the setup of an authenticator, in place of
// another one or not.
func (c *call) beginPage() (string, enrollment.ChangeKind) {
	kind := enrollment.ChangeBegin
	if c.in.Replace != "" {
		kind = enrollment.ChangeReplace
	}
	return c.at("/setup/begin", "replace", c.in.Replace, "return", localPath(c.in.Return)), kind
}

func (c *call) showBegin() {
	if !c.subject() {
		return
	}
	self, kind := c.beginPage()
	if c.codesFirst(self, cookieSetup) {
		return
	}
	status, ok := c.may(kind, self)
	if !ok {
		return
	}
	page := Page{
		Name: "begin", Title: c.text("begin.title"), Action: c.at("/setup/begin"),
		Status: &status, Replace: c.in.Replace, Return: localPath(c.in.Return), OfferAddress: c.config.Address != nil,
	}
	change, _ := status.Change(kind)
	page.AskTicket = change.Ticket
	if status.Enabled() {
		page.Title = c.text("begin.title_another")
	}
	if kind == enrollment.ChangeReplace {
		page.Title = c.text("begin.title_replace")
		if page.Authenticator = authenticatorOf(status, c.in.Replace); page.Authenticator == nil {
			c.redirect(c.at("/"))
			return
		}
	}
	c.show(page)
}

func (c *call) begin() {
	if !c.subject() {
		return
	}
	self, kind := c.beginPage()
	if c.codesFirst(self, cookieSetup) {
		return
	}
	account, err := c.config.Account(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return
	}
	o := enrollment.BeginOptions{Account: account, Issuer: c.config.Issuer(c.r), Name: c.in.Name, Replace: c.in.Replace}
	if c.in.Ticket != "" {
		o.Ticket = enrollment.TicketOf(c.in.Ticket)
	}
	var setup enrollment.Setup
	err = c.try(func(p enrollment.Proof) (err error) {
		o.Proof = p
		setup, err = c.guard.Begin(c.r.Context(), c.user, o)
		return err
	})
	switch {
	case err != nil:
		c.refused(err, kind, self, self)
	case c.json:
		c.writeSetup(setup)
	default:
		c.setCookie(cookieSetup, 0, setup.Token.Reveal(), packed(c.user))
		c.redirect(c.onward("/setup"))
	}
}

// writeSetup answers with all that an app needs.
func (c *call) writeSetup(setup enrollment.Setup) {
	code, err := setup.QR()
	if err != nil {
		c.fault(err)
		return
	}
	picture, err := code.DataURI(0)
	if err != nil {
		c.fault(err)
		return
	}
	answer := map[string]any{
		"token": setup.Token, "expires": setup.Expires, "uri": setup.URI(), "qr": picture,
		"secret": setup.Secret().Base32(), "secret_grouped": setup.Secret().Grouped(),
	}
	if setup.Codes().Len() > 0 {
		answer["codes"] = setup.Codes().Reveal()
	}
	c.writeJSON(200, answer)
}

func (c *call) showSetup() {
	if !c.subject() {
		return
	}
	token := c.cookie(cookieSetup, 2)[0]
	begin := c.onward("/setup/begin")
	if token == "" {
		c.redirect(begin)
		return
	}
	setup, err := c.guard.Resume(c.r.Context(), c.user, enrollment.SetupTokenOf(token))
	switch {
	case errors.Is(err, enrollment.ReasonAlreadyConfirmed):
		c.redirect(c.onward("/codes"))
	case errors.Is(err, enrollment.ErrSetup):
		c.dropCookies(cookieSetup)
		c.deny(err, begin)
	case err != nil:
		c.fault(err)
	default:
		c.showOnce(Page{
			Name: "setup", Title: c.text("setup.title"), Action: c.at("/setup"),
			Setup: setup, Codes: setup.Codes(), Digits: setup.Params().WithDefaults().Digits, Return: localPath(c.in.Return),
		})
	}
}

// setupToken returns the token in the form, so that a tab with an earlier setup is told
// so, or else the one in the cookie.
func (c *call) setupToken() enrollment.SetupToken {
	if c.in.Token != "" {
		return enrollment.SetupTokenOf(c.in.Token)
	}
	return enrollment.SetupTokenOf(c.cookie(cookieSetup, 2)[0])
}

func (c *call) confirm() {
	token := c.setupToken()
	codes := c.onward("/codes")
	if c.again(cookieSetup, c.in.Token) {
		c.redirect(codes)
		return
	}
	if !c.subject() {
		return
	}
	done, err := c.guard.Confirm(c.r.Context(), c.user, token, c.in.Code.first())
	switch {
	case err == nil:
		c.confirmed(done, cookieSetup, token.Reveal(), packed(c.user))
	case errors.Is(err, enrollment.ReasonAlreadyConfirmed) && !c.json:
		c.setCookie(cookieSetup, 0, token.Reveal(), packed(c.user))
		c.redirect(codes)
	default: // a tab whose setup is over comes to the later one, or to the beginning
		c.deny(err, c.onward("/setup"))
	}
}

// confirmed goes on after the first code of an app, or of an address, was right. The
// cookie has the token that shows the recovery codes.
func (c *call) confirmed(done enrollment.Confirmed, cookie string, parts ...string) {
	session, after, ok := c.completed(done.Success)
	if !ok {
		return
	}
	if len(parts) > 0 {
		c.setCookie(cookie, 0, parts...)
	}
	switch {
	case c.json:
		answer := map[string]any{"success": done.Success, "event": done.Event}
		if session != nil {
			answer["session"] = session
		}
		if done.Codes.Len() > 0 {
			answer["codes"] = done.Codes.Reveal()
		}
		c.writeJSON(200, answer)
	case done.Codes.Len() > 0:
		c.redirect(c.at("/codes", "return", after))
	default:
		c.dropCookies(cookie)
		c.done("note."+string(done.Event), cmp.Or(after, c.at("/")))
	}
}

func (c *call) cancelSetup() {
	if !c.subject() {
		return
	}
	err := c.guard.Cancel(c.r.Context(), c.user)
	switch {
	case err == nil:
	case !errors.Is(err, enrollment.ReasonNoSetup):
		c.fault(err)
		return
	case c.unseen(cookieSetup): // the code came first, and its answer was lost
		c.redirect(c.onward("/codes"))
		return
	}
	c.dropCookies(cookieSetup)
	if !c.enroll.IsZero() && !c.json {
		c.dropCookies(cookieEnroll)
		c.toLogin(localPath(c.in.Return))
		return
	}
	c.finish("note.cancelled", c.back(c.at("/")), nil)
}

// finish answers a change that was made: a browser is led to the page, which says so,
// and a client that speaks JSON gets an object.
func (c *call) finish(key, page string, answer map[string]any) {
	if !c.json {
		c.done(key, page)
		return
	}
	if answer == nil {
		answer = map[string]any{}
	}
	c.writeJSON(200, answer)
}

func authenticatorOf(status enrollment.Status, id string) *enrollment.Authenticator {
	for i := range status.Authenticators {
		if status.Authenticators[i].ID == id {
			return &status.Authenticators[i]
		}
	}
	return nil
}
