package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// noteLife is how long a page can wait for the note about what led to it.
const noteLife = time.Minute

// A note is what the next page says about the request before. It travels in a cookie,
// so that a reload does not send the request again. It holds words of this package
// alone, and no text.
type note struct {
	kind   string
	key    string // of a text
	denied *enrollment.Denied
	until  time.Time // when waiting is over, or another time that it tells
	count  int       // how many of what it tells
}

const (
	noteDone   = "done"   // key says what was done
	noteDenied = "denied" // denied says why not
	noteFault  = "fault"  // key says what passes: "busy" or "not_sent"
)

// noteOf returns the note about an error, at that time by the clock of the Guard.
func noteOf(err error, now time.Time) note {
	if denied := deniedIn(err); denied != nil {
		n := note{kind: noteDenied, denied: denied}
		if denied.Wait > 0 {
			n.until = now.Add(denied.Wait)
		}
		return n
	}
	if errors.Is(err, enrollment.ErrNotSent) {
		return note{kind: noteFault, key: "not_sent"}
	}
	return note{kind: noteFault, key: "busy"}
}

func (c *call) setNote(n note) {
	until := "0"
	if !n.until.IsZero() {
		until = strconv.FormatInt(n.until.Unix(), 10)
	}
	if n.kind != noteDenied {
		c.setCookie(cookieNote, noteLife, n.kind, n.key, "", until, strconv.Itoa(n.count))
		return
	}
	d := n.denied
	c.setCookie(cookieNote, noteLife, n.kind, string(d.Reason), string(d.Factor), until, strconv.FormatInt(int64(d.Skew/time.Second), 10))
}

// note returns the note for this page and deletes it. A browser can send anything:
// unknown words say nothing.
func (c *call) note() (n note, ok bool) {
	part := c.cookie(cookieNote, 5)
	c.dropCookies(cookieNote)
	n = note{kind: part[0], key: part[1]}
	until, err1 := strconv.ParseInt(part[3], 10, 64)
	last, err2 := strconv.ParseInt(part[4], 10, 32)
	if err1 != nil || err2 != nil || !isWord(n.key) {
		return n, false
	}
	if until > 0 {
		n.until = time.Unix(until, 0)
	}
	switch n.kind {
	case noteDone, noteFault:
		n.count = int(last)
		return n, true
	case noteDenied:
	default:
		return n, false
	}
	n.denied = &enrollment.Denied{
		Reason: enrollment.Reason(n.key), Factor: enrollment.Factor(part[2]), Skew: time.Duration(last) * time.Second,
	}
	if until > 0 {
		n.denied.Wait = max(n.until.Sub(c.guard.Now()), time.Second)
		n.denied.RetryAt = n.until.UTC()
	}
	return n, true
}

// isWord reports whether a text has only small letters, digits, underscores and dots.
func isWord(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == ""
}
