package totp_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// three returns the codes of three steps in a row, the last of which is given.
func three(t *testing.T, k totp.Key, last int64) (codes [totp.Consecutive]string) {
	t.Helper()
	for i := range codes {
		codes[i] = mustCode(t, k, k.StepTime(last-2+int64(i)))
	}
	return codes
}

// other returns a code that is not c.
func other(c string) string {
	first := byte('0')
	if c[0] == first {
		first = '1'
	}
	return string(first) + c[1:]
}

func TestCheckConsecutive(t *testing.T) {
	t.Parallel()
	for _, p := range []totp.Params{
		{Algorithm: usual}, {Algorithm: totp.SHA256, Digits: 7}, {Algorithm: totp.SHA512, Digits: 8},
		{Algorithm: usual, Period: 10 * time.Second}, {Algorithm: usual, Period: 45 * time.Second},
		{Algorithm: usual, Period: 90 * time.Second}, {Algorithm: usual, Period: 120 * time.Second},
	} {
		t.Run(fmt.Sprintf("%v %d %v", p.Algorithm, p.Digits, p.Period), func(t *testing.T) {
			t.Parallel()
			k := mustKey(t, []byte("12345678901234567890"), p)
			current, period := k.Step(now), k.Params().Period
			most := int64(10 * time.Minute / period)
			places := 0
			for shift := -most - 5; shift <= most+5; shift++ {
				step, err := k.CheckConsecutive(three(t, k, current+shift), now, 0)
				if shift < -most || shift > most {
					if step != 0 || err != totp.ErrWrong {
						t.Errorf("%d steps off: %d, %v", shift, step, err)
					}
					continue
				}
				places++
				if step != current+shift || err != nil {
					t.Errorf("%d steps off: %d, %v", shift, step-current, err)
				}
			}
			if period == 30*time.Second && places != 41 {
				t.Errorf("%d places, want 41", places)
			}
		})
	}
}

// All three codes have to be later than the last one that was used.
func TestCheckConsecutiveUsed(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	for _, at := range []int64{-20, -7, 0, 1, 20} {
		end := nowStep + at
		for last, want := range map[int64]error{
			0: nil, end - 4: nil, end - 3: nil,
			end - 2: totp.ErrReplayed, end - 1: totp.ErrReplayed, end: totp.ErrReplayed, end + 1: totp.ErrReplayed, math.MaxInt64: totp.ErrReplayed,
		} {
			if step, err := k.CheckConsecutive(three(t, k, end), now, last); step != end || err != want {
				t.Errorf("at %d with the last at %d: %d, %v, want %v", at, last-end, step-nowStep, err, want)
			}
		}
	}
	if !errors.Is(totp.ErrNearMiss, totp.ErrWrong) || errors.Is(totp.ErrNearMiss, totp.ErrReplayed) {
		t.Error("ErrNearMiss is not a wrong code, or is a used one")
	}
}

// Exactly two right codes at one place are a near miss, unless its last code was used.
func TestCheckConsecutiveNearMiss(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	const end = nowStep + 9
	right := three(t, k, end)
	for wrong := range right {
		near := right
		near[wrong] = other(near[wrong])
		for last := int64(end - 3); last < end; last++ {
			if step, err := k.CheckConsecutive(near, now, last); step != end || err != totp.ErrNearMiss {
				t.Errorf("code %d is wrong, the last is at %d: %d, %v", wrong, last-end, step-nowStep, err)
			}
		}
		if step, err := k.CheckConsecutive(near, now, end); step != 0 || err != totp.ErrWrong {
			t.Errorf("code %d is wrong and the place used: %d, %v", wrong, step, err)
		}
		far := near
		far[(wrong+1)%3] = other(far[(wrong+1)%3])
		if step, err := k.CheckConsecutive(far, now, 0); step != 0 || err != totp.ErrWrong {
			t.Errorf("one code is right: %d, %v", step, err)
		}
	}
	for name, codes := range map[string][3]string{
		"the other way round": {right[2], right[1], right[0]},
		"the first twice":     {right[0], right[0], other(right[2])},
		"other digits":        {"12345678", "12345678", "12345678"},
	} {
		if _, err := k.CheckConsecutive(codes, now, 0); err != totp.ErrWrong {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.CheckConsecutive([3]string{"00" + right[0], right[1], right[2]}, now, 0); err != totp.ErrNearMiss {
		t.Errorf("one has two more digits: %v", err)
	}
}

func TestCheckConsecutiveInput(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	codes := three(t, k, nowStep)
	spelled := [3]string{codes[0][:3] + " " + codes[0][3:], "\u00A0" + codes[1] + "\n", codes[2][:3] + "-" + codes[2][3:]}
	if step, err := k.CheckConsecutive(spelled, now, 0); step != nowStep || err != nil {
		t.Errorf("spelled otherwise: %d, %v", step, err)
	}
	for i := range codes {
		bad := codes
		bad[i] = "12345"
		if step, err := k.CheckConsecutive(bad, now, 0); step != 0 || !errors.Is(err, totp.ErrMalformed) {
			t.Errorf("code %d: %d, %v", i, step, err)
		}
	}
	if _, err := (totp.Key{}).CheckConsecutive(codes, now, 0); !errors.Is(err, totp.ErrSecret) {
		t.Errorf("the zero key: %v", err)
	}
}

// The first step that counts is 1, and before 1970 nothing matches.
func TestCheckConsecutiveAroundEpoch(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	if step, err := k.CheckConsecutive(three(t, k, 3), k.StepTime(0), 0); step != 3 || err != nil {
		t.Errorf("steps 1 to 3: %d, %v", step, err)
	}
	if step, err := k.CheckConsecutive(three(t, k, 3), k.StepTime(-1), 0); step != 0 || err != totp.ErrWrong {
		t.Errorf("a clock before 1970: %d, %v", step, err)
	}
	if step, err := k.CheckConsecutive(three(t, k, 2), k.StepTime(0), -1); err == nil || errors.Is(err, totp.ErrReplayed) {
		t.Errorf("steps 0 to 2: %d, %v", step, err)
	}
}

func TestConstantWorkConsecutive(t *testing.T) {
	t.Parallel()
	for period, want := range map[time.Duration]int{10 * time.Second: 123, 30 * time.Second: 43, 120 * time.Second: 13} {
		k := mustKey(t, []byte("12345678901234567890"), totp.Params{Algorithm: usual, Period: period})
		current := k.Step(now)
		right := three(t, k, current)
		near := right
		near[1] = other(near[1])
		for name, x := range map[string]struct {
			codes [3]string
			last  int64
		}{
			"right":        {codes: right},
			"ahead":        {codes: three(t, k, current+3)},
			"wrong":        {codes: three(t, k, current+1000)},
			"near":         {codes: near},
			"used":         {codes: right, last: current},
			"all used":     {codes: near, last: math.MaxInt64},
			"other digits": {codes: [3]string{"12345678", "1234567", "123456"}},
		} {
			for what, at := range map[string]time.Time{"now": now, "before 1970": time.Unix(-100, 0), "the far future": time.Unix(math.MaxInt64, 0)} {
				inner, err := k.MAC()
				if err != nil {
					t.Fatal(err)
				}
				mac := &countingMAC{Hash: inner}
				_, _ = k.CheckConsecutiveWith(mac, x.codes, at, x.last)
				if mac.sums != want {
					t.Errorf("%v, %s, %s: %d HMACs, want %d", period, name, what, mac.sums, want)
				}
			}
		}
	}
}

// The latest place counts where the codes belong to several: the steps of nowStep
// and the next one have the same code here.
func TestCheckConsecutiveTakesTheLatest(t *testing.T) {
	t.Parallel()
	k := parsedKey(t, collideAdjacent)
	c := mustCode(t, k, now)
	if step, err := k.CheckConsecutive([3]string{c, c, c}, now, 0); step != nowStep+2 || err != totp.ErrNearMiss {
		t.Errorf("%d, %v", step-nowStep, err)
	}
	if step, err := k.CheckConsecutive([3]string{c, c, c}, now, nowStep-1); step != nowStep+2 || err != totp.ErrNearMiss {
		t.Errorf("the earlier place is used: %d, %v", step-nowStep, err)
	}
	if step, err := k.CheckConsecutive([3]string{c, c, c}, now, nowStep+2); step != 0 || err != totp.ErrWrong {
		t.Errorf("both are used: %d, %v", step-nowStep, err)
	}
}
