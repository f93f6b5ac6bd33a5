package web

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func (c *call) showRenewal() {
	if !c.member() {
		return
	}
	made, wasShown, err := c.made(cookieRenewal)
	switch {
	case err != nil:
		c.fault(err)
		return
	case made && (!wasShown || c.receipt(SettingsPurpose).IsZero()):
		// Nobody has seen them, and their token is about to be replaced. Or the user has come
		// back from them: a renewal ends the receipt.
		c.redirect(c.onward("/codes"))
		return
	}
	self := c.onward("/codes/new")
	status, ok := c.may(enrollment.ChangeRenewCodes, self)
	if !ok {
		return
	}
	token, err := c.guard.PrepareRenewal(c.r.Context(), c.user)
	if err != nil {
		c.deny(err, c.at("/"))
		return
	}
	c.setCookie(cookieRenewal, 0, token.Reveal(), packed(c.user))
	c.show(Page{
		Name: "renew", Title: c.text("renew.title"), Action: c.at("/codes/new"), Renewal: token,
		Status: &status, Return: localPath(c.in.Return),
	})
}

// renewalToken is for clients that speak JSON: they get the token before the codes.
func (c *call) renewalToken() {
	token, err := c.guard.PrepareRenewal(c.r.Context(), c.user)
	if err != nil {
		c.deny(err, c.at("/"))
		return
	}
	c.writeJSON(http.StatusOK, map[string]any{"token": token})
}

func (c *call) renew() {
	self, codes := c.onward("/codes/new"), c.onward("/codes")
	if c.again(cookieRenewal, c.in.Token) {
		c.redirect(codes)
		return
	}
	if !c.member() {
		return
	}
	token := enrollment.RenewalTokenOf(c.in.Token)
	var done enrollment.RenewedCodes
	err := c.try(func(p enrollment.Proof) (err error) {
		done, err = c.guard.RenewCodesOnce(c.r.Context(), c.user, token, p)
		return err
	})
	switch {
	case errors.Is(err, enrollment.ReasonAlreadyRenewed) && !c.json:
	case err != nil:
		c.refused(err, enrollment.ChangeRenewCodes, self, self)
		return
	default:
		session, ok := c.start(SignedIn{UserID: c.user, Renewed: true, Stamp: done.Stamp})
		if !ok {
			return
		}
		c.dropReceipts() // all are void
		if c.json {
			answer := map[string]any{"codes": done.Codes.Reveal(), "receipt": done.Receipt}
			if session != nil {
				answer["session"] = session
			}
			c.writeJSON(http.StatusOK, answer)
			return
		}
	}
	c.setCookie(cookieRenewal, 0, token.Reveal(), packed(c.user))
	c.redirect(codes)
}
