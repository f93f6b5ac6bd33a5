package totp_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestCheckWindow(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{10 * time.Second, 30 * time.Second, 120 * time.Second} {
		for _, within := range []time.Duration{0, period / 2, period - 1} {
			t.Run(fmt.Sprintf("%v+%v", period, within), func(t *testing.T) {
				t.Parallel()
				k := mustKey(t, []byte("12345678901234567890"), totp.Params{Algorithm: usual, Period: period})
				current := k.Step(now)
				at := k.StepTime(current).Add(within)
				for shift := int64(-50); shift <= 50; shift++ {
					c := mustCode(t, k, k.StepTime(current+shift))
					step, err := k.Check(c, at, 0)
					if shift >= -1 && shift <= 1 {
						if step != current+shift || err != nil {
							t.Errorf("%d steps off: %d, %v", shift, step, err)
						}
					} else if step != 0 || !errors.Is(err, totp.ErrWrong) || errors.Is(err, totp.ErrReplayed) {
						t.Errorf("%d steps off: %d, %v", shift, step, err)
					}
				}
			})
		}
	}
}

func TestCheckLast(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		shift int64 // of the code's step
		last  int64
		want  error
	}{
		{"none used", 0, 0, nil},
		{"negative last", 0, math.MinInt64, nil},
		{"long ago", 0, 1, nil},
		{"the step before", 0, nowStep - 1, nil},
		{"this step", 0, nowStep, totp.ErrReplayed},
		{"the next step", 0, nowStep + 1, totp.ErrReplayed},
		{"the clock fell back", 0, nowStep + 1000, totp.ErrReplayed},
		{"the highest last", 0, math.MaxInt64, totp.ErrReplayed},
		{"behind, none used", -1, 0, nil},
		{"behind, fresh", -1, nowStep - 2, nil},
		{"behind, used", -1, nowStep - 1, totp.ErrReplayed},
		{"behind, a later one used", -1, nowStep, totp.ErrReplayed},
		{"ahead, the current used", +1, nowStep, nil},
		{"ahead, used", +1, nowStep + 1, totp.ErrReplayed},
		{"outside, used", -2, nowStep, totp.ErrWrong},
		{"outside, none used", +2, 0, totp.ErrWrong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := plainKey(t)
			step, err := k.Check(mustCode(t, k, k.StepTime(nowStep+test.shift)), now, test.last)
			if err != test.want {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if want := nowStep + test.shift; err == nil && step != want || err != nil && step != 0 {
				t.Errorf("step %d, want %d", step, want)
			}
		})
	}
}

func TestErrReplayedIsWrong(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("signing in: %w", totp.ErrReplayed)
	if !errors.Is(wrapped, totp.ErrReplayed) || !errors.Is(wrapped, totp.ErrWrong) {
		t.Error("ErrReplayed does not match itself and ErrWrong")
	}
	if errors.Is(totp.ErrWrong, totp.ErrReplayed) || errors.Is(wrapped, totp.ErrMalformed) {
		t.Error("errors match too much")
	}
}

// A code that belongs to two steps of the window burns both.
func TestCheckCollision(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		secret     string
		low, high  int64
		at         int64 // the step at which the code is typed
		last, want int64 // want 0 means replayed
	}{
		{"adjacent", collideAdjacent, nowStep, nowStep + 1, nowStep, 0, nowStep + 1},
		{"adjacent, typed later", collideAdjacent, nowStep, nowStep + 1, nowStep + 1, 0, nowStep + 1},
		{"adjacent, lower used", collideAdjacent, nowStep, nowStep + 1, nowStep, nowStep, nowStep + 1},
		{"adjacent, higher used", collideAdjacent, nowStep, nowStep + 1, nowStep, nowStep + 1, 0},
		{"higher out of sight", collideAdjacent, nowStep, nowStep + 1, nowStep - 1, 0, nowStep},
		{"lower out of sight", collideAdjacent, nowStep, nowStep + 1, nowStep + 2, 0, nowStep + 1},
		{"outer", collideOuter, nowStep - 1, nowStep + 1, nowStep, 0, nowStep + 1},
		{"outer, middle used", collideOuter, nowStep - 1, nowStep + 1, nowStep, nowStep, nowStep + 1},
		{"outer, higher used", collideOuter, nowStep - 1, nowStep + 1, nowStep, nowStep + 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := parsedKey(t, test.secret)
			c := mustCode(t, k, k.StepTime(test.low))
			if c != mustCode(t, k, k.StepTime(test.high)) {
				t.Fatal("the two steps do not collide")
			}
			step, err := k.Check(c, k.StepTime(test.at), test.last)
			if test.want == 0 {
				if step != 0 || err != totp.ErrReplayed {
					t.Fatalf("Check = %d, %v, want ErrReplayed", step, err)
				}
				return
			}
			if step != test.want || err != nil {
				t.Fatalf("Check = %d, %v, want %d", step, err, test.want)
			}
		})
	}
}

func TestCheckOtherDigits(t *testing.T) {
	t.Parallel()
	raw := []byte("12345678901234567890")
	for digits := totp.MinDigits; digits <= totp.MaxDigits; digits++ {
		k := mustKey(t, raw, totp.Params{Algorithm: usual, Digits: digits})
		for other := totp.MinDigits; other <= totp.MaxDigits; other++ {
			// The last digits of a longer code are the shorter code, and a
			// shorter one with zeroes in front has the same value.
			c := mustCode(t, mustKey(t, raw, totp.Params{Algorithm: usual, Digits: other}), now)
			_, err := k.Check(c, now, 0)
			if other == digits && err != nil || other != digits && err != totp.ErrWrong {
				t.Errorf("%d digits for a key of %d: %v", other, digits, err)
			}
		}
	}
	k := mustKey(t, raw, totp.Params{Algorithm: usual, Digits: 8})
	for step := int64(1); ; step++ {
		if c := mustCode(t, k, k.StepTime(step)); c[:2] == "00" {
			if _, err := k.Check(c[2:], k.StepTime(step), 0); err != totp.ErrWrong {
				t.Errorf("a code without its leading zeroes: %v", err)
			}
			break
		}
	}
}

func TestCheckAroundEpoch(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	zero, one := mustCode(t, k, k.StepTime(0)), mustCode(t, k, k.StepTime(1))
	tests := []struct {
		name string
		code string
		at   time.Time
		last int64
		want int64 // 0 means ErrWrong
	}{
		{"step 0 at step 0", zero, time.Unix(0, 0), 0, 0},
		{"step 0 at step 1", zero, time.Unix(30, 0), 0, 0},
		{"step 0 at step 1, negative last", zero, time.Unix(30, 0), -5, 0},
		{"step 0 before 1970", zero, time.Unix(0, -1), -5, 0},
		{"step 1 at step 0", one, time.Unix(0, 0), 0, 1},
		{"step 1 at step 2", one, time.Unix(60, 0), 0, 1},
		{"step 1 before 1970", one, time.Unix(-1, 0), 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			step, err := k.Check(test.code, test.at, test.last)
			if step != test.want || (test.want == 0) != (err == totp.ErrWrong) {
				t.Errorf("Check = %d, %v, want %d", step, err, test.want)
			}
		})
	}
}

// Before 1970 nothing matches, not even what the HMAC of a negative counter
// says.
func TestCheckBefore1970(t *testing.T) {
	t.Parallel()
	skipRefused(t, totp.SHA1)
	k := plainKey(t)
	for step := int64(-40); step < 0; step++ {
		for shift := int64(-1); shift <= 1; shift++ {
			c, err := hotp.GenerateCode(k.Secret().Base32(), uint64(step+shift))
			if err != nil {
				t.Fatal(err)
			}
			for _, last := range []int64{math.MinInt64, step - 10, 0} {
				if got, err := k.Check(c, k.StepTime(step), last); got != 0 || err != totp.ErrWrong {
					t.Errorf("step %d%+d, last %d: %d, %v", step, shift, last, got, err)
				}
			}
			if _, err := k.ClockOffset(c, k.StepTime(step)); err != totp.ErrWrong {
				t.Errorf("ClockOffset at step %d%+d: %v", step, shift, err)
			}
		}
	}
}
