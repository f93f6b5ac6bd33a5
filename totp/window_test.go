package totp_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// windows are the distances from the current step that each window accepts.
var windows = map[totp.Window][]int64{
	totp.LookBothWays:  {-1, 0, 1},
	totp.LookBehind:    {-1, 0},
	totp.LookAhead:     {0, 1},
	totp.LookAtCurrent: {0},
}

func TestCheckWithin(t *testing.T) {
	t.Parallel()
	for w, distances := range windows {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			k := plainKey(t)
			want := map[int64]bool{}
			for _, d := range distances {
				want[d] = true
			}
			if w.Validate() != nil || w.Steps() != len(distances) {
				t.Errorf("%v, %d steps", w.Validate(), w.Steps())
			}
			for d := int64(-3); d <= 3; d++ {
				c := mustCode(t, k, k.StepTime(nowStep+d))
				step, err := k.CheckWithin(w, c, now, 0)
				switch {
				case want[d] && (step != nowStep+d || err != nil):
					t.Errorf("%d steps off: %d, %v", d, step, err)
				case !want[d] && (step != 0 || !errors.Is(err, totp.ErrWrong) || errors.Is(err, totp.ErrReplayed)):
					t.Errorf("%d steps off: %d, %v", d, step, err)
				}
				// What was used is no guess, also where the window ends before it.
				_, err = k.CheckWithin(w, c, now, nowStep+d)
				if near := d >= -totp.LookAround && d <= totp.LookAround; near != errors.Is(err, totp.ErrReplayed) {
					t.Errorf("%d steps off and used: %v", d, err)
				}
			}
		})
	}
}

// A code of two steps counts as the later one that the window has.
func TestCheckWithinTwoSteps(t *testing.T) {
	t.Parallel()
	k := parsedKey(t, collideAdjacent)
	for d := int64(-3); d <= 3; d++ {
		at := k.StepTime(nowStep + d)
		c := mustCode(t, k, at)
		for w, distances := range windows {
			var want int64
			for _, x := range distances {
				if mustCode(t, k, k.StepTime(nowStep+d+x)) == c {
					want = nowStep + d + x
				}
			}
			if step, err := k.CheckWithin(w, c, at, 0); step != want || err != nil {
				t.Errorf("window %d at %d: %d, %v; want %d", w, d, step, err, want)
			}
		}
	}
}

func TestWindowIsDefined(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	for _, w := range []totp.Window{totp.LookAtCurrent + 1, math.MaxUint8} {
		_, err := k.CheckWithin(w, "123456", now, 0)
		if !errors.Is(err, totp.ErrParams) || !errors.Is(w.Validate(), totp.ErrParams) || w.Steps() != 0 {
			t.Errorf("%d: %v, %v, %d steps", w, err, w.Validate(), w.Steps())
		}
	}
}

// The zero window is that of Check.
func TestZeroWindow(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	var zero totp.Window
	for d := -2; d <= 2; d++ {
		c := mustCode(t, k, now.Add(time.Duration(d)*30*time.Second))
		a, errA := k.Check(c, now, 0)
		b, errB := k.CheckWithin(zero, c, now, 0)
		if a != b || !errors.Is(errB, errA) && errA != nil {
			t.Errorf("%d: %d, %v and %d, %v", d, a, errA, b, errB)
		}
	}
}
