package totp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestOTP(t *testing.T) {
	t.Parallel()
	labels := []totp.Label{
		{Issuer: "Acme", Account: "alice@example.com"},
		{Issuer: "Acme & Sons", Account: "a+b=c?d#e/f%41"},
		{Issuer: "/", Account: "//"},
		{Issuer: "Ä 漢 🔐", Account: "zoë", Image: "https://example.com/l.png?a=b&secret=c"},
	}
	for algorithm, theirs := range algorithms {
		for digits := totp.MinDigits; digits <= totp.MaxDigits; digits++ {
			for i, label := range labels {
				period := time.Duration(30+15*i) * time.Second
				k := mustKey(t, []byte("12345678901234567890"), totp.Params{Algorithm: algorithm, Digits: digits, Period: period})
				o, err := k.OTP(label)
				if err != nil {
					t.Fatal(err)
				}
				if o.Type() != "totp" || o.Issuer() != label.Issuer || o.AccountName() != label.Account || o.Secret() != text20 ||
					o.Algorithm() != theirs || o.Digits().Length() != digits || o.Period() != uint64(period/time.Second) || o.Encoder() != otp.EncoderDefault {
					t.Errorf("%v reads as %q", label, o.URL())
				}
				back, l, err := totp.FromOTP(o)
				if err != nil || l != label || back.Params() != k.Params() || !back.Secret().Equal(k.Secret()) {
					t.Errorf("FromOTP = %+v, %v", l, err)
				}
				again, err := otp.NewKeyFromURL(o.URL()) // written by net/url this time
				if err != nil {
					t.Fatal(err)
				}
				if _, l, err := totp.FromOTP(again); err != nil || l != label {
					t.Errorf("FromOTP of the rewritten URI = %+v, %v", l, err)
				}
			}
		}
	}
}

func TestOTPRefuses(t *testing.T) {
	t.Parallel()
	if o, err := plainKey(t).OTP(totp.Label{}); o != nil || !errors.Is(err, totp.ErrLabel) {
		t.Errorf("OTP = %v, %v", o, err)
	}
}

func TestFromOTPGenerated(t *testing.T) {
	t.Parallel()
	for algorithm, theirs := range algorithms {
		for _, label := range []totp.Label{
			{Issuer: "Acme", Account: "alice@example.com"},
			{Issuer: "Acme Inc", Account: "a b"},
			{Issuer: "A/B", Account: "c+d&e=f"},
			{Issuer: "Ä 漢 🔐", Account: "50% off?"},
		} {
			o, err := pquerna.Generate(pquerna.GenerateOpts{Issuer: label.Issuer, AccountName: label.Account, Algorithm: theirs, Digits: 8, Period: 60})
			if err != nil {
				t.Fatal(err)
			}
			k, l, err := totp.FromOTP(o)
			if err != nil || l != label {
				t.Fatalf("FromOTP = %+v, %v", l, err)
			}
			if want := (totp.Params{Algorithm: algorithm, Digits: 8, Period: time.Minute}); k.Params() != want || k.Secret().Base32() != o.Secret() {
				t.Errorf("parameters %+v", k.Params())
			}
		}
	}
}

func TestFromOTPRefuses(t *testing.T) {
	t.Parallel()
	read := func(uri string) *otp.Key {
		k, err := otp.NewKeyFromURL(uri)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	generated := func(opts pquerna.GenerateOpts) *otp.Key {
		k, err := pquerna.Generate(opts)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	tests := []struct {
		name string
		key  *otp.Key
	}{
		{"nil", nil},
		{"zero", &otp.Key{}},
		{"empty", read("")},
		{"rubbish", read("rubbish")},
		{"web page", read("https://example.com/?secret=" + text20)},
		{"hotp", read("otpauth://hotp/Acme:alice?secret=" + text20)},
		{"empty secret", read("otpauth://totp/Acme:alice?secret=&issuer=Acme")},
		{"unknown algorithm", read("otpauth://totp/Acme:alice?algorithm=MD5&secret=" + text20)},
		{"zero digits", read("otpauth://totp/Acme:alice?digits=0&secret=" + text20)},
		{"zero period", read("otpauth://totp/Acme:alice?period=0&secret=" + text20)},
		{"80 bits", generated(pquerna.GenerateOpts{Issuer: "Acme", AccountName: "alice", SecretSize: 10})},
		{"10 digits", generated(pquerna.GenerateOpts{Issuer: "Acme", AccountName: "alice", Digits: 10})},
		{"MD5", generated(pquerna.GenerateOpts{Issuer: "Acme", AccountName: "alice", Algorithm: otp.AlgorithmMD5})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if k, l, err := totp.FromOTP(test.key); !errors.Is(err, totp.ErrURI) || !k.IsZero() || l != (totp.Label{}) {
				t.Errorf("FromOTP = %+v, %v", l, err)
			}
		})
	}
}
