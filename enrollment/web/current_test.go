package web_test

import (
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
)

// A session goes on until a factor is changed, and a fault is nobody's session.
func TestCurrent(t *testing.T) {
	t.Parallel()
	h := newHost(t, enrollmenttest.New(t))
	h.browser().login("alice")
	h.browser().login("bob")
	alice, bob := h.started[0].Stamp, h.started[1].Stamp
	expect := func(user string, stamp enrollment.Stamp, want string) {
		t.Helper()
		if got, err := h.pages.Current(t.Context(), user, stamp); got != want || err != nil {
			t.Errorf("Current(%q, %q) = %q, %v, want %q", user, stamp, got, err, want)
		}
	}
	expect("alice", alice, "alice")
	expect("alice", bob, "")
	expect("alice", "", "")
	expect("", "", "")
	expect("", alice, "")
	h.member("alice")
	expect("alice", alice, "")
	expect("alice", h.started[len(h.started)-1].Stamp, "alice")
	expect("bob", bob, "bob")

	down := errors.New("the database is down")
	h.kit.FailStore(down)
	if got, err := h.pages.Current(t.Context(), "bob", bob); got != "" || !errors.Is(err, down) {
		t.Errorf("Current = %q, %v, want %v", got, err, down)
	}
}
