package web

import (
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Success says how many codes were wrong before it, and when the last of them was. Each
// wrong code that was typed in this browser was told here at once, and a cookie has the same
// of those of the last ten minutes. If there were more or later ones, somebody has typed them
// elsewhere, and the owner is told on a page of its own.

// noteWrongCodes is the key of what that page says.
const noteWrongCodes = "note.wrong_codes"

// toldWrong returns how many wrong codes of the user this browser was told of, and when the
// last of them was.
func (c *call) toldWrong(user string) (count int, last time.Time) {
	part := c.cookie(cookieWrong, 3)
	count, err := strconv.Atoi(part[0])
	at, timeErr := strconv.ParseInt(part[1], 10, 64)
	if err != nil || timeErr != nil || part[2] != markOf(user) {
		return 0, time.Time{}
	}
	return count, time.UnixMicro(at)
}

// countWrong counts a wrong code, as a Success does: also a recovery code that was used
// before, but not three consecutive codes. The count ends by itself, because a Success
// elsewhere ends the other one.
func (c *call) countWrong(user string, err error) {
	denied := deniedIn(err)
	if denied == nil || len(c.in.Code) != 1 {
		return
	}
	if denied.Reason == enrollment.ReasonWrongCode || denied.Reason == enrollment.ReasonReplayed && denied.Factor == enrollment.FactorRecovery {
		told, last := c.toldWrong(user)
		if now := c.guard.Now(); now.After(last) { // the clock of another node can be ahead
			last = now
		}
		c.setCookie(cookieWrong, enrollment.ChallengeTTL, strconv.Itoa(told+1), strconv.FormatInt(last.UnixMicro(), 10), markOf(user))
	}
}

// tellWrong returns the page that follows a right code: the one that tells of wrong codes,
// or the next one.
func (c *call) tellWrong(s enrollment.Success, next string) string {
	told, last := c.toldWrong(s.UserID)
	c.dropCookies(cookieWrong)
	if s.WrongCodes <= told && !s.WrongCodeAt.After(last) {
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
