package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// An alerted is an account whose challenges several people answer. Who they are is
// an origin or, with a number sign, a challenge without an origin.
type alerted struct {
	*world
	key  totp.Key
	told []string
}

func newAlerted(t *testing.T) *alerted {
	w := newWorld(t)
	x := &alerted{world: w, key: w.enroll(1)}
	w.now = w.now.Add(time.Hour)
	return x
}

// answer answers a challenge, stores the account, and notes what is told.
func (w *alerted) answer(who, code string, want account.Reason) account.Match {
	w.t.Helper()
	m := w.moment()
	c := account.Challenge{ID: account.ChallengeID{9, byte(w.drawn)}, Epoch: w.a.Epoch(), Issued: w.now, Expires: w.now.Add(account.ChallengeTTL)}
	if id, ok := strings.CutPrefix(who, "#"); ok {
		copy(c.ID[1:], id)
	} else {
		m.Origin = who
	}
	match, err := w.a.Answer(m, c, account.Guess{Factor: account.TOTP, Digits: code}, true)
	mustReason(w.t, err, want)
	w.stored()
	return match
}

func (w *alerted) wrong(who string) { w.t.Helper(); w.answer(who, w.world.wrong(), account.WrongCode) }

func (w *alerted) right(who string) account.Missed {
	w.t.Helper()
	return w.answer(who, code(w.t, w.key, w.now), "").Missed
}

// stored notes what is told, and stores and loads the account.
func (w *alerted) stored() {
	w.t.Helper()
	for _, e := range w.a.Recorded() {
		switch e.Kind {
		case account.EventWrongCodes:
			w.told = append(w.told, fmt.Sprintf("%d wrong %s", e.Wrong, e.Origin))
		case account.EventRightAfterWrong:
			w.told = append(w.told, fmt.Sprintf("right after %d %s", e.Wrong, e.Origin))
		}
	}
	w.reload()
}

func (w *alerted) pass(d time.Duration) { w.now = w.now.Add(d); w.reload() }

// sweep does what is due now, and returns whether anything was.
func (w *alerted) sweep() bool {
	w.t.Helper()
	done, err := w.a.Sweep(w.moment(), w.due(), true)
	must(w.t, err)
	w.stored()
	return done.Due
}

// want fails the test unless that was told since it was called last.
func (w *alerted) want(told ...string) {
	w.t.Helper()
	if got := strings.Join(w.told, ", "); got != strings.Join(told, ", ") {
		w.t.Errorf("told of %q, want %q", got, told)
	}
	w.told = nil
}

// What tells the owner, and what does not: each line is what somebody does, and what
// is told at once and when ten minutes have passed.
func TestAlert(t *testing.T) {
	t.Parallel()
	for steps, want := range map[string]string{
		"a-":             "/1 wrong a", // somebody has the password
		"a- a+":          "/",          // a typing error
		"a- a- a+":       "/",
		"a- a- a- a+":    "right after 3 a/", // three are none
		"a- a- a-":       "/3 wrong a",
		"a- b+":          "right after 1 b/", // the owner does not hide the attacker
		"b- a+":          "right after 1 a/",
		"a- b- a+":       "right after 2 a/", // who guesses while the owner signs in
		"a- b- b+":       "right after 2 b/",
		"a- b-":          "/2 wrong a",
		"a- a+ b-":       "/1 wrong b",
		"a- a+ a- a- a+": "/", // each sign-in begins anew
		"#1- #1+":        "/", // without an origin
		"#1- #2+":        "right after 1 /",
		"#1- #2-":        "/2 wrong ",
		"a- #1+":         "right after 1 /",
		"#1- a+":         "right after 1 a/",
		"a- b+ a-":       "right after 1 b/", // once in a day: the rest later
		"a- b+ a- b+":    "right after 1 b/",
	} {
		t.Run(steps, func(t *testing.T) {
			t.Parallel()
			w := newAlerted(t)
			for _, step := range strings.Fields(steps) {
				who := step[:len(step)-1]
				if strings.HasSuffix(step, "-") {
					w.wrong(who)
				} else {
					w.pass(30 * time.Second)
					w.right(who)
				}
			}
			atOnce, later, _ := strings.Cut(want, "/")
			list := func(s string) []string {
				if s == "" {
					return nil
				}
				return []string{s}
			}
			w.want(list(atOnce)...)
			w.pass(10 * time.Minute)
			w.sweep()
			w.want(list(later)...)
			w.sweep() // nothing comes twice
			w.want()
		})
	}
}

// It is due ten minutes after the first wrong code, and an attacker who goes on
// does not put it off: neither does one who comes back every nine minutes.
func TestAlertDueNeverMoves(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	due := w.now.Add(10 * time.Minute)
	for range 3 {
		w.pass(3 * time.Minute)
		w.wrong("a")
		if got := w.due(); !got.Equal(due) {
			t.Errorf("due %v, want %v", got, due)
		}
	}
	w.now = due.Add(-time.Microsecond)
	if w.sweep() {
		t.Error("swept before it was due")
	}
	w.want()
	w.now = due
	w.sweep()
	w.want("4 wrong a")
	if got := w.due(); !got.IsZero() {
		t.Errorf("due again %v", got)
	}
}

// Ten minutes after the first wrong code a right one is too late to hide it: where
// nobody has swept yet, and where it is told later because of an alert before it.
func TestAlertIsNotClosedLate(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	w.pass(10*time.Minute - time.Microsecond)
	w.right("a")
	w.want()
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.right("a")
	w.want("right after 1 a")
	told := w.now
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.right("a")
	w.want()
	w.now = told.Add(24 * time.Hour)
	w.sweep()
	w.want("right after 1 a")
}

// Where nobody sweeps, the next answer tells what is due.
func TestAlertWithoutSweep(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.wrong("a")
	w.want("2 wrong a")
	w.pass(24*time.Hour - time.Microsecond)
	w.wrong("a")
	w.want() // ten minutes for this one
	w.pass(10 * time.Minute)
	w.right("b")
	w.want("right after 1 b")
}

// A trusted device and a pass are no codes: what an attacker tried before them is
// told all the same.
func TestAlertAndDevice(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.trust(3)
	must(t, w.a.Grant(w.moment(), w.now.Add(time.Hour), account.Admin{Actor: "root", Reason: "x"}))
	w.wrong("a")
	for _, d := range []account.DeviceHash{{3, 0xdd}, {}} {
		by, err := w.waive(d)
		must(t, err)
		if by == account.NoFactor {
			t.Fatal("a code is asked for")
		}
		w.stored()
	}
	w.pass(10 * time.Minute)
	w.sweep()
	w.want("1 wrong a")
}

// Once in a day of wrong codes and once of a right one after them; what comes sooner
// waits, with the count.
func TestAlertOnceADay(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	w.pass(10 * time.Minute)
	w.sweep()
	w.want("1 wrong a")
	first := w.now
	for range 3 { // goes on
		w.pass(time.Hour)
		w.wrong("c")
	}
	w.pass(time.Hour)
	w.sweep()
	w.want()
	if got := w.due(); !got.Equal(first.Add(24 * time.Hour)) {
		t.Errorf("due %v, want a day after %v", got, first)
	}
	w.right("b") // it may be the attacker's
	w.want("right after 3 b")
	second := w.now
	w.wrong("c")
	w.pass(time.Minute)
	w.right("b")
	w.pass(time.Minute)
	w.right("b") // once more closes nothing
	w.want()
	w.wrong("c")
	if got := w.due(); !got.Equal(second.Add(24 * time.Hour)) {
		t.Errorf("due %v, want a day after %v", got, second)
	}
	w.now = second.Add(24 * time.Hour)
	w.sweep()
	w.want("right after 2 b")
}

// Disabling and a reset deliver what is open: no code is left that could close it.
func TestAlertOnDisable(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]func(w *alerted) error{
		"disable": func(w *alerted) error { return w.a.Disable(w.moment(), w.reauth("password")) },
		"reset": func(w *alerted) error {
			return w.a.Reset(w.moment(), account.Admin{Actor: "root", Reason: "x"}, account.TicketHash{})
		},
		"self-service": func(w *alerted) error {
			if _, err := w.a.AskReset(w.moment(), time.Minute, true); err != nil {
				return err
			}
			w.now = w.now.Add(time.Minute)
			_, err := w.a.Sweep(w.moment(), w.now, true)
			return err
		},
	} {
		w := newAlerted(t)
		w.trust(3)
		w.wrong("a")
		must(t, off(w))
		kinds := ""
		for _, e := range w.a.Recorded() {
			kinds += fmt.Sprint(e.Kind, " ")
		}
		last := w.a.Recorded()[len(w.a.Recorded())-1].Kind
		w.stored()
		w.want("1 wrong a")
		if last != account.EventDevicesForgotten {
			t.Errorf("%s: the events are %s", name, kinds)
		}
		if w.a.State() != account.Disabled || !w.due().IsZero() {
			t.Errorf("%s: state %v, due %v", name, w.a.State(), w.due())
		}
	}
}

// A Guard that tells nobody counts, and opens nothing; what another has opened it
// leaves for that one, also when everything is switched off.
func TestAlertWithoutNotify(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	quiet := func() account.Moment { m := w.moment(); m.Tells = false; return m }
	guess := func(m account.Moment) {
		t.Helper()
		_, err := w.a.Answer(m, w.a.NewChallenge(account.ChallengeID{byte(w.drawn)}, w.now), account.Guess{Factor: account.TOTP, Digits: w.world.wrong()}, true)
		mustReason(t, err, account.WrongCode)
		w.stored()
	}
	guess(quiet())
	if !w.due().IsZero() {
		t.Fatal("something is due, and nobody would tell it")
	}
	guess(w.moment())
	due := w.due()
	w.pass(time.Hour)
	done, err := w.a.Sweep(quiet(), due, false)
	if want := (account.Swept{Due: true, Waiting: true}); err != nil || done != want || w.a.Changed() {
		t.Errorf("swept %+v, %v", done, err)
	}
	m := quiet()
	_, err = w.a.Answer(m, w.a.NewChallenge(account.ChallengeID{byte(w.drawn)}, w.now), account.Guess{Factor: account.TOTP, Digits: code(t, w.key, w.now)}, true)
	must(t, err)
	must(t, w.a.Disable(quiet(), w.reauth("password")))
	w.stored()
	w.want()
	w.sweep()
	w.want("right after 1 ")
}

// A Success hears of every wrong answer since the last one, told or not.
func TestMissed(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.wrong("a")
	w.wrong("b")
	last := w.now
	w.pass(time.Hour)
	w.sweep()
	if got := w.right("b"); got.Count != 2 || !got.Last.Equal(last) {
		t.Errorf("missed %+v, want 2 until %v", got, last)
	}
	w.pass(time.Minute)
	if got := w.right("b"); got != (account.Missed{}) {
		t.Errorf("missed %+v again", got)
	}
}

// Three consecutive codes are an answer like any other: a near miss is counted, the
// right ones close or turn the alert, and what comes nowhere near leaves no trace.
func TestAlertAndThreeCodes(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	three := func(who, change string) account.Missed {
		t.Helper()
		m := w.moment()
		m.Origin = who
		codes := account.Consecutive{code(t, w.key, w.now.Add(-time.Minute)), code(t, w.key, w.now.Add(-30*time.Second)), code(t, w.key, w.now)}
		want := account.Reason("")
		for i := range change {
			codes[i], want = w.world.wrong(), account.WrongCode
		}
		match, err := w.a.AnswerConsecutive(m, w.a.NewChallenge(account.ChallengeID{byte(w.drawn)}, w.now), codes, true)
		mustReason(t, err, want)
		w.stored()
		return match.Missed
	}
	three("a", "xx")
	if b := account.AlertField(w.a); b != nil {
		t.Errorf("stored % x", b)
	}
	three("a", "x")
	if got := three("b", ""); got.Count != 1 {
		t.Errorf("missed %+v", got)
	}
	w.want("right after 1 b")
}

// What is not counted as a guess is none here: a used code, a code for an app that
// is not there, a challenge that is void, a locked factor.
func TestAlertOfWhatIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newAlerted(t)
	w.right("b")
	used := code(t, w.key, w.now)
	w.answer("a", used, account.Replayed)
	w.answer("a", "12345678", account.MalformedCode)
	for range 5 {
		w.wrong("b")
	}
	before := encode(t, w.a)
	w.answer("a", w.world.wrong(), account.Locked)
	m := w.moment()
	_, err := w.a.Answer(m, account.Challenge{}, account.Guess{Factor: account.TOTP, Digits: w.world.wrong()}, true)
	mustReason(t, err, account.ChallengeVoid)
	if w.reload(); string(encode(t, w.a)) != string(before) {
		t.Error("the account has changed")
	}
	w.pass(10 * time.Minute)
	w.sweep()
	w.want("5 wrong b") // and a is not among them
}
