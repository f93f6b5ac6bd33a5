package totp_test

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Every size from 80 bits on is read, in every form, and none below. What the other
// functions take is taken alike.
func TestShortSecrets(t *testing.T) {
	t.Parallel()
	short := totp.ShortSecrets{}
	uri := func(raw []byte) string {
		return "otpauth://totp/Old:alice?issuer=Old&secret=" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	}
	for name, read := range map[string]func(raw []byte) (totp.Secret, error){
		"NewSecret": short.NewSecret,
		"ParseSecret": func(raw []byte) (totp.Secret, error) {
			return short.ParseSecret(base32.StdEncoding.EncodeToString(raw))
		},
		"ParseHexSecret": func(raw []byte) (totp.Secret, error) {
			return short.ParseHexSecret(hex.EncodeToString(raw))
		},
		"ParseURI": func(raw []byte) (totp.Secret, error) {
			k, _, err := short.ParseURI(uri(raw))
			return k.Secret(), err
		},
		"FromOTP": func(raw []byte) (totp.Secret, error) {
			old, err := otp.NewKeyFromURL(uri(raw))
			if err != nil {
				t.Fatal(err)
			}
			k, _, err := short.FromOTP(old)
			return k.Secret(), err
		},
	} {
		for n := range 140 {
			raw := []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")[:n]
			s, err := read(raw)
			if n < totp.MinShortSecretSize || n > totp.MaxSecretSize {
				if !errors.Is(err, totp.ErrSecret) || !s.IsZero() || s.Short() {
					t.Errorf("%s, %d bytes: %v", name, n, err)
				}
				continue
			}
			if err != nil || string(s.Reveal()) != string(raw) || s.Short() != (n < totp.MinSecretSize) {
				t.Errorf("%s, %d bytes: short %t, %v", name, n, s.Short(), err)
			}
		}
	}
}

// A key of a short secret makes and checks codes as any other.
func TestShortKey(t *testing.T) {
	t.Parallel()
	s, err := totp.ShortSecrets{}.ParseSecret("GEZD GNBV GY3T QOJQ")
	if err != nil {
		t.Fatal(err)
	}
	k, err := totp.NewKey(s, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	const at = 1_772_366_410 // oathtool --totp -b GEZDGNBVGY3TQOJQ -N "2026-03-01 12:00:10 UTC"
	if code := mustCode(t, k, time.Unix(at, 0)); code != "759916" {
		t.Errorf("the code is %s", code)
	}
	code := mustCode(t, k, now)
	if _, err := k.Check(code, now, 0); err != nil {
		t.Error(err)
	}
	uri, err := k.URI(totp.Label{Issuer: "Acme", Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := totp.ParseURI(uri); !errors.Is(err, totp.ErrSecret) {
		t.Errorf("the door is open: %v", err)
	}
	if back, _, err := (totp.ShortSecrets{}).ParseURI(uri); err != nil || !back.Secret().Equal(s) {
		t.Errorf("%q: %v", uri, err)
	}
}
