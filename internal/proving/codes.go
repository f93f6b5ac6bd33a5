package proving

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Shown is what an app with this key shows at a time; "" before 1970. Nobody
// enforces FIPS 140-3 on a phone.
func Shown(key totp.Key, at time.Time) (code string) {
	fips.WithoutEnforcement(func() { code, _ = key.Code(at) })
	return code
}

// Three is what the app shows up to some time, one code after the other.
func Three(key totp.Key, at time.Time) []string {
	period := key.Params().Period
	return []string{Shown(key, at.Add(-2*period)), Shown(key, at.Add(-period)), Shown(key, at)}
}

// NearMiss is the codes with one of them wrong.
func NearMiss(codes []string, wrong int) []string {
	codes = slices.Clone(codes)
	first := "0"
	if codes[wrong][0] == '0' {
		first = "1"
	}
	codes[wrong] = first + codes[wrong][1:]
	return codes
}

// WrongCode returns a code that none of the apps, which make codes of as many
// digits, shows within 25 steps of a time.
func WrongCode(at time.Time, keys ...totp.Key) string {
	digits := totp.Params{}.WithDefaults().Digits
	shown := make(map[string]bool)
	for _, key := range keys {
		if key.IsZero() {
			continue
		}
		digits = key.Params().Digits
		for d := -25; d <= 25; d++ {
			shown[Shown(key, at.Add(time.Duration(d)*key.Params().Period))] = true
		}
	}
	for n := 917_000; ; n++ {
		if code := fmt.Sprintf("%0*d", digits, n); !shown[code] {
			return code
		}
	}
}
