package account_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

var root = account.Admin{Actor: "root", Reason: "asked by telephone"}

func (w *world) grant(d time.Duration) {
	w.t.Helper()
	if err := w.a.Grant(w.moment(), w.now.Add(d), root); err != nil {
		w.t.Fatal(err)
	}
	w.reload()
}

func TestBypassBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	if w.waived(account.DeviceHash{}) != account.NoFactor {
		t.Fatal("waived by nothing")
	}
	w.grant(time.Hour)
	from := w.now
	for name, at := range map[string]struct {
		time.Duration
		want account.Factor
	}{
		"before it":             {-time.Microsecond, account.NoFactor},
		"its first instant":     {0, account.ByBypass},
		"its last instant":      {time.Hour - time.Microsecond, account.ByBypass},
		"its end":               {time.Hour, account.NoFactor},
		"a clock a week behind": {-7 * 24 * time.Hour, account.NoFactor},
	} {
		w.now = from.Add(at.Duration)
		if by := w.waived(account.DeviceHash{}); by != at.want {
			t.Errorf("%s: waived by %d", name, by)
		}
		if until := w.a.Bypass(w.now).Until; until.IsZero() == (at.want == account.ByBypass) {
			t.Errorf("%s: until %v", name, until)
		}
		if w.a.MustEnroll(w.now) {
			t.Errorf("%s: enrolment is demanded of somebody who is enrolled", name)
		}
	}
	w.now = from.Add(time.Minute)
	if by, err := w.a.Waive(w.moment(), account.DeviceHash{}); by != account.ByBypass || err != nil || !w.a.Changed() {
		t.Errorf("%d, %v", by, err)
	}
	if last := w.a.LastSignIn(); last != (account.SignIn{At: w.now, Factor: account.ByBypass}) {
		t.Errorf("%+v", last)
	}
	w.grant(time.Minute) // shorter
	w.now = w.now.Add(2 * time.Minute)
	if by := w.waived(account.DeviceHash{}); by != account.NoFactor {
		t.Errorf("after a shorter one: waived by %d", by)
	}
	w.reload()
	if by, err := w.a.Waive(w.moment(), account.DeviceHash{}); by != account.NoFactor || err != nil || w.a.Changed() {
		t.Errorf("%d, %v, changed: %v", by, err, w.a.Changed())
	}
}

// A bypass ends with the first code that is right, whichever it is.
func TestBypassEndsWithSuccess(t *testing.T) {
	t.Parallel()
	for name, succeed := range map[string]func(w *world) error{
		"app code":      func(w *world) error { return w.check(code(w.t, key(w.t, 1), w.now)) },
		"recovery code": func(w *world) error { return w.recover(1, 0) },
		"confirmation": func(w *world) error {
			id := w.begin(60, account.AuthenticatorID{})
			_, err := w.a.Confirm(w.moment(), id, code(w.t, key(w.t, 60), w.now))
			return err
		},
		"disabled": func(w *world) error { return w.a.Disable(w.moment(), account.TOTP, "") },
	} {
		w := newWorld(t)
		w.enroll(1)
		w.grant(time.Hour)
		mustReason(t, w.check(w.wrong()), account.WrongCode)
		if w.waived(account.DeviceHash{}) != account.ByBypass {
			t.Fatal("a wrong code has ended it")
		}
		if err := succeed(w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.reload()
		if by := w.waived(account.DeviceHash{}); by != account.NoFactor || w.a.MustEnroll(w.now) {
			t.Errorf("%s: waived by %d, must enrol: %v", name, by, w.a.MustEnroll(w.now))
		}
	}
}

// Where there is no factor, the end of a bypass leaves a demand behind, until a
// setup is confirmed.
func TestBypassLeavesADemand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enroll(1)
	mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{}), "")
	w.reload()
	if w.a.MustEnroll(w.now) {
		t.Error("demanded without a bypass")
	}
	w.grant(time.Hour)
	if w.a.MustEnroll(w.now) || w.waived(account.DeviceHash{}) != account.ByBypass {
		t.Error("demanded while it lasts")
	}
	w.now = w.now.Add(time.Hour)
	for range 2 {
		w.reload()
		if !w.a.MustEnroll(w.now) || w.waived(account.DeviceHash{}) != account.NoFactor {
			t.Error("not demanded after its end")
		}
		w.now = w.now.Add(1000 * time.Hour)
	}
	w.begin(60, account.AuthenticatorID{})
	if w.reload(); !w.a.MustEnroll(w.now) {
		t.Error("not demanded while a setup waits")
	}
	id := w.begin(61, account.AuthenticatorID{})
	_, set := codes(t, 61)
	if _, err := w.a.Confirm(w.with(set), id, code(t, key(t, 61), w.now)); err != nil {
		t.Fatal(err)
	}
	if w.reload(); w.a.MustEnroll(w.now) {
		t.Error("demanded after a confirmation")
	}
	mustReason(t, w.a.Disable(w.moment(), account.TOTP, ""), "")
	if w.reload(); w.a.MustEnroll(w.now) {
		t.Error("demanded again after the user has disabled it")
	}
}

// A Reset that ends a bypass early does not end the demand.
func TestResetLeavesTheDemand(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"while it lasts": time.Minute, "after its end": 2 * time.Hour} {
		w := newWorld(t)
		w.grant(time.Hour)
		from := w.now
		w.now = from.Add(after)
		mustReason(t, w.a.Reset(w.moment(), root, account.TicketHash{1}), "")
		w.reload()
		for _, at := range []time.Time{w.now, from.Add(30 * time.Minute), from} {
			w.now = at // however the clock jumps
			if by := w.waived(account.DeviceHash{}); by != account.NoFactor || !w.a.MustEnroll(w.now) {
				t.Errorf("%s: waived by %d, must enrol: %v", name, by, w.a.MustEnroll(w.now))
			}
		}
	}
}

// What a broken clock has granted ends when the clock is mended.
func TestBypassUnderBrokenClock(t *testing.T) {
	t.Parallel()
	for _, enrolled := range []bool{true, false} {
		w := newWorld(t)
		if enrolled {
			w.enroll(1)
		}
		w.now = w.now.Add(30 * 24 * time.Hour)
		w.grant(24 * time.Hour)
		w.now = w.now.Add(-30 * 24 * time.Hour)
		w.reload()
		if !w.a.Changed() {
			t.Error("the repair does not count as a change")
		}
		for range 2 {
			if by := w.waived(account.DeviceHash{}); by != account.NoFactor || w.a.MustEnroll(w.now) == enrolled {
				t.Errorf("enrolled %v: waived by %d, must enrol: %v", enrolled, by, w.a.MustEnroll(w.now))
			}
			w.now = w.now.Add(30*24*time.Hour + time.Minute)
			w.reload()
		}
	}
}
