package totp_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// usual is the algorithm of tests that any will do for: the default, unless it is
// refused.
var usual = func() totp.Algorithm {
	if fips.Enforced() {
		return totp.SHA256
	}
	return totp.SHA1
}()

// mustKey returns the key of these bytes and parameters.
func mustKey(t testing.TB, raw []byte, p totp.Params) totp.Key {
	t.Helper()
	s, err := totp.NewSecret(raw)
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(s, p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// mustCode returns the code of the key at t.
func mustCode(t testing.TB, k totp.Key, at time.Time) string {
	t.Helper()
	skipRefused(t, k.Params().Algorithm)
	c, err := k.Code(at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// skipRefused skips a test of codes that the Go runtime refuses to compute.
func skipRefused(t testing.TB, a totp.Algorithm) {
	t.Helper()
	if a == totp.SHA1 && fips.Enforced() {
		t.Skip("HMAC-SHA-1 is refused, FIPS 140-3 is enforced")
	}
}
