package totp_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The three benchmarks of a wrong code belong together: Check is to be at
// least twice as fast as pquerna, and to take at most twice the time of the
// HMACs that it can't do without.

var benchTime = time.Unix(1_700_000_000, 0)

func BenchmarkCheck(b *testing.B) {
	key, wrong := benchKey(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.Check(wrong, benchTime, 0); err == nil {
			b.Fatal("the wrong code was right")
		}
	}
}

func BenchmarkCheckPquerna(b *testing.B) {
	key, wrong := benchKey(b)
	secret := key.Secret().Base32()
	opts := pquerna.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := pquerna.ValidateCustom(wrong, secret, benchTime, opts); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCheckBareHMAC(b *testing.B) {
	key, _ := benchKey(b)
	secret := key.Secret().Reveal()
	step := uint64(key.Step(benchTime))
	b.ReportAllocs()
	for b.Loop() {
		mac := hmac.New(sha1.New, secret)
		var buf [sha1.Size]byte
		for i := range uint64(3) {
			mac.Reset()
			binary.BigEndian.PutUint64(buf[:8], step-1+i)
			mac.Write(buf[:8])
			mac.Sum(buf[:0])
		}
	}
}

func BenchmarkClockOffset(b *testing.B) {
	key, wrong := benchKey(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.ClockOffset(wrong, benchTime); err == nil {
			b.Fatal("the wrong code was right")
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := totp.Normalize("123\u00A0４５６"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseURI(b *testing.B) {
	key, _ := benchKey(b)
	uri, err := key.URI(totp.Label{Issuer: "Acme", Account: "alice@example.com"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := totp.ParseURI(uri); err != nil {
			b.Fatal(err)
		}
	}
}

// benchKey returns a key and a code that is wrong at benchTime.
func benchKey(b *testing.B) (totp.Key, string) {
	b.Helper()
	key := mustKey(b, []byte("12345678901234567890"), totp.Params{})
	for _, wrong := range []string{"000000", "000001", "000002", "000003"} {
		if _, err := key.ClockOffset(wrong, benchTime); err != nil {
			return key, wrong
		}
	}
	b.Fatal("no wrong code")
	return totp.Key{}, ""
}
