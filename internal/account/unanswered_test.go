package account_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// mint gives the right first factor, and returns whether that is written.
func (w *alerted) mint(who string) bool {
	w.t.Helper()
	m := w.moment()
	m.Unanswered = true
	var id account.ChallengeID
	if n, ok := strings.CutPrefix(who, "#"); ok {
		id = account.ChallengeID{9, byte(w.drawn)}
		copy(id[1:], n)
	} else {
		id, m.Origin = account.ChallengeID{byte(w.drawn), 8}, who
	}
	d, err := w.a.SignIn(m, account.Login{SignIn: true, Challenge: id})
	must(w.t, err)
	if d.Next != account.AskCode || d.Challenge.ID != id {
		w.t.Fatalf("%+v", d)
	}
	written := w.a.Changed()
	w.stored()
	return written
}

// unheard is an account with four people who have the password, and a fifth.
func unheard(t *testing.T) *alerted {
	w := newAlerted(t)
	for _, who := range []string{"#1", "Firefox on Linux, 192.0.2.7", "#2", "b", "c"} {
		w.mint(who)
	}
	return w
}

func TestGoldenUnanswered(t *testing.T) {
	w := unheard(t)
	w.a.Stamp(w.moment())
	golden(t, "v1-unanswered", w.a)
}

// What tells the owner, and what does not: each line is what somebody does (? gives the
// password, - a wrong code, + a right one), and what is told at once and when ten minutes
// have passed.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	for steps, want := range map[string]string{
		"a?":                            "/0 wrong a", // somebody has the password
		"a? a+":                         "/",
		"a? a? a? a+":                   "/", // who leaves the page and comes back
		"a? b? a+":                      "/0 wrong b",
		"a? b? b+":                      "/0 wrong a", // the owner does not hide the attacker
		"a? b? b+ a+":                   "/",
		"#1? #1+":                       "/", // without an origin
		"#1? #2? #2+":                   "/0 wrong ",
		"a? #1+":                        "/0 wrong a",
		"a? a-":                         "/1 wrong a", // told once
		"a? a- a- a+":                   "/",
		"a? a- a- a- a+":                "right after 3 a/",
		"a? a- a? a+":                   "/",
		"a? a- a?":                      "/1 wrong a",
		"a? b? b- a+":                   "right after 1 a/",
		"a? b? c? d? a+ b+ c+ d+":       "/",
		"a? b? c? d? e? a+ b+ c+ d+ e+": "/0 wrong a", // too many to tell apart
		"a? b? c? d? a+ e? b+ c+ d+ e+": "/",
	} {
		t.Run(steps, func(t *testing.T) {
			t.Parallel()
			w := newAlerted(t)
			for _, step := range strings.Fields(steps) {
				who := step[:len(step)-1]
				switch step[len(step)-1] {
				case '?':
					w.mint(who)
				case '-':
					w.wrong(who)
				default:
					w.pass(30 * time.Second)
					w.right(who)
				}
			}
			atOnce, later, _ := strings.Cut(want, "/")
			if atOnce != "" {
				w.want(atOnce)
			}
			w.want()
			w.pass(10 * time.Minute)
			w.sweep()
			if later != "" {
				w.want(later)
			}
			w.want()
			w.pass(25 * time.Hour)
			if w.sweep() {
				w.want()
			}
		})
	}
}

// It is due ten minutes after the first challenge, and never moves, whatever comes in
// between; who answers takes the own ones back.
func TestUnansweredIsDue(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	first := w.now
	for i, who := range []string{"a", "b", "a", "c", "d", "e", "f"} {
		if want := i != 2 && i != 6; w.mint(who) != want {
			t.Errorf("sign-in %d is written: %t", i, !want)
		}
		w.pass(time.Minute)
		if due := w.due(); !due.Equal(first.Add(10 * time.Minute)) {
			t.Errorf("after %s: due %v after the first", who, due.Sub(first))
		}
	}
	// The one that is left has ten minutes of its own.
	w = newAlerted(t)
	first = w.now
	w.mint("a")
	w.pass(4 * time.Minute)
	w.mint("b")
	w.right("a")
	if due := w.due(); !due.Equal(first.Add(14 * time.Minute)) {
		t.Errorf("due %v after the first", due.Sub(first))
	}
	// An answer that comes later takes nothing back, swept or not.
	w.pass(10 * time.Minute)
	w.right("b")
	w.want("0 wrong b")
}

// An attacker with the password writes five times, and then not for a day after the
// owner was told: the answer of the owner finds no more conflicts than that.
func TestUnansweredWrites(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	writes := func(d time.Duration) (n int) {
		for end := w.now.Add(d); w.now.Before(end); w.pass(20 * time.Second) {
			if w.mint(fmt.Sprintf("#%d", w.drawn)) {
				n++
			}
		}
		return n
	}
	if n := writes(time.Hour); n != 5 { // nobody sweeps
		t.Errorf("%d writes in the first hour", n)
	}
	w.sweep()
	w.want("0 wrong ")
	if n := writes(24*time.Hour - time.Minute); n != 0 {
		t.Errorf("%d writes on the day after it was told", n)
	}
	w.pass(time.Minute)
	if n := writes(time.Hour); n != 5 {
		t.Errorf("%d writes in the hour after that day", n)
	}
	w.sweep()
	w.want("0 wrong ")
	// The same if what was told was something else.
	w.pass(25 * time.Hour)
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.sweep()
	w.want("1 wrong a")
	if w.mint("b") {
		t.Error("written after wrong codes were told")
	}
}

// Without the option, or somebody who tells, a sign-in writes nothing. Trusted devices
// and passes get no challenge.
func TestUnansweredIsOptIn(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(m *account.Moment){
		"off":    func(m *account.Moment) { m.Tells = true },
		"untold": func(m *account.Moment) { m.Unanswered, m.Tells = true, false },
	} {
		w := newAlerted(t)
		m := w.moment()
		m.Unanswered = false
		adjust(&m)
		_, err := w.a.SignIn(m, account.Login{SignIn: true, Challenge: account.ChallengeID{1}})
		must(t, err)
		if w.a.Changed() {
			t.Errorf("%s: written", name)
		}
	}
}

// What waits is told when two-factor authentication is switched off: no code can come
// any more.
func TestUnansweredOnDisable(t *testing.T) {
	t.Parallel()
	for steps, want := range map[string]string{"a?": "0 wrong a", "a? b? b-": "1 wrong b", "a? a+": "", "b- a? c+": "right after 1 c, 0 wrong a"} {
		w := newAlerted(t)
		for _, step := range strings.Fields(steps) {
			switch who := step[:1]; step[1] {
			case '?':
				w.mint(who)
			case '-':
				w.wrong(who)
			default:
				w.pass(30 * time.Second)
				w.right(who)
			}
		}
		must(t, w.a.Disable(w.moment(), w.by(account.TOTP)))
		w.stored()
		if got := strings.Join(w.told, ", "); got != want {
			t.Errorf("%s: told of %q, want %q", steps, got, want)
		}
		if w.told = nil; w.sweep() {
			w.want()
		}
	}
}

// A clock that was broken puts nothing off for ever.
func TestUnansweredAndClock(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	real := w.now
	w.now = real.Add(30 * day)
	w.mint("a")
	w.now = real
	w.reload()
	if due := w.due(); !due.Equal(real.Add(10 * time.Minute)) {
		t.Errorf("due in %v", due.Sub(real))
	}
}

// Half a field is damage, and so is one that says nothing.
func TestUnansweredEncoding(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.mint("abc")
	b := encode(t, w.a)
	stamp := binary.BigEndian.AppendUint64(nil, uint64(w.now.UnixMicro()))
	entry := append(append([]byte{0, 12}, stamp...), append([]byte{0}, "abc"...)...)
	field := append([]byte{32, 0, 15, 0}, entry...)
	if bytes.Count(b, field) != 1 {
		t.Fatalf("% x", b)
	}
	with := func(value ...byte) []byte {
		return bytes.Replace(b, field, append([]byte{32, 0, byte(len(value))}, value...), 1)
	}
	short := append(append([]byte{0, 9}, stamp...), 0)
	for name, value := range map[string][]byte{
		"nothing":                 {},
		"no answerer":             {0},
		"mixed with one":          append([]byte{1}, entry...),
		"another flag":            append([]byte{2}, entry...),
		"an empty origin":         append([]byte{0}, short...),
		"a challenge of no bytes": append([]byte{0}, append(append([]byte{0, 9}, stamp...), 1)...),
		"another kind":            append([]byte{0}, append(append([]byte{0, 12}, stamp...), append([]byte{2}, "abc"...)...)...),
		"no time":                 append([]byte{0}, append(append([]byte{0, 12}, make([]byte, 8)...), append([]byte{0}, "abc"...)...)...),
		"five":                    append([]byte{0}, bytes.Repeat(entry, 5)...),
		"cut":                     append([]byte{0}, entry[:6]...),
	} {
		if _, err := account.Decode(with(value...)); !errors.Is(err, account.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string][]byte{
		"two": append([]byte{0}, bytes.Repeat(entry, 2)...), "four and others": append([]byte{1}, bytes.Repeat(entry, 4)...),
	} {
		if _, err := account.Decode(with(value...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := bytes.Repeat([]byte("x"), account.MaxOrigin+1)
	value := append(append(append([]byte{0, 0, byte(9 + len(long))}, stamp...), 0), long...)
	if _, err := account.Decode(with(value...)); !errors.Is(err, account.ErrDamaged) {
		t.Errorf("a long origin: %v", err)
	}
}

// What is left when the owner has just been told of something else comes a day later.
func TestUnansweredWaitsForThePause(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("b")
	w.mint("a")
	w.pass(30 * time.Second)
	w.right("c")
	w.want("right after 1 c")
	told := w.now
	w.pass(10 * time.Minute)
	w.sweep()
	w.want()
	if due := w.due(); !due.Equal(told.Add(24 * time.Hour)) {
		t.Errorf("due %v after it was told", due.Sub(told))
	}
	w.now = told.Add(24 * time.Hour)
	w.sweep()
	w.want("0 wrong a")
}
