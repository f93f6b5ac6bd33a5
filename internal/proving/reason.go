package proving

import (
	"cmp"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Fault is the reason of an error that is no Denied.
const Fault enrollment.Reason = "fault"

// ReasonOf returns why err denies: "" if it is nil, [Fault] if it is no Denied.
func ReasonOf(err error) enrollment.Reason {
	var denied *enrollment.Denied
	switch {
	case err == nil:
		return ""
	case errors.As(err, &denied):
		return cmp.Or(denied.Reason, "denied without a reason")
	}
	return Fault
}

// Want ends the test unless err denies for that reason; "" is success. It
// returns the denial, which says how long to wait if and only if that helps.
func Want(t testing.TB, err error, want enrollment.Reason) *enrollment.Denied {
	t.Helper()
	if got := ReasonOf(err); got != want {
		t.Fatalf("got %q (%v), want %q", got, err, want)
	}
	var denied *enrollment.Denied
	errors.As(err, &denied)
	CheckWait(t, denied)
	return denied
}
