package account_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// openAlert is an account in which everything about alerts is set.
func openAlert(t *testing.T) *alerted {
	t.Helper()
	w := newAlerted(t)
	w.wrong("Firefox on Linux, 192.0.2.7")
	w.right("b")
	w.want("right after 1 b")
	w.wrong("a")
	w.wrong("b")
	w.a.Stamp(w.moment())
	return w
}

// What hosts have stored must stay readable: the files never change.
func TestGoldenAlert(t *testing.T) {
	golden(t, "v1-alert", openAlert(t).a)
	challenge := newAlerted(t)
	challenge.wrong("#1")
	challenge.a.Stamp(challenge.moment())
	golden(t, "v1-alert-challenge", challenge.a)
}

// An account that is not alarmed stores nothing of it: a typing error leaves no trace.
func TestAlertLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	w.pass(time.Minute)
	w.right("a")
	if b := account.AlertField(w.a); b != nil {
		t.Errorf("% x", b)
	}
}

// The field has a bound, whatever an attacker does.
func TestAlertIsBounded(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	longest := 0
	for i := range 200 {
		w.pass(24 * time.Hour)
		w.wrong(strings.Repeat("o", account.MaxOrigin-1) + string(rune('a'+i%20)))
		longest = max(longest, len(account.AlertField(w.a)))
		if i%50 == 49 {
			must(t, w.a.Unlock(w.moment(), account.Admin{Actor: "root", Reason: "x"}))
			w.stored()
		}
	}
	if longest != 1+4*8+2*2+account.MaxOrigin {
		t.Errorf("it takes %d bytes", longest)
	}
	for range 1 << 17 {
		account.CountWrong(w.a, w.moment())
	}
	if b := account.AlertField(w.a); binary.BigEndian.Uint16(b[35:]) != 1<<16-1 {
		t.Errorf("counted % x", b[33:37])
	}
}

// An alert never makes room for anything.
func TestAlertIsNotShed(t *testing.T) {
	t.Parallel()
	a := largest(t, ownKept)
	before := account.AlertField(a)
	account.ShedAll(a)
	if len(before) == 0 || !bytes.Equal(account.AlertField(a), before) {
		t.Errorf("% x, before % x", account.AlertField(a), before)
	}
	outbox, err := a.Outbox()
	if err != nil || len(outbox) == 0 {
		t.Fatal(len(outbox), err)
	}
	for _, u := range outbox {
		if u.Event.Origin != "" {
			t.Errorf("an origin takes room: %+v", u.Event)
		}
	}
}

func TestDamagedAlert(t *testing.T) {
	t.Parallel()
	const tag = 31
	w := openAlert(t)
	b := encode(t, w.a)
	good := account.AlertField(w.a)
	with := func(v []byte) []byte {
		i := bytes.Index(b, append(binary.BigEndian.AppendUint16([]byte{tag}, uint16(len(good))), good...))
		if i < 0 {
			t.Fatal("there is no alert")
		}
		out := append(bytes.Clone(b[:i]), tag)
		out = binary.BigEndian.AppendUint16(out, uint16(len(v)))
		return append(append(out, v...), b[i+3+len(good):]...)
	}
	if _, err := account.Decode(with(good)); err != nil {
		t.Fatal(err)
	}
	change := func(at int, v ...byte) []byte {
		return append(append(bytes.Clone(good[:at]), v...), good[at+len(v):]...)
	}
	for name, v := range map[string][]byte{
		"nothing":                nil,
		"half of it":             good[:20],
		"an unknown flag":        change(0, 8),
		"no first and a count":   change(1, make([]byte, 8)...),
		"a first and no count":   change(33, 0, 0),
		"missed and no time":     change(25, make([]byte, 8)...),
		"a time and none missed": change(35, 0, 0),
		"a long origin":          append(bytes.Clone(good), strings.Repeat("x", account.MaxOrigin)...),
		"a short challenge":      change(0, 4),
	} {
		if _, err := account.Decode(with(v)); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A clock that ran ahead does not silence the alert: what it has stored is set to now
// once it is right again, so that a day is the longest wait.
func TestAlertAndClock(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	right := w.now
	w.pass(400 * 24 * time.Hour)
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.sweep()
	w.want("1 wrong a")
	w.wrong("a")
	w.right("b")
	w.want("right after 1 b")
	w.wrong("c")
	ahead := w.due()
	w.now = right
	w.reload()
	if got := w.due(); !got.Before(ahead) || !got.Equal(right.Add(24*time.Hour)) {
		t.Errorf("due %v, want a day after %v", got, right)
	}
	w.pass(24 * time.Hour)
	w.sweep()
	w.want("1 wrong c")

	// A jump back by less leaves times as they are: later by the jump, and no more.
	w.pass(48 * time.Hour)
	w.wrong("a")
	due := w.due()
	w.pass(-5 * time.Hour)
	w.wrong("a")
	if got := w.due(); !got.Equal(due) {
		t.Errorf("due %v, want %v", got, due)
	}
	w.now = due
	w.sweep()
	w.want("2 wrong a")
}

// Alerts that nobody takes are folded like other events, and keep the count.
func TestAlertIsFolded(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	for range 20 {
		w.wrong("a")
		w.pass(48 * time.Hour)
		_, err := w.a.Sweep(w.moment(), w.now, true)
		must(t, err)
		must(t, second(w.a.Lease(w.moment())))
		w.stored()
		must(t, w.a.Unlock(w.moment(), account.Admin{Actor: "root", Reason: "x"}))
		must(t, second(w.a.Lease(w.moment())))
		w.stored()
	}
	outbox, err := w.a.Outbox()
	must(t, err)
	wrong, count := 0, 0
	for _, u := range outbox {
		if u.Event.Kind == account.EventWrongCodes {
			wrong, count = wrong+u.Event.Wrong, count+u.Count
		}
	}
	if len(outbox) != account.MaxUndelivered || wrong != 20 || count != 20 {
		t.Errorf("%d events, %d alerts, %d wrong codes", len(outbox), count, wrong)
	}
}
