package web

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func (c *call) sendSignIn() {
	if !c.takesWaiting() {
		return
	}
	challenge := c.challenge()
	d, err := c.guard.Messages().Send(c.r.Context(), enrollment.PurposeSignIn, challenge)
	c.sentMessage(d, err, cookieMessage, "/sign-in")
}

// sentMessage answers with where the code was sent to. The cookie gets that and the
// challenge of the message. The route is that of the page for the code.
func (c *call) sentMessage(d enrollment.Delivery, err error, cookie, route string) {
	page := c.at(route, "for", c.in.Purpose, "return", localPath(c.in.Return))
	withCode := c.at(route, "for", c.in.Purpose, "return", localPath(c.in.Return), "with", withText)
	switch {
	case err == nil && c.json:
		c.writeJSON(http.StatusOK, d)
	case err == nil:
		c.setCookie(cookie, 0, d.Challenge.Reveal(), packed(d.Address.Channel), packed(d.Address.Hint))
		said := "note.sent"
		if d.Earlier {
			said = "note.sent_earlier"
		}
		c.done(said, withCode)
	case errors.Is(err, enrollment.ReasonTooSoon) && c.sent(cookie) != nil:
		c.deny(err, withCode)
	default:
		c.deny(err, page)
	}
}

// sent returns where the code of that cookie was sent to, or nil.
func (c *call) sent(cookie string) *enrollment.Address {
	part := c.cookie(cookie, 3)
	if part[0] == "" {
		return nil
	}
	return &enrollment.Address{Channel: unpacked(part[1]), Hint: unpacked(part[2])}
}
