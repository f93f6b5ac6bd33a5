package totp_test

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

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
	c, err := k.Code(at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
