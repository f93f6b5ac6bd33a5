package web

import (
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A Success says how many codes were wrong before it, and when the last of them was. Each
// wrong code that was typed in this browser was told here at once, and a cookie holds the same
// of those. If there were more, or later ones, somebody has typed them elsewhere, and the owner
// is told on a page of its own.

// noteWrongCodes is the key of what that page says.
const noteWrongCodes = "note.wrong_codes"

// toldWrongs are the wrong codes of a user that this browser was told of.
type toldWrongs struct {
	count int
	last  time.Time // when the last one was
	until time.Time // for how long they excuse others
}

// toldWrong returns those that still excuse others.
func (c *call) toldWrong(user string) (t toldWrongs) {
	part := c.cookie(cookieWrong, 4)
	if part[3] != markOf(user) {
		return t
	}
	var number [3]int64
	for i := range number {
		var err error
		if number[i], err = strconv.ParseInt(part[i], 10, 64); err != nil {
			return t
		}
	}
	until := time.UnixMicro(number[2])
	if !c.guard.Now().Before(until) {
		return t
	}
	return toldWrongs{int(number[0]), time.UnixMicro(number[1]), until}
}

// countWrong counts a wrong code, as a Success does: also a recovery code that was used
// before. It leaves out three consecutive codes: nobody is told whether they were counted. The
// count ends by itself, because a Success elsewhere ends the other one.
func (c *call) countWrong(user string, err error) {
	denied := deniedIn(err)
	if denied == nil || len(c.in.Code) != 1 {
		return
	}
	if denied.Reason != enrollment.ReasonWrongCode && (denied.Reason != enrollment.ReasonReplayed || denied.Factor != enrollment.FactorRecovery) {
		return
	}
	now, t := c.guard.Now(), c.toldWrong(user)
	if t.until.IsZero() {
		t.until = now.Add(enrollment.ChallengeTTL)
	}
	if now.After(t.last) { // the clock of another node can be ahead
		t.last = now
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	c.setCookie(cookieWrong, enrollment.ChallengeTTL, number(int64(t.count)+1), number(t.last.UnixMicro()), number(t.until.UnixMicro()), markOf(user))
}

// tellWrong returns the page that follows a right code: the one that tells of wrong codes,
// or the next one.
func (c *call) tellWrong(s enrollment.Success, next string) string {
	t := c.toldWrong(s.UserID)
	c.dropCookies(cookieWrong)
	if s.WrongCodes <= t.count && !s.WrongCodeAt.After(t.last) {
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
