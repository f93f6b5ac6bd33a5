package totp_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestParamsDefaults(t *testing.T) {
	t.Parallel()
	want := totp.Params{Algorithm: totp.SHA1, Digits: 6, Period: 30 * time.Second}
	if got := (totp.Params{}).WithDefaults(); got != want {
		t.Errorf("defaults are %v, want %v", got, want)
	}
	set := totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: time.Minute}
	if got := set.WithDefaults(); got != set {
		t.Errorf("defaults change %v to %v", set, got)
	}
	odd := totp.Params{Digits: -1, Period: -1}
	if got := odd.WithDefaults(); got != odd {
		t.Errorf("defaults mend %v to %v", odd, got)
	}
}

func TestParamsValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params totp.Params
		field  string // that the error names; "" if valid
	}{
		{"zero", totp.Params{}, ""},
		{"smallest", totp.Params{Digits: 6, Period: 10 * time.Second}, ""},
		{"largest", totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: 120 * time.Second}, ""},
		{"unknown algorithm", totp.Params{Algorithm: 3}, "Algorithm"},
		{"last algorithm", totp.Params{Algorithm: 255}, "Algorithm"},
		{"5 digits", totp.Params{Digits: 5}, "Digits"},
		{"9 digits", totp.Params{Digits: 9}, "Digits"},
		{"negative digits", totp.Params{Digits: -6}, "Digits"},
		{"fewest digits", totp.Params{Digits: math.MinInt}, "Digits"},
		{"9 s", totp.Params{Period: 9 * time.Second}, "Period"},
		{"121 s", totp.Params{Period: 121 * time.Second}, "Period"},
		{"1 ns", totp.Params{Period: 1}, "Period"},
		{"negative period", totp.Params{Period: -30 * time.Second}, "Period"},
		{"longest period", totp.Params{Period: math.MaxInt64}, "Period"},
		{"half seconds", totp.Params{Period: 30*time.Second + 500*time.Millisecond}, "Period"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.params.Validate()
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, totp.ErrParams) || !strings.Contains(err.Error(), test.field) {
				t.Errorf("error %v, want one about %s", err, test.field)
			}
		})
	}
}

func TestAlgorithm(t *testing.T) {
	t.Parallel()
	for a, name := range map[totp.Algorithm]string{totp.SHA1: "SHA1", totp.SHA256: "SHA256", totp.SHA512: "SHA512"} {
		if !a.Valid() || a.String() != name {
			t.Errorf("%s is named %v", name, a)
		}
		for _, text := range []string{name, strings.ToLower(name), "SHA-" + name[3:], "sha-" + name[3:],
			"Hmac" + name, "HMAC-" + name, "hmacsha-" + name[3:], "HMAC-SHA-" + name[3:]} {
			if got, err := totp.ParseAlgorithm(text); got != a || err != nil {
				t.Errorf("ParseAlgorithm(%q) = %v, %v", text, got, err)
			}
		}
	}
	if a := totp.Algorithm(7); a.Valid() || a.String() != "Algorithm(7)" {
		t.Errorf("algorithm 7 is named %v", a)
	}
	for _, text := range []string{"", "SHA", "MD5", "SHA224", "SHA384", "SHA-", "1", "HMAC", "HMAC-", "HMAC1", "HmacMD5", "HMAC--SHA1", "HMAC HMAC-SHA1", "HMAC-HMAC-SHA1", " SHA1", "SHA1 ", "SHA--1", "\u017FHA1", "Algorithm(0)"} {
		if _, err := totp.ParseAlgorithm(text); !errors.Is(err, totp.ErrParams) {
			t.Errorf("ParseAlgorithm(%q): %v", text, err)
		}
	}
}
