package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// nearly tries codes of which exactly two are right, and checks that nothing but
// the write and the event tells it from a wrong try.
func (w *world) nearly(codes account.Consecutive, i int) {
	w.t.Helper()
	_, err := w.a.CheckConsecutive(w.moment(), missed(codes, i))
	if mustReason(w.t, err, account.WrongCode); !retryAt(err).IsZero() {
		w.t.Error("a near miss begins a wait")
	}
	if !w.a.Changed() || !slices.Equal(kinds(w.a), []account.EventKind{account.EventNearMiss}) {
		w.t.Errorf("changed: %t, told: %v", w.a.Changed(), kinds(w.a))
	}
	e := w.a.Recorded()[0]
	if e.Factor != account.TOTP || e.Name == "" {
		w.t.Errorf("told is %+v", e)
	}
	w.reload()
}

// usable reports whether the codes would be accepted.
func (w *world) usable(codes account.Consecutive) bool {
	w.t.Helper()
	_, err := w.copied().CheckConsecutive(w.moment(), codes)
	if err != nil {
		mustReason(w.t, err, account.Replayed)
	}
	return err == nil
}

// The fifth near miss uses the place up, whichever of the codes was guessed.
func TestNearMissesBurnThePlace(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, -9 * time.Minute, 10 * time.Minute} {
		for wrong := range 3 {
			w := newWorld(t)
			k := w.enroll(1)
			w.now = w.now.Add(time.Hour)
			w.lock()
			codes := three(t, k, w.now.Add(ahead))
			for i := range 5 {
				if !w.usable(codes) {
					t.Fatalf("%v, code %d: used up after %d", ahead, wrong, i)
				}
				w.nearly(codes, wrong)
			}
			if w.usable(codes) || w.a.Authenticators()[0].Last != k.Step(w.now.Add(ahead)) {
				t.Fatalf("%v, code %d: not used up", ahead, wrong)
			}
			_, err := w.a.CheckConsecutive(w.moment(), missed(codes, wrong))
			if mustReason(t, err, account.WrongCode); w.a.Changed() {
				t.Errorf("%v, code %d: a near miss of a used place is written", ahead, wrong)
			}
			w.now = w.now.Add(90 * time.Second) // the next three codes are others
			_, err = w.checkThree(three(t, k, w.now.Add(ahead)))
			must(t, err)
		}
	}
}

// Two codes from a look at the screen, and guesses at the third, before and after
// them: five guesses in all.
func TestTwoCodesFromAScreen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	before, after := three(t, k, w.now.Add(30*time.Second)), three(t, k, w.now.Add(time.Minute))
	now, next := before[1], before[2] // what the screen shows
	tries := 0
	for w.usable(after) {
		if tries%2 == 0 {
			w.nearly(account.Consecutive{before[0], now, next}, 0)
		} else {
			w.nearly(account.Consecutive{now, next, after[2]}, 2)
		}
		tries++
	}
	if tries != 5 {
		t.Errorf("%d guesses", tries)
	}
}

// First the code before the two is guessed, until all are used up, and then the one after
// them: one guess more, and not five.
func TestTwoCodesFromAScreenInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	before, after := three(t, k, w.now.Add(30*time.Second)), three(t, k, w.now.Add(time.Minute))
	for range 5 {
		w.nearly(before, 0)
	}
	w.nearly(after, 2)
	if got := w.a.Authenticators()[0].Last - k.Step(w.now); got != 2 {
		t.Errorf("used up to the step %d, want 2", got)
	}
	w.now = w.now.Add(20 * time.Minute) // the look was long ago
	codes := three(t, k, w.now)
	if w.nearly(codes, 2); !w.usable(codes) {
		t.Error("one near miss uses codes up for ever")
	}
}

// The same with codes of which the first were used, as after a sign-in of the owner:
// whether the third is right would otherwise be told for nothing, as Replayed.
func TestUsedCodesFromAScreen(t *testing.T) {
	t.Parallel()
	for used := 1; used <= 2; used++ {
		w := newWorld(t)
		k := w.enroll(1)
		w.now = w.now.Add(time.Hour)
		codes := three(t, k, w.now.Add(30*time.Second))
		w.now = w.now.Add(time.Duration(used-2) * 30 * time.Second)
		mustReason(t, w.check(codes[used-1]), "") // the owner
		w.reload()
		w.lock()
		for range 5 {
			w.nearly(codes, 2)
		}
		if got, want := w.a.Authenticators()[0].Last, k.Step(w.now)+int64(3-used); got != want {
			t.Errorf("%d used: used up to %d, want %d", used, got, want)
		}
		_, err := w.a.CheckConsecutive(w.moment(), missed(codes, 2))
		if mustReason(t, err, account.WrongCode); w.a.Changed() {
			t.Errorf("%d used: a near miss of codes that are all used is written", used)
		}
	}
}

// A row of near misses ends twenty minutes after the last of them, or with a
// success. A clock that goes back does not end it, and one that was far ahead does
// not make it last.
func TestNearMissesAreForgotten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pause func(w *world)
		kept  bool
	}{
		"at once":                {func(*world) {}, true},
		"shortly before":         {func(w *world) { w.now = w.now.Add(20*time.Minute - time.Microsecond) }, true},
		"after twenty minutes":   {func(w *world) { w.now = w.now.Add(20 * time.Minute) }, false},
		"a clock that goes back": {func(w *world) { w.now = w.now.Add(-10 * time.Minute) }, true},
		"a success": {func(w *world) {
			w.now = w.now.Add(2 * time.Minute)
			_, err := w.checkThree(three(w.t, w.a.Authenticators()[0].Key, w.now))
			must(w.t, err)
			w.now = w.now.Add(2 * time.Minute)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			k := w.enroll(1)
			w.now = w.now.Add(2 * time.Hour)
			for range 4 {
				w.nearly(three(t, k, w.now), 1)
			}
			tt.pause(w)
			w.reload()
			codes := three(t, k, w.now)
			if w.nearly(codes, 1); w.usable(codes) == tt.kept {
				t.Errorf("the fifth uses the place up: %t, want %t", !w.usable(codes), tt.kept)
			}
		})
	}
	w := newWorld(t)
	k := w.enroll(1)
	right := w.now
	w.now = right.Add(100 * day) // a broken clock
	for range 4 {
		w.nearly(three(t, k, w.now), 1)
	}
	w.now = right.Add(time.Hour)
	w.reload()
	w.now = w.now.Add(20 * time.Minute)
	w.reload()
	codes := three(t, k, w.now)
	if w.nearly(codes, 1); !w.usable(codes) {
		t.Error("near misses of a broken clock still count")
	}
}

// Each authenticator has a count of its own, and a used place none.
func TestNearMissesOfSeveralAuthenticators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.enroll(1), w.enroll(41)
	w.now = w.now.Add(time.Hour)
	for range 4 {
		w.nearly(three(t, a, w.now), 0)
		w.nearly(three(t, b, w.now), 0)
	}
	if !w.usable(three(t, a, w.now)) || !w.usable(three(t, b, w.now)) {
		t.Error("eight near misses of two authenticators have used one up")
	}
	w.nearly(three(t, a, w.now), 0)
	if w.usable(three(t, a, w.now)) || !w.usable(three(t, b, w.now)) {
		t.Error("the fifth has not used up the place of its authenticator alone")
	}
}

// What is one code away from nothing is neither written nor told.
func TestFarMissesAreNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	right := three(t, k, w.now)
	for name, codes := range map[string]account.Consecutive{
		"one right":        missed(missed(right, 0), 1),
		"none right":       missed(missed(missed(right, 0), 1), 2),
		"in reverse":       {right[2], right[1], right[0]},
		"one code thrice":  {right[2], right[2], right[2]},
		"too late":         three(t, k, w.now.Add(-11*time.Minute)),
		"too early":        three(t, k, w.now.Add(11*time.Minute)),
		"with a step left": {right[0], right[1], three(t, k, w.now.Add(30*time.Second))[2]},
	} {
		_, err := w.a.CheckConsecutive(w.moment(), codes)
		mustReason(t, err, account.WrongCode)
		if near := name == "with a step left"; w.a.Changed() != near {
			t.Errorf("%s: changed is %t", name, w.a.Changed())
		}
		w.reload()
	}
}

// What hosts have stored must stay readable: this file never changes.
func TestGoldenNearMisses(t *testing.T) {
	w := newWorld(t)
	k := w.enroll(1)
	w.now = w.now.Add(time.Hour)
	for range 3 {
		w.nearly(three(t, k, w.now), 1)
	}
	golden(t, "v1-near-misses", w.a)
}

func TestDamagedNearMisses(t *testing.T) {
	t.Parallel()
	for name, value := range map[string][]byte{
		"none":     {0, 0, 0, 0, 0, 0, 0, 0, 1},
		"too many": {5, 0, 0, 0, 0, 0, 0, 0, 1},
		"short":    {1, 0, 0},
		"long":     {1, 0, 0, 0, 0, 0, 0, 0, 1, 0},
	} {
		w := newWorld(t)
		w.enroll(1)
		b := insertEverywhere(t, encode(t, w.a), 8, value)
		if _, err := account.Decode(b); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
