package wording

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// busyWait is how long a client should wait after ErrBusy.
const busyWait = 2 * time.Second

// An Answer is what to tell a client about an error.
type Answer struct {
	// Status is the HTTP status. It is 422 for a code that is not accepted; 429
	// where waiting helps; 401 where the user must sign in again; 403 where
	// something else is needed first, such as a code; 404 for something that is
	// gone; 409 where the account is in another state; 503 if nothing was decided
	// or sent; 500 for every fault; and 200 for nil.
	Status int

	// Text is what to tell the user, "" for nil. It is plain text: escape it in HTML.
	Text string

	// Wait is how long to wait before another try, in whole seconds, rounded up. It
	// is zero if waiting changes nothing.
	Wait time.Duration
}

// RetryAfter returns Wait as the header Retry-After has it, in seconds, and "" for
// zero.
func (a Answer) RetryAfter() string {
	if a.Wait <= 0 {
		return ""
	}
	return strconv.FormatInt(int64(a.Wait/time.Second), 10)
}

// Describe returns what to tell the client about an error of a Guard, also one
// that is wrapped. now is the time of the Guard's clock; the zero time takes
// Denied.Wait.
//
// Faults all read the same, whatever they are: the user must not learn from one
// whether a code was right. Log the error.
func (l *Language) Describe(err error, now time.Time) Answer {
	var denied *enrollment.Denied
	var reason enrollment.Reason
	switch {
	case err == nil:
		return Answer{Status: http.StatusOK}
	case errors.As(err, &denied):
		return l.describe(denied, now)
	case errors.As(err, &reason):
		return l.describe(&enrollment.Denied{Reason: reason}, now)
	case errors.Is(err, enrollment.ErrBusy):
		return Answer{http.StatusServiceUnavailable, l.Busy, busyWait}
	case errors.Is(err, enrollment.ErrNotSent):
		return Answer{http.StatusServiceUnavailable, l.NotSent, enrollment.MessagePause}
	}
	return Answer{Status: http.StatusInternalServerError, Text: l.Fault}
}

func (l *Language) describe(d *enrollment.Denied, now time.Time) Answer {
	a := Answer{Status: status(d)}
	phrase, ok := l.Denials[d.Reason][d.Factor]
	if !ok {
		phrase, ok = l.Denials[d.Reason][""]
	}
	if !ok {
		phrase.Text = l.Denied
	}
	skew := l.Fast
	if d.Skew < 0 {
		skew = l.Slow
	}
	a.Text = fill(phrase.Text, "{skew}", fill(skew, "{wait}", l.wait(d.Skew.Abs())))
	if d.RetryAt.IsZero() {
		return a
	}
	a.Wait = d.Wait
	if !now.IsZero() {
		a.Wait = d.RetryAt.Sub(now)
	}
	a.Wait = max(time.Second, roundUp(a.Wait, time.Second))
	if phrase.Wait == "" {
		phrase.Wait = l.Wait
	}
	a.Text += " " + fill(phrase.Wait, "{wait}", l.wait(a.Wait), "{in}", l.in(a.Wait))
	return a
}

// statuses are those of reasons in no group, and exceptions.
var statuses = map[enrollment.Reason]int{
	enrollment.ReasonEnrollTokenInvalid:   http.StatusUnauthorized,
	enrollment.ReasonUnknownAuthenticator: http.StatusNotFound,
	enrollment.ReasonUnknownDevice:        http.StatusNotFound,
	enrollment.ReasonNoReset:              http.StatusNotFound,
	enrollment.ReasonInvalidName:          http.StatusUnprocessableEntity,
	enrollment.ReasonTicketInvalid:        http.StatusUnprocessableEntity,
	enrollment.ReasonInvalidBypass:        http.StatusUnprocessableEntity,
	enrollment.ReasonTicketRequired:       http.StatusForbidden,
	enrollment.ReasonMustReplace:          http.StatusForbidden,
	enrollment.ReasonOwnAccount:           http.StatusForbidden,
}

// status returns the status for a denial. For a reason that has no entry above, it
// follows from the group.
func status(d *enrollment.Denied) int {
	if s, ok := statuses[d.Reason]; ok {
		return s
	}
	switch {
	case errors.Is(d, enrollment.ErrWrongCode):
		return http.StatusUnprocessableEntity
	case errors.Is(d, enrollment.ErrLocked), errors.Is(d, enrollment.ErrLimit) && !d.RetryAt.IsZero():
		return http.StatusTooManyRequests
	case errors.Is(d, enrollment.ErrChallenge):
		return http.StatusUnauthorized
	case errors.Is(d, enrollment.ErrProof):
		return http.StatusForbidden
	}
	return http.StatusConflict
}
