package proving

import (
	"fmt"
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
