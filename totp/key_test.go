package totp_test

import (
	"errors"
	"hash"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// now is the middle of step nowStep of 30 seconds.
var now = time.Unix(1_700_000_010+10, 0)

const nowStep = 56_666_667

// Secrets that were searched for: of two of the steps around nowStep they have
// the same code.
const (
	collideAdjacent = "OA4OQDM24BORK5LQYIZMWIHPN3OSA3US" // 0 and +1
	collideOuter    = "ZXLYAIZW6OWMT6CZFSMWWW62MGCCBK73" // -1 and +1
	collideTie      = "COKXTAZHVPSFNDIXVQ4AE7TTBQBJ3ZH4" // -3 and +3
	collideUneven   = "HAUTTEQRSZVQUP65L2V3Z6IWJ4DJVT3K" // -5 and +2
)

func parsedKey(t testing.TB, text string) totp.Key {
	t.Helper()
	s, err := totp.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return mustKey(t, s.Reveal(), totp.Params{})
}

func plainKey(t testing.TB) totp.Key {
	t.Helper()
	return mustKey(t, []byte("12345678901234567890"), totp.Params{Algorithm: usual})
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	s, err := totp.Generate(nil, totp.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(s, totp.Params{})
	if err != nil || k.IsZero() || !k.Secret().Equal(s) {
		t.Fatalf("NewKey = %v, %v", k, err)
	}
	if want := (totp.Params{Algorithm: totp.SHA1, Digits: 6, Period: 30 * time.Second}); k.Params() != want {
		t.Errorf("Params = %v, want %v", k.Params(), want)
	}
	if k, err := totp.NewKey(totp.Secret{}, totp.Params{}); !errors.Is(err, totp.ErrSecret) || !k.IsZero() {
		t.Errorf("of the zero Secret: %v", err)
	}
	if k, err := totp.NewKey(s, totp.Params{Digits: 5}); !errors.Is(err, totp.ErrParams) || !k.IsZero() {
		t.Errorf("of bad Params: %v", err)
	}
}

func TestZeroKey(t *testing.T) {
	t.Parallel()
	var k totp.Key
	if !k.IsZero() || !k.Secret().IsZero() {
		t.Error("the zero Key has a secret")
	}
	if k.Params() != (totp.Params{}).WithDefaults() || k.Step(now) != nowStep || !k.StepTime(1).Equal(time.Unix(30, 0)) {
		t.Error("the zero Key has no default period")
	}
	if c, err := k.Code(now); c != "" || !errors.Is(err, totp.ErrSecret) {
		t.Errorf("Code: %v", err)
	}
	for _, input := range []string{"123456", "", "rubbish"} {
		if s, err := k.Check(input, now, 0); s != 0 || !errors.Is(err, totp.ErrSecret) || errors.Is(err, totp.ErrWrong) {
			t.Errorf("Check: %v", err)
		}
		if d, err := k.ClockOffset(input, now); d != 0 || !errors.Is(err, totp.ErrSecret) || errors.Is(err, totp.ErrWrong) {
			t.Errorf("ClockOffset: %v", err)
		}
	}
	if u, err := k.URI(totp.Label{Issuer: "Acme", Account: "alice"}); u != "" || !errors.Is(err, totp.ErrSecret) {
		t.Errorf("URI: %v", err)
	}
	if o, err := k.OTP(totp.Label{Issuer: "Acme", Account: "alice"}); o != nil || !errors.Is(err, totp.ErrSecret) {
		t.Errorf("OTP: %v", err)
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		period time.Duration
		at     time.Time
		want   int64
	}{
		{"epoch", 30 * time.Second, time.Unix(0, 0), 0},
		{"end of step 0", 30 * time.Second, time.Unix(29, 999_999_999), 0},
		{"step 1", 30 * time.Second, time.Unix(30, 0), 1},
		{"a nanosecond before 1970", 30 * time.Second, time.Unix(0, -1), -1},
		{"first second of step -1", 30 * time.Second, time.Unix(-30, 0), -1},
		{"last moment of step -2", 30 * time.Second, time.Unix(-30, -1), -2},
		{"2106", 30 * time.Second, time.Unix(1<<32, 0), 143165576},
		{"short period", 15 * time.Second, time.Unix(59, 0), 3},
		{"long period", 120 * time.Second, time.Unix(239, 0), 1},
		{"odd period", 17 * time.Second, time.Unix(34, 0), 2},
		{"another zone", 30 * time.Second, time.Unix(60, 0).In(time.FixedZone("", 12345)), 2},
		{"zero time", 30 * time.Second, time.Time{}, -2071186560},
		{"most seconds", 30 * time.Second, time.Unix(math.MaxInt64, 0), math.MaxInt64 / 30},
		{"fewest seconds", 30 * time.Second, time.Unix(math.MinInt64, 0), math.MinInt64/30 - 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := mustKey(t, make([]byte, 20), totp.Params{Period: test.period})
			if got := k.Step(test.at); got != test.want {
				t.Errorf("Step = %d, want %d", got, test.want)
			}
		})
	}
}

func TestStepTime(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	for _, step := range []int64{0, 1, -1, 2, -2, nowStep, 1 << 40, -1 << 40} {
		begins := k.StepTime(step)
		if begins.Location() != time.UTC {
			t.Errorf("StepTime(%d) is not in UTC", step)
		}
		if begins.Unix() != step*30 || k.Step(begins) != step || k.Step(begins.Add(-1)) != step-1 {
			t.Errorf("StepTime(%d) = %v", step, begins)
		}
	}
	far, near := k.StepTime(math.MaxInt64), k.StepTime(math.MinInt64)
	if !far.After(now) || !near.Before(now) {
		t.Errorf("extreme steps begin at %v and %v", near, far)
	}
	if far != k.StepTime(math.MaxInt64-1) || near != k.StepTime(math.MinInt64+1) {
		t.Error("extreme steps are not clamped")
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	for _, at := range []time.Time{time.Unix(0, -1), time.Unix(-1, 0), {}, time.Unix(math.MinInt64, 0)} {
		if c, err := k.Code(at); c != "" || err == nil {
			t.Errorf("Code(%d) = %q, %v", at.Unix(), c, err)
		}
	}
	for digits := totp.MinDigits; digits <= totp.MaxDigits; digits++ {
		k := mustKey(t, make([]byte, 20), totp.Params{Algorithm: usual, Digits: digits})
		zeroes := 0
		for step := range int64(200) {
			c := mustCode(t, k, k.StepTime(step))
			if len(c) != digits || strings.Trim(c, "0123456789") != "" {
				t.Fatalf("code %q of %d digits", c, digits)
			}
			if c[0] == '0' {
				zeroes++
			}
		}
		if zeroes == 0 {
			t.Errorf("no code of %d digits begins with a zero", digits)
		}
	}
}

func TestExtremeTimes(t *testing.T) {
	t.Parallel()
	times := []time.Time{
		{}, time.Unix(-1, 0), time.Unix(0, 0), time.Unix(1<<32-1, 0), time.Unix(1<<32, 0), time.Unix(1<<33, 0),
		time.Unix(math.MaxInt64, 999_999_999), time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64-62135596800, 0),
		time.Date(math.MaxInt32, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(math.MinInt32, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, period := range []time.Duration{totp.MinPeriod, 30 * time.Second, totp.MaxPeriod} {
		k := mustKey(t, make([]byte, 16), totp.Params{Algorithm: usual, Period: period})
		for _, at := range times {
			current := k.Step(at)
			c, err := k.Code(at)
			if (err != nil) != (current < 0) {
				t.Errorf("Code(%d): %v", at.Unix(), err)
			}
			if err != nil {
				c = "000000"
			}
			for _, last := range []int64{math.MinInt64, -1, 0, 1, math.MaxInt64} {
				step, err := k.Check(c, at, last)
				if fresh := current > 0 && last < current; fresh != (err == nil) || fresh && step < current {
					t.Errorf("Check(%d, %d) = %d, %v", at.Unix(), last, step, err)
				}
			}
			if d, err := k.ClockOffset(c, at); (err == nil) != (current > 0) || d != 0 {
				t.Errorf("ClockOffset(%d) = %v, %v", at.Unix(), d, err)
			}
		}
	}
}

// A countingMAC counts the digests that are taken.
type countingMAC struct {
	hash.Hash
	sums int
}

func (m *countingMAC) Sum(b []byte) []byte { m.sums++; return m.Hash.Sum(b) }

// The work of a check tells nothing about its answer.
func TestConstantWork(t *testing.T) {
	t.Parallel()
	inputs := map[string]struct {
		secret string
		at     int64 // the step whose code is typed, relative to nowStep
		digits string
		last   int64
	}{
		"wrong":           {at: 100},
		"current":         {},
		"behind":          {at: -1},
		"ahead":           {at: 1},
		"replayed":        {last: nowStep},
		"all used":        {at: 1, last: math.MaxInt64},
		"two steps match": {secret: collideAdjacent},
		"other digits":    {digits: "12345678"},
	}
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plainKey(t)
			if input.secret != "" {
				k = parsedKey(t, input.secret)
			}
			c := input.digits
			if c == "" {
				c = mustCode(t, k, k.StepTime(nowStep+input.at))
			}
			for what, at := range map[string]time.Time{"now": now, "before 1970": time.Unix(-100, 0), "the far future": time.Unix(math.MaxInt64, 0)} {
				inner, err := k.MAC()
				if err != nil {
					t.Fatal(err)
				}
				mac := &countingMAC{Hash: inner}
				for w := range windows {
					_, _ = k.CheckWith(mac, w, c, at, input.last)
					if mac.sums != 2*totp.LookAround+1 {
						t.Errorf("Check in window %d, %s: %d HMACs", w, what, mac.sums)
					}
					mac.sums = 0
				}
				_, _ = k.ClockOffsetWith(mac, c, at)
				if mac.sums != 41 {
					t.Errorf("ClockOffset, %s: %d HMACs", what, mac.sums)
				}
			}
		})
	}
}

// Not parallel: AllocsPerRun counts what other goroutines allocate, too.
func TestAllocations(t *testing.T) {
	k := plainKey(t)
	type outcome struct {
		name string
		code string
		last int64
	}
	outcomes := []outcome{
		{"wrong", mustCode(t, k, k.StepTime(nowStep+100)), 0},
		{"current", mustCode(t, k, now), 0},
		{"behind", mustCode(t, k, k.StepTime(nowStep-1)), 0},
		{"ahead", mustCode(t, k, k.StepTime(nowStep+1)), 0},
		{"replayed", mustCode(t, k, now), nowStep},
		{"other digits", "12345678", 0},
		{"spelled otherwise", "\u00A0" + mustCode(t, k, now) + "\n", 0},
	}
	want := testing.AllocsPerRun(100, func() { _, _ = k.Check(outcomes[0].code, now, 0) })
	if want > 10 {
		t.Errorf("a check allocates %v times", want)
	}
	for _, o := range outcomes {
		if got := testing.AllocsPerRun(100, func() { _, _ = k.Check(o.code, now, o.last) }); got != want {
			t.Errorf("%s: %v allocations, a wrong code has %v", o.name, got, want)
		}
		if got := testing.AllocsPerRun(20, func() { _, _ = k.ClockOffset(o.code, now) }); got != want {
			t.Errorf("%s: %v allocations in ClockOffset, want %v", o.name, got, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	k := plainKey(t)
	c := mustCode(t, k, now)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if step, err := k.Check(c, now, 0); step != nowStep || err != nil {
					t.Errorf("Check = %d, %v", step, err)
				}
				k.Secret().Reveal()[0]++
			}
		})
	}
	wg.Wait()
}

// Under a policy that forbids SHA-1, keys of that algorithm fail with an error
// of their own, and the others work. The policy is set for a process.
func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	if !fips.Enforced() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), "=== RUN") {
			t.Skipf("this platform has no FIPS 140-3 mode: %s", out)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	raw := []byte("12345678901234567890")
	k := mustKey(t, raw, totp.Params{})
	_, err := k.Code(now)
	_, checkErr := k.Check("123456", now, 0)
	_, offsetErr := k.ClockOffset("123456", now)
	for _, err := range []error{err, checkErr, offsetErr} {
		if !errors.Is(err, totp.ErrNotApproved) || errors.Is(err, totp.ErrWrong) || errors.Is(err, totp.ErrMalformed) || errors.Is(err, totp.ErrSecret) {
			t.Errorf("SHA1: %v", err)
		}
	}
	// The caller can make an exception.
	fips.WithoutEnforcement(func() {
		c, err := k.Code(time.Unix(59, 0)) // RFC 6238, appendix B
		if fips.Exempts && (c != "287082" || err != nil) || !fips.Exempts && !errors.Is(err, totp.ErrNotApproved) {
			t.Errorf("SHA1 without enforcement: %q, %v", c, err)
		}
		if _, err := k.Check(c, time.Unix(59, 0), 0); fips.Exempts && err != nil {
			t.Errorf("SHA1 without enforcement: %v", err)
		}
	})
	for _, a := range []totp.Algorithm{totp.SHA256, totp.SHA512} {
		k := mustKey(t, raw, totp.Params{Algorithm: a})
		if step, err := k.Check(mustCode(t, k, now), now, 0); step != nowStep || err != nil {
			t.Errorf("%v: %d, %v", a, step, err)
		}
	}
}
