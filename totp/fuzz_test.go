package totp_test

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func FuzzParseURI(f *testing.F) {
	for _, uri := range []string{
		"otpauth://totp/Acme:alice@example.com?secret=" + text20 + "&issuer=Acme",
		"otpauth://totp/Acme%20Inc:%20a%2Bb?secret=" + text20 + "&issuer=Acme+Inc&algorithm=SHA512&digits=8&period=60&image=https%3A%2F%2Fa%2Fb",
		"otpauth://totp/alice?secret=" + text20,
		"otpauth://hotp/a:b?secret=" + text20,
		"otpauth://totp/:%3a?SECRET==&secret=",
		"OTPAUTH://TOTP/Ä:ä?secret=" + text20 + "&&;#",
	} {
		f.Add(uri)
	}
	for _, u := range loadCorpus(f) {
		f.Add(u.URI)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		k, label, err := totp.ParseURI(uri)
		if err != nil {
			if !errors.Is(err, totp.ErrURI) || !k.IsZero() || label != (totp.Label{}) {
				t.Fatalf("not nothing beside %v", err)
			}
			return
		}
		if k.IsZero() || k.Params().Validate() != nil {
			t.Fatal("an invalid key")
		}
		if !utf8.ValidString(label.Issuer+label.Account) || strings.ContainsFunc(label.Issuer+label.Account, unicode.IsControl) {
			t.Fatalf("label %+q", label)
		}
		valid := label.Validate() == nil
		if fit := label.Fit(); valid && fit != label || fit.Fit() != fit {
			t.Fatalf("%+q fits as %+q", label, fit)
		}
		if _, err := k.URI(label); valid != (err == nil) {
			t.Fatalf("URI of a label that is valid (%v): %v", valid, err)
		}
		label = label.Fit()
		label.Issuer, label.Account = cmp.Or(label.Issuer, "Acme"), cmp.Or(label.Account, "alice")
		formatted, err := k.URI(label)
		if err != nil || len(formatted) > totp.MaxURI {
			t.Fatalf("URI of what was parsed: %d bytes, %v", len(formatted), err)
		}
		k2, label2, err := totp.ParseURI(formatted)
		if err != nil || label2 != label || k2.Params() != k.Params() || !k2.Secret().Equal(k.Secret()) {
			t.Fatalf("%q became %q", uri, formatted)
		}
		if again, err := k2.URI(label2); again != formatted || err != nil {
			t.Fatalf("%q became %q", formatted, again)
		}
		o, err := k.OTP(label)
		if err != nil || o.Issuer() != label.Issuer || o.AccountName() != label.Account || o.Secret() != k.Secret().Base32() {
			t.Fatalf("pquerna reads %q differently: %v", formatted, err)
		}
	})
}

func FuzzFit(f *testing.F) {
	for _, text := range []string{"alice@example.com", "@alice:example.org", " sip:\talice\xff\u2028 ", "\u200B", strings.Repeat("🦊", 100), ""} {
		f.Add(text, text, "https://example.com/logo.png")
	}
	f.Fuzz(func(t *testing.T, issuer, account, image string) {
		label := totp.Label{Issuer: issuer, Account: account, Image: image}
		fit := label.Fit()
		if label.Validate() == nil && fit != label || fit.Fit() != fit {
			t.Fatalf("%+q fits as %+q", label, fit)
		}
		if fit.Issuer != "" && fit.Account != "" && fit.Validate() != nil {
			t.Fatalf("%+q fits as %+q: %v", label, fit, fit.Validate())
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	for _, text := range []string{text20, "gezd gnbv gy3t qojq-gezd gnbv gy== ====", "\uFEFF" + text20 + "=", "3031323334353637383961626364656A", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, parse := range map[string]func(string) (totp.Secret, error){"base32": totp.ParseSecret, "hexadecimal": totp.ParseHexSecret} {
			s, err := parse(text)
			if err != nil {
				if !errors.Is(err, totp.ErrSecret) || !s.IsZero() {
					t.Fatalf("%s: not nothing beside %v", name, err)
				}
				continue
			}
			if n := len(s.Reveal()); n < totp.MinSecretSize || n > totp.MaxSecretSize {
				t.Fatalf("%s: %d bytes", name, n)
			}
			for _, form := range []string{s.Base32(), s.Grouped(), strings.ToLower(s.Base32())} {
				if back, err := totp.ParseSecret(form); err != nil || !back.Equal(s) || back.Base32() != s.Base32() {
					t.Fatalf("%s: %q became %q: %v", name, text, form, err)
				}
			}
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, input := range []string{"123456", "123 456", "\u00A0１２３-٤٥६\n", "12345678\u200B", "1234567890", "\xff", "𝟏𝟐𝟑𝟜𝟝𝟞"} {
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input string) {
		got, err := totp.Normalize(input)
		if err != nil {
			if !errors.Is(err, totp.ErrMalformed) || got != "" {
				t.Fatalf("%q beside %v", got, err)
			}
			return
		}
		if len(input) > totp.MaxInput || len(got) < totp.MinDigits || len(got) > totp.MaxDigits || strings.Trim(got, "0123456789") != "" {
			t.Fatalf("%q became %q", input, got)
		}
		if again, err := totp.Normalize(got); again != got || err != nil {
			t.Fatalf("%q became %q, %v", got, again, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("12345678901234567890"), uint8(0), 6, int64(30), int64(1_700_000_000), int64(0), "123456")
	f.Add([]byte("12345678901234567890"), uint8(2), 8, int64(60), int64(-1), int64(-1), "１２３４５６７８")
	f.Fuzz(func(t *testing.T, raw []byte, algorithm uint8, digits int, period, unix, last int64, input string) {
		s, err := totp.NewSecret(raw)
		if err != nil {
			return
		}
		k, err := totp.NewKey(s, totp.Params{Algorithm: totp.Algorithm(algorithm), Digits: digits, Period: time.Duration(period) * time.Second})
		if err != nil {
			return
		}
		skipRefused(t, k.Params().Algorithm)
		at := time.Unix(unix, 0)
		current := k.Step(at)
		code, err := k.Code(at)
		if (err == nil) != (current >= 0) {
			t.Fatalf("Code at step %d: %v", current, err)
		}
		for _, input := range []string{input, code} {
			step, err := k.Check(input, at, last)
			if err == nil && (step <= max(last, 0) || step < current-1 || step > current+1) || err != nil && step != 0 {
				t.Fatalf("Check at step %d, last %d: %d, %v", current, last, step, err)
			}
			if offset, offErr := k.ClockOffset(input, at); err == nil && offErr != nil || offErr != nil && offset != 0 || offset.Abs() > totp.MaxClockOffset {
				t.Fatalf("ClockOffset %v, %v, but Check says %v", offset, offErr, err)
			}
		}
	})
}
