package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A sweep that comes late tells what is true then, once.
func TestLateSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	r := w.ask(3*day, false)
	w.now = r.Matures.Add(5 * day)
	if list := w.sweep(); !slices.Equal(list, []account.EventKind{account.EventResetMatured}) {
		t.Errorf("told %v", list)
	}
	if !w.due().Equal(w.now.Add(day)) {
		t.Errorf("due %v", w.due())
	}
	w = newWorld(t)
	w.enroll(1)
	r = w.ask(3*day, true)
	w.now = r.Matures.Add(30 * day)
	if list := w.sweep(); len(list) != 0 || w.a.State() != account.Confirmed || !w.due().IsZero() {
		t.Errorf("after it has lapsed: %v, state %v", list, w.a.State())
	}
}

// What cancelling a request takes is time, and it begins when the owner hears of
// the request.
func TestLateNewsBeginsTheWaitAnew(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		wait  time.Duration
		heard time.Duration // after the request
		anew  bool
	}{
		"at once":                {3 * day, 0, false},
		"after an hour":          {3 * day, time.Hour, false},
		"later":                  {3 * day, time.Hour + time.Microsecond, true},
		"just before it matures": {3 * day, 3*day - time.Minute, true},
		"after it has matured":   {3 * day, 5 * day, true},
		"with a short wait":      {6 * time.Hour, 2 * time.Hour, true},
		"a clock that went back": {3 * day, -time.Hour, false},
	} {
		for _, auto := range []bool{false, true} {
			w := newWorld(t)
			w.enroll(1)
			asked, err := w.a.AskReset(w.moment(), x.wait, auto)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.a.Lease(w.moment()); err != nil { // and nobody takes it
				t.Fatal(err)
			}
			w.now = asked.Asked.Add(x.heard)
			w.reload()
			w.deliver()
			want := asked
			if x.anew {
				want.Asked, want.Matures, want.Next = w.now, w.now.Add(x.wait), w.now.Add(min(day, x.wait))
			}
			if got := w.a.ResetRequest(); got != want {
				t.Errorf("%s, auto %v: %+v, want %+v", name, auto, got, want)
			}
			// The same news a second time, from a node that was slow, is none.
			if must(t, w.a.Acknowledge(w.moment(), []account.EventID{{1}})); w.a.Changed() || w.a.ResetRequest() != want {
				t.Errorf("%s, auto %v: %+v after the second time", name, auto, w.a.ResetRequest())
			}
		}
	}
}

// Only the news of the request counts, and only while it is open.
func TestOtherLateNewsChangesNoWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	asked := w.ask(3*day, false)
	w.now = asked.Asked.Add(day)
	w.reload()
	must(t, second(w.a.Sweep(w.moment(), w.now, true)))
	if _, err := w.a.Lease(w.moment()); err != nil { // the reminder is not taken
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.reload()
	w.deliver()
	if r := w.a.ResetRequest(); !r.Asked.Equal(asked.Asked) || !r.Matures.Equal(asked.Matures) {
		t.Errorf("a late reminder: %+v", r)
	}

	w = newWorld(t)
	w.enroll(1)
	asked, err := w.a.AskReset(w.moment(), 3*day, false)
	must(t, err)
	mustReason(t, w.a.CancelReset(w.moment(), account.NoFactor), "")
	if _, err := w.a.Lease(w.moment()); err != nil {
		t.Fatal(err)
	}
	w.now = asked.Asked.Add(2 * time.Hour)
	w.reload()
	w.deliver()
	w.now = asked.Asked.Add(day)
	if w.ask(3*day, false); !w.a.ResetRequest().Asked.Equal(w.now) {
		t.Error("a request that was closed has begun anew")
	}
}
