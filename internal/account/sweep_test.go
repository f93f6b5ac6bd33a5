package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// What a sweep does, with and without somebody who tells the owner, and whether
// that has to be stored.
func TestSweepDecides(t *testing.T) {
	t.Parallel()
	setup := func(w *world) { w.begin(1, account.AuthenticatorID{}) }
	asked := func(auto bool) func(w *world) {
		return func(w *world) { w.enroll(1); w.ask(3*day, auto) }
	}
	untold := func(w *world) {
		w.enroll(1)
		must(w.t, w.a.Disable(w.moment(), w.by(account.TOTP)))
		must(w.t, second(w.a.Lease(w.moment())))
	}
	heard := func(w *world) { // and told that it has matured
		asked(false)(w)
		w.now = w.now.Add(3 * day)
		w.sweep()
	}
	for name, tt := range map[string]struct {
		state  func(w *world)
		after  time.Duration
		silent account.Swept // without anybody who tells
		told   account.Swept
		keeps  bool // whether the silent one writes nothing
	}{
		"nothing":                      {func(w *world) { w.enroll(1) }, day, account.Swept{}, account.Swept{}, true},
		"a setup in time":              {setup, time.Minute, account.Swept{}, account.Swept{}, true},
		"a setup past its time":        {setup, time.Hour, account.Swept{Due: true, Expired: true}, account.Swept{Due: true, Expired: true}, false},
		"an event in somebody's hands": {untold, 0, account.Swept{}, account.Swept{}, true},
		"an event nobody took":         {untold, time.Hour, account.Swept{Due: true, Waiting: true}, account.Swept{Due: true}, true},
		"a request":                    {asked(true), day, account.Swept{Due: true, Waiting: true}, account.Swept{Due: true, Reminded: true}, true},
		"one that has matured":         {asked(false), 3 * day, account.Swept{Due: true, Waiting: true}, account.Swept{Due: true, Matured: true}, true},
		"one that needs nobody":        {asked(true), 3 * day, account.Swept{Due: true, Waiting: true}, account.Swept{Due: true, Completed: true}, true},
		"one nobody has approved":      {heard, 31 * day, account.Swept{Due: true, Lapsed: true}, account.Swept{Due: true, Lapsed: true}, false},
	} {
		for _, tells := range []bool{false, true} {
			w := newWorld(t)
			tt.state(w)
			due := w.due()
			w.now = w.now.Add(tt.after)
			w.reload()
			got, err := w.a.Sweep(w.moment(), due, tells)
			want, changes := tt.silent, !tt.keeps
			if tells {
				want, changes = tt.told, tt.told.Due
			}
			if err != nil || got != want || w.a.Changed() != changes {
				t.Errorf("%s, told %t: %+v, changed %t, %v; want %+v, changed %t", name, tells, got, w.a.Changed(), err, want, changes)
			}
		}
	}
}
