package web

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func (c *call) showAddress() {
	if !c.offersAddress() || !c.subject() {
		return
	}
	self := c.onward("/address")
	if c.codesFirst(self, cookieAddress) {
		return
	}
	status, ok := c.may(enrollment.ChangeBind, self)
	if !ok {
		return
	}
	change, _ := status.Change(enrollment.ChangeBind)
	c.show(Page{
		Name: "address", Title: c.text("address.title"), Action: c.at("/address"),
		Status: &status, AskTicket: change.Ticket, Return: localPath(c.in.Return),
	})
}

// later answers the request if an address can't be added because a message was just
// sent, too many were, or wrong codes from them have locked the factor. It says how long
// to wait: after a message from this browser, on the page for its code.
func (c *call) later(status enrollment.Status) bool {
	part := c.cookie(cookieAddress, 3)
	owner, _ := ownerOf(part[1])
	sent := part[0] != "" && owner == c.user
	if !sent && !status.Enabled() {
		return false // an address may not be what this account can begin with
	}
	wait := status.NextMessage.Sub(c.guard.Now())
	locked := slices.ContainsFunc(status.Locks, func(l enrollment.Lock) bool { return l.Factor == enrollment.FactorDelivered })
	denied := &enrollment.Denied{Factor: enrollment.FactorDelivered, Wait: max(wait, 0)}
	page := c.onward("/setup/begin")
	if status.Enabled() {
		page = c.at("/")
	}
	switch {
	case locked && wait <= 0:
		denied.Reason = enrollment.ReasonFactorDisabled
	case locked:
		denied.Reason = enrollment.ReasonLocked
	case wait <= 0:
		return false
	case wait > enrollment.MessagePause:
		denied.Reason = enrollment.ReasonTooManyMessages
	default:
		denied.Reason = enrollment.ReasonTooSoon
		if sent {
			page = c.onward("/address/code")
		}
	}
	c.deny(denied, page)
	return true
}

// offersAddress answers the request if the application reads no addresses.
func (c *call) offersAddress() bool {
	if c.config.Address == nil {
		c.refuse(404, "not_found")
	}
	return c.config.Address != nil
}

// bind sends a code to the address that was typed.
func (c *call) bind() {
	if !c.offersAddress() || !c.subject() {
		return
	}
	self, code := c.onward("/address"), c.onward("/address/code")
	if c.codesFirst(self, cookieAddress) {
		return
	}
	channel, to, err := c.typedAddress()
	switch {
	case err != nil:
		c.fault(err)
		return
	case channel == "" && c.json:
		c.refuse(422, "address")
		return
	case channel == "":
		c.setNote(note{kind: noteFault, key: "address"})
		c.redirect(self)
		return
	}
	o := enrollment.BindOptions{Channel: channel, To: to}
	if c.in.Ticket != "" {
		o.Ticket = enrollment.TicketOf(c.in.Ticket)
	}
	var binding enrollment.Binding
	err = c.try(func(p enrollment.Proof) (err error) {
		o.Proof = p
		binding, err = c.guard.Messages().Bind(c.r.Context(), c.user, o)
		return err
	})
	switch {
	case err != nil:
		c.refused(err, enrollment.ChangeBind, self, self)
	case c.json:
		c.writeJSON(200, binding)
	default:
		c.setCookie(cookieAddress, 0, binding.Token.Reveal(), packed(c.user), packed(to))
		c.done("note.sent", code)
	}
}

// typedAddress has the application read what the user has typed. What no address can
// have is none, so that an application that lets it pass does not answer with a fault.
func (c *call) typedAddress() (channel, to string, err error) {
	text := c.in.To
	if strings.TrimSpace(text) == "" || len(text) > enrollment.MaxAddress || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", "", nil
	}
	return c.config.Address(c.r, text)
}

func (c *call) showAddressCode() {
	if !c.subject() {
		return
	}
	part := c.cookie(cookieAddress, 3)
	if owner, _ := ownerOf(part[1]); part[0] == "" || owner != c.user {
		c.redirect(c.onward("/address"))
		return
	}
	c.show(Page{
		Name: "address-code", Title: c.text("address.code_title"), Action: c.at("/address/code"),
		Sent: &enrollment.Address{Hint: unpacked(part[2])}, ByMessage: true, Digits: messageDigits, Return: localPath(c.in.Return),
	})
}

// confirmAddress takes the code that was sent.
func (c *call) confirmAddress() {
	codes := c.onward("/codes")
	if c.again(cookieAddress, "") {
		c.redirect(codes)
		return
	}
	if !c.subject() {
		return
	}
	text := c.in.Token
	if !c.json {
		text = c.cookie(cookieAddress, 3)[0]
	}
	token := enrollment.SetupTokenOf(text)
	done, err := c.guard.Messages().Confirm(c.r.Context(), c.user, token, c.in.Code.first())
	switch {
	case err == nil:
		c.confirmed(done, cookieAddress)
	case errors.Is(err, enrollment.ReasonAlreadyConfirmed) && !c.json:
		c.redirect(codes)
	case errors.Is(err, enrollment.ErrSetup):
		c.dropCookies(cookieAddress)
		c.deny(err, c.onward("/address"))
	default:
		c.deny(err, c.onward("/address/code"))
	}
}
