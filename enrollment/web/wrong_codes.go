package web

import (
	"strconv"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Success says how many codes were wrong before it. Each wrong code that was typed in this
// browser was told here at once, and a cookie counts those. If there were more, somebody has
// typed them elsewhere, and the owner is told on a page of its own.

// noteWrongCodes is the key of what that page says.
const noteWrongCodes = "note.wrong_codes"

// toldWrong returns how many wrong codes of the user this browser was told of.
func (c *call) toldWrong(user string) int {
	part := c.cookie(cookieWrong, 2)
	n, err := strconv.Atoi(part[0])
	if err != nil || part[1] != markOf(user) {
		return 0
	}
	return n
}

// countWrong counts a wrong code, as a Success does: also a recovery code that was used
// before, but not three consecutive codes.
func (c *call) countWrong(user string, err error) {
	denied := deniedIn(err)
	if denied == nil || len(c.in.Code) != 1 {
		return
	}
	if denied.Reason == enrollment.ReasonWrongCode || denied.Reason == enrollment.ReasonReplayed && denied.Factor == enrollment.FactorRecovery {
		c.setCookie(cookieWrong, 0, strconv.Itoa(c.toldWrong(user)+1), markOf(user))
	}
}

// tellWrong returns the page that follows a right code: the one that tells of wrong codes,
// or the next one.
func (c *call) tellWrong(s enrollment.Success, next string) string {
	if s.WrongCodes == 0 {
		return next
	}
	told := c.toldWrong(s.UserID)
	c.dropCookies(cookieWrong)
	if s.WrongCodes <= told {
		return next
	}
	c.setNote(note{kind: noteDone, key: noteWrongCodes, until: s.WrongCodeAt, count: s.WrongCodes})
	return c.at("/wrong-codes", "return", next)
}

// showWrongCodes tells of wrong codes once, unless the page before has done so.
func (c *call) showWrongCodes() {
	next := c.back(c.config.Home)
	if c.cookie(cookieNote, 5)[1] != noteWrongCodes {
		c.redirect(next)
		return
	}
	c.show(Page{Name: "wrong-codes", Title: c.text("wrong.title"), Return: next})
}
