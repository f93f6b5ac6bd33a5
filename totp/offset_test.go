package totp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestClockOffset(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{10 * time.Second, 30 * time.Second, 45 * time.Second, 90 * time.Second, 120 * time.Second} {
		t.Run(fmt.Sprint(period), func(t *testing.T) {
			t.Parallel()
			k := mustKey(t, []byte("12345678901234567890"), totp.Params{Algorithm: usual, Period: period})
			current := k.Step(now)
			most := int64(totp.MaxClockOffset / period)
			for shift := -most - 3; shift <= most+3; shift++ {
				c := mustCode(t, k, k.StepTime(current+shift))
				got, err := k.ClockOffset(c, now)
				if shift < -most || shift > most {
					if got != 0 || err != totp.ErrWrong {
						t.Errorf("%d steps off: %v, %v", shift, got, err)
					}
				} else if want := time.Duration(shift) * period; got != want || err != nil {
					t.Errorf("%d steps off: %v, %v, want %v", shift, got, err, want)
				}
			}
		})
	}
}

func TestClockOffsetBounds(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	for _, test := range []struct {
		name  string
		ahead time.Duration
		ok    bool
	}{
		{"ten minutes slow", -10 * time.Minute, true},
		{"ten minutes fast", 10 * time.Minute, true},
		{"a step more slow", -10*time.Minute - 30*time.Second, false},
		{"a step more fast", 10*time.Minute + 30*time.Second, false},
	} {
		got, err := k.ClockOffset(mustCode(t, k, now.Add(test.ahead)), now)
		if test.ok && (got != test.ahead || err != nil) || !test.ok && err != totp.ErrWrong {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

func TestClockOffsetNearest(t *testing.T) {
	t.Parallel()
	const period = 30 * time.Second
	tests := []struct {
		name   string
		secret string
		a, b   int64 // the steps that collide, relative to nowStep
		at     int64
		want   time.Duration
	}{
		{"the current step wins", collideAdjacent, 0, 1, 0, 0},
		{"the current step wins over the one before", collideAdjacent, 0, 1, 1, 0},
		{"the nearer of two ahead", collideAdjacent, 0, 1, -4, 4 * period},
		{"the nearer of two behind", collideAdjacent, 0, 1, 4, -3 * period},
		{"the nearer, which is ahead", collideUneven, -5, 2, 0, 2 * period},
		{"the nearer, which is behind", collideUneven, -5, 2, -3, -2 * period},
		{"the earlier of two equally near", collideTie, -3, 3, 0, -3 * period},
		{"the only one in reach", collideTie, -3, 3, 20, -17 * period},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := parsedKey(t, test.secret)
			c := mustCode(t, k, k.StepTime(nowStep+test.a))
			if c != mustCode(t, k, k.StepTime(nowStep+test.b)) {
				t.Fatal("the two steps do not collide")
			}
			if got, err := k.ClockOffset(c, k.StepTime(nowStep+test.at)); got != test.want || err != nil {
				t.Errorf("ClockOffset = %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestClockOffsetInput(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	c := mustCode(t, k, now.Add(4*time.Minute))
	if got, err := k.ClockOffset(" "+c[:3]+"-"+c[3:]+"\n", now); got != 4*time.Minute || err != nil {
		t.Errorf("with separators: %v, %v", got, err)
	}
	if _, err := k.ClockOffset("00"+c, now); err != totp.ErrWrong {
		t.Errorf("with two more digits: %v", err)
	}
	if _, err := k.ClockOffset(mustCode(t, k, k.StepTime(0)), k.StepTime(3)); err != totp.ErrWrong {
		t.Errorf("step 0: %v", err)
	}
	if got, err := k.ClockOffset(mustCode(t, k, k.StepTime(2)), k.StepTime(0)); got != time.Minute || err != nil {
		t.Errorf("step 2 at step 0: %v, %v", got, err)
	}
	if _, err := k.ClockOffset(mustCode(t, k, k.StepTime(1)), k.StepTime(-1)); err != totp.ErrWrong {
		t.Errorf("a clock before 1970: %v", err)
	}
}
