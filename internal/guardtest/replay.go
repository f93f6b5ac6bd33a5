package guardtest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// Cases 1 to 9: codes that worked twice.

// TestCase01_TypedDifferently: a space before the code defeated the cache of
// used codes (CVE-2025-6014).
func TestCase01_TypedDifferently(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	c := u.code()
	want(t, u.answer(c), "")
	w.unchanged("alice", func() {
		fullwidth := make([]rune, 0, len(c))
		for _, d := range c {
			fullwidth = append(fullwidth, d-'0'+'０')
		}
		for _, typed := range []string{
			c, " " + c, c + "\n", c[:3] + " " + c[3:], c[:3] + "-" + c[3:], c[:3] + "\u00a0" + c[3:], string(fullwidth),
		} {
			want(t, u.answer(typed), enrollment.ReasonReplayed)
		}
		want(t, u.answer(c+"x"), enrollment.ReasonMalformedCode)
	})
}

// TestCase02_PaddedWrongCodes: wrong codes with padding bypassed the limit
// (CVE-2025-6015).
func TestCase02_PaddedWrongCodes(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	c := u.wrong()
	for _, typed := range []string{c, " " + c, c + " ", "\t" + c[:3] + " " + c[3:], c[:2] + "-" + c[2:]} {
		want(t, u.answer(typed), enrollment.ReasonWrongCode)
	}
	want(t, u.answer(u.code()), enrollment.ReasonLocked)
}

// TestCase03_CodeTwice: used codes were not tracked (CVE-2026-33473).
func TestCase03_CodeTwice(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	c := u.code()
	want(t, u.answer(c), "")
	want(t, u.answer(c), enrollment.ReasonReplayed)
	_, err := w.guard.Verify(t.Context(), "alice", "step-up", c)
	want(t, err, enrollment.ReasonReplayed)
	want(t, u.answer(u.code(-1)), enrollment.ReasonReplayed)
	want(t, u.answer(u.code(+1)), "")
	want(t, u.answer(c), enrollment.ReasonReplayed)
}

// TestCase05_SetupCodeAtFirstLogin: the code that confirmed the setup was good
// for the first login as well (hanko#2723).
func TestCase05_SetupCodeAtFirstLogin(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := &user{w: w, id: "alice"}
	var token string
	u.app, token = w.begin("alice", enrollment.Proof{}, "")
	c := u.code()
	if _, err := w.guard.Confirm(t.Context(), "alice", token, c); err != nil {
		t.Fatal(err)
	}
	want(t, u.answer(c), enrollment.ReasonReplayed)
	want(t, u.answer(u.code(+1)), "")
}

// TestCase06_ReplayRace: the replay check raced (better-auth#11259).
func TestCase06_ReplayRace(t *testing.T, open Open) {
	const n = 64
	s := open(t)
	w := newWorld(t, s)
	u := w.enroll("alice")
	c := u.code()
	challenges := make([]string, n)
	for i := range challenges {
		challenges[i] = u.challenge()
	}
	g := w.guardOver(newBarrier(s, n))
	got := together(n, func(i int) error {
		_, err := g.Answer(t.Context(), enrollment.PurposeSignIn, challenges[i], c)
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonReplayed] != n-1 {
		t.Errorf("outcomes %v, want 1 accepted and %d replayed", got, n-1)
	}
}

// TestCase07_ReplayAfterRestart: used codes were forgotten at a restart
// (ovumcy-web#61).
func TestCase07_ReplayAfterRestart(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	c := u.code()
	want(t, u.answer(c), "")
	for _, after := range []time.Duration{0, 29 * time.Second, 30 * time.Second} {
		w.advance(after)
		if got := reason(u.answerOn(w.guardOver(w.store), c)); got != enrollment.ReasonReplayed && got != enrollment.ReasonWrongCode {
			t.Errorf("%v later: %q", after, got)
		}
	}
}

// TestCase44_SameCodeOfTwoUsers: the cache of used codes was not keyed by the
// user (Fortify).
func TestCase44_SameCodeOfTwoUsers(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	var users []*user
	for i := range 40 {
		users = append(users, w.enroll("user"+string(rune('A'+i))))
	}
	w.advance(time.Hour)
	for range 100_000 {
		seen := make(map[string]*user)
		for _, u := range users {
			c := u.code()
			if other := seen[c]; other != nil {
				want(t, other.answer(c), "")
				want(t, u.answer(c), "")
				want(t, other.answer(c), enrollment.ReasonReplayed)
				return
			}
			seen[c] = u
		}
		w.advance(30 * time.Second)
	}
	t.Fatal("no two users ever had the same code")
}

// TestCase45_WindowStaysNarrow: a drift that was learned from the user widened
// the window without a bound (django-otp).
func TestCase45_WindowStaysNarrow(t *testing.T, open Open) {
	w := newWorld(t, open(t))
	u := w.enroll("alice")
	for range 30 { // always a step ahead
		w.advance(30 * time.Second)
		want(t, u.answer(u.code(+1)), "")
	}
	w.advance(10 * time.Minute)
	for _, n := range []int{-20, -3, -2, 2, 3, 20} {
		want(t, u.answer(u.code(n)), enrollment.ReasonWrongCode)
		w.advance(48 * time.Hour)
	}
	want(t, u.answer(u.code(-1)), "")
	want(t, u.answer(u.code(+1)), "")
}

// A plain sealer seals nothing, and the same bytes always in the same way.
type plain struct{}

func (plain) Seal(_ context.Context, _, _, b []byte) ([]byte, error) { return bytes.Clone(b), nil }
func (plain) Open(_ context.Context, _, _, b []byte) ([]byte, error) { return bytes.Clone(b), nil }

// TestCase06_ReplayRaceUnderPlainSealer: the same where two nodes that decide
// alike would write the same bytes, and each would take them for its own.
func TestCase06_ReplayRaceUnderPlainSealer(t *testing.T, open Open) {
	const n = 16
	s := open(t)
	w := newWorld(t, s)
	w.keys = plain{}
	w.guard = w.guardOver(s)
	u := w.enroll("alice")
	g := w.guardOver(newBarrier(s, n))
	c := u.code()
	got := together(n, func(int) error {
		_, err := g.Verify(t.Context(), "alice", "x", c)
		return err
	})
	if got[""] != 1 || got[enrollment.ReasonReplayed] != n-1 {
		t.Errorf("outcomes %v, want 1 accepted and %d replayed", got, n-1)
	}
}
