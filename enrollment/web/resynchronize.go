package web

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The clock of a hardware token can't be set. Three codes of it show how wrong it is.

func (c *call) showResynchronize() {
	status, ok := c.may(enrollment.ChangeResynchronize, c.at("/resynchronize", "id", c.in.ID))
	if !ok {
		return
	}
	found := authenticatorOf(status, c.in.ID)
	if found == nil || !found.HardwareToken {
		c.redirect(c.at("/"))
		return
	}
	c.show(Page{
		Name: "resynchronize", Title: c.text("resync.title"), Action: c.at("/resynchronize"),
		Status: &status, Authenticator: found, ThreeCodes: true, Digits: found.Digits, Return: c.at("/"),
	})
}

func (c *call) resynchronize() {
	page := c.at("/resynchronize", "id", c.in.ID)
	err := c.try(func(p enrollment.Proof) error {
		return c.guard.ThreeCodes().Resynchronize(c.r.Context(), c.user, c.in.ID, c.in.Code, p)
	})
	if errors.Is(err, enrollment.ReasonReplayed) && !c.json && c.justResynchronized() {
		err = nil // a second click
	}
	if err != nil {
		c.refused(err, enrollment.ChangeResynchronize, page, page)
		return
	}
	c.finish("note.resynchronized", c.at("/"), nil)
}

// justResynchronized reports whether that is the last that has happened, and just now.
func (c *call) justResynchronized() bool {
	status, err := c.guard.Status(c.r.Context(), c.user)
	if err != nil || len(status.History) == 0 {
		return false
	}
	last := status.History[0]
	return last.Kind == enrollment.EventResynchronized && c.guard.Now().Sub(last.At) < noteLife
}
