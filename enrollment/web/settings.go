package web

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func (c *call) security() {
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return
	}
	if c.json {
		c.writeJSON(200, status)
		return
	}
	if c.codesFirst("", codeCookies...) {
		return
	}
	page := Page{Name: "security", Title: c.text("security.title"), Status: &status, Return: c.at("/"), OfferAddress: c.config.Address != nil}
	if status.Devices > 0 {
		if page.Devices, err = c.guard.Devices().List(c.r.Context(), c.user); err != nil {
			c.fault(err)
			return
		}
	}
	c.show(page)
}

func (c *call) rename() {
	c.settled(c.guard.Rename(c.r.Context(), c.user, c.in.ID, c.in.Name), "note.renamed")
}

// settled answers a change that needs no proof.
func (c *call) settled(err error, key string) {
	if err != nil {
		c.deny(err, c.at("/"))
		return
	}
	c.finish(key, c.at("/"), nil)
}

func (c *call) showRemove() {
	status, ok := c.may(enrollment.ChangeRemove, c.at("/remove", "id", c.in.ID))
	if !ok {
		return
	}
	found := authenticatorOf(status, c.in.ID)
	if found == nil {
		c.redirect(c.at("/"))
		return
	}
	c.show(Page{Name: "remove", Title: c.text("remove.title"), Action: c.at("/remove"), Status: &status, Authenticator: found, Return: c.at("/")})
}

func (c *call) remove() {
	err := c.try(func(p enrollment.Proof) error { return c.guard.Remove(c.r.Context(), c.user, c.in.ID, p) })
	c.changed(err, enrollment.ChangeRemove, c.at("/remove", "id", c.in.ID), "note.removed", enrollment.ReasonUnknownAuthenticator)
}

func (c *call) showDisable() {
	status, ok := c.may(enrollment.ChangeDisable, c.at("/disable"))
	if ok {
		c.show(Page{Name: "disable", Title: c.text("disable.title"), Action: c.at("/disable"), Status: &status, Return: c.at("/")})
	}
}

func (c *call) disable() {
	err := c.try(func(p enrollment.Proof) error { return c.guard.Disable(c.r.Context(), c.user, p) })
	c.changed(err, enrollment.ChangeDisable, c.at("/disable"), "note.disabled", enrollment.ReasonNotEnrolled)
}

func (c *call) showUnbind() {
	status, ok := c.may(enrollment.ChangeUnbind, c.at("/address/remove"))
	if ok {
		c.show(Page{Name: "unbind", Title: c.text("unbind.title"), Action: c.at("/address/remove"), Status: &status, Return: c.at("/")})
	}
}

func (c *call) unbind() {
	err := c.try(func(p enrollment.Proof) error { return c.guard.Messages().Unbind(c.r.Context(), c.user, p) })
	c.changed(err, enrollment.ChangeUnbind, c.at("/address/remove"), "note.unbound", enrollment.ReasonNoAddress)
}

// changed answers a change of factors, which has changed the stamp: the session goes on
// with the new one. Already is the reason of a change that was made before, for example
// by a second click.
func (c *call) changed(err error, kind enrollment.ChangeKind, page, key string, already enrollment.Reason) {
	switch {
	case errors.Is(err, already) && !c.json:
		c.done(key, c.at("/"))
		return
	case err != nil:
		c.refused(err, kind, page, c.at("/"))
		return
	}
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return
	}
	session, ok := c.start(SignedIn{UserID: c.user, Renewed: true, Stamp: status.Stamp})
	if !ok {
		return
	}
	answer := map[string]any{}
	if session != nil {
		answer["session"] = session
	}
	c.finish(key, c.at("/"), answer)
}

func (c *call) devices() {
	if !c.json {
		c.redirect(c.at("/"))
		return
	}
	list, err := c.guard.Devices().List(c.r.Context(), c.user)
	if err != nil {
		c.fault(err)
		return
	}
	c.writeJSON(200, map[string]any{"devices": append([]enrollment.Device{}, list...)})
}

func (c *call) renameDevice() {
	c.settled(c.guard.Devices().Rename(c.r.Context(), c.user, c.in.ID, c.in.Name), "note.renamed")
}

// revokeDevice ends the trust in one device, or in all of them without an id.
func (c *call) revokeDevice() {
	if c.in.ID == "" {
		c.settled(c.guard.Devices().RevokeAll(c.r.Context(), c.user), "note.devices_revoked")
		return
	}
	err := c.guard.Devices().Revoke(c.r.Context(), c.user, c.in.ID)
	if errors.Is(err, enrollment.ReasonUnknownDevice) && !c.json {
		err = nil // a second click
	}
	c.settled(err, "note.device_revoked")
}

func (c *call) cancelReset() {
	err := c.guard.ResetRequests().Cancel(c.r.Context(), c.user)
	if errors.Is(err, enrollment.ReasonNoReset) && !c.json {
		err = nil
	}
	c.settled(err, "note.reset_cancelled")
}
