package totp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// text20 is the base32 of "12345678901234567890", the secret of plainKey.
const text20 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// text16 is a prefix of it, which is another secret.
const text16 = "GEZDGNBVGY3TQOJQGEZDGNBVGY"

func TestURI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params totp.Params
		label  totp.Label
		want   string
	}{
		{
			"defaults", totp.Params{}, totp.Label{Issuer: "Acme", Account: "alice@example.com"},
			"otpauth://totp/Acme:alice@example.com?secret=" + text20 + "&issuer=Acme",
		},
		{
			"defaults spelled out", totp.Params{Algorithm: totp.SHA1, Digits: 6, Period: 30 * time.Second}, totp.Label{Issuer: "Acme", Account: "alice"},
			"otpauth://totp/Acme:alice?secret=" + text20 + "&issuer=Acme",
		},
		{
			"everything", totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: time.Minute},
			totp.Label{Issuer: "Acme Inc", Account: "a+b", Image: "https://example.com/l.png"},
			"otpauth://totp/Acme%20Inc:a%2Bb?secret=" + text20 +
				"&issuer=Acme%20Inc&algorithm=SHA512&digits=8&period=60&image=https%3A%2F%2Fexample.com%2Fl.png",
		},
		{
			"one parameter", totp.Params{Algorithm: totp.SHA256}, totp.Label{Issuer: "A", Account: "b"},
			"otpauth://totp/A:b?secret=" + text20 + "&issuer=A&algorithm=SHA256",
		},
		{
			"outside ASCII", totp.Params{}, totp.Label{Issuer: "Ä", Account: "~a-b._"},
			"otpauth://totp/%C3%84:~a-b._?secret=" + text20 + "&issuer=%C3%84",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := mustKey(t, []byte("12345678901234567890"), test.params)
			got, err := k.URI(test.label)
			if got != test.want || err != nil {
				t.Fatalf("URI = %s, %v\nwant  %s", got, err, test.want)
			}
			back, label, err := totp.ParseURI(got)
			if err != nil || label != test.label || back.Params() != k.Params() || !back.Secret().Equal(k.Secret()) {
				t.Errorf("ParseURI = %+v, %+v, %v", back.Params(), label, err)
			}
		})
	}
}

// The longest URI is one that ParseURI reads.
func TestURILength(t *testing.T) {
	t.Parallel()
	k := mustKey(t, make([]byte, totp.MaxSecretSize), totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: 2 * time.Minute})
	l := totp.Label{
		Issuer:  strings.Repeat("%", totp.MaxIssuer),
		Account: strings.Repeat("%", totp.MaxAccount),
		Image:   "https://example.com/?" + strings.Repeat("&", totp.MaxImage-21),
	}
	uri, err := k.URI(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(uri) > totp.MaxURI {
		t.Errorf("a URI of %d bytes", len(uri))
	}
	if _, label, err := totp.ParseURI(uri); label != l || err != nil {
		t.Errorf("ParseURI: %v", err)
	}
}

func TestParseURI(t *testing.T) {
	t.Parallel()
	acme := totp.Label{Issuer: "Acme", Account: "alice"}
	with := func(query string) string { return "otpauth://totp/Acme:alice?secret=" + text20 + query }
	tests := []struct {
		name   string
		uri    string
		label  totp.Label
		params totp.Params
	}{
		{"label and parameter", with("&issuer=Acme"), acme, totp.Params{}},
		{"issuer in the label only", with(""), acme, totp.Params{}},
		{"issuer as a parameter only", "otpauth://totp/alice?secret=" + text20 + "&issuer=Acme", acme, totp.Params{}},
		{"empty issuer in the label", "otpauth://totp/:alice?secret=" + text20 + "&issuer=Acme", acme, totp.Params{}},
		{"empty parameter", with("&issuer="), acme, totp.Params{}},
		{"no issuer", "otpauth://totp/alice?secret=" + text20, totp.Label{Account: "alice"}, totp.Params{}},
		{"escaped colon", "otpauth://totp/Acme%3Aalice?secret=" + text20 + "&issuer=Acme", acme, totp.Params{}},
		{"space after the colon", "otpauth://totp/Acme:%20%20alice?secret=" + text20, acme, totp.Params{}},
		{"space around", " \n" + with("&issuer=Acme") + "\n", acme, totp.Params{}},
		{"upper-case scheme and type", "OTPAUTH://TOTP/Acme:alice?secret=" + text20, acme, totp.Params{}},
		{"any order", "otpauth://totp/Acme:alice?issuer=Acme&period=60&secret=" + text20, acme, totp.Params{Period: time.Minute}},
		{"lower-case secret", "otpauth://totp/Acme:alice?secret=" + strings.ToLower(text20), acme, totp.Params{}},
		{"padded secret", "otpauth://totp/Acme:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOI=", acme, totp.Params{}},
		{"escaped padding", "otpauth://totp/Acme:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOI%3D", acme, totp.Params{}},
		{"defaults spelled out", with("&algorithm=SHA1&digits=6&period=30"), acme, totp.Params{}},
		{"all different", with("&algorithm=sha512&digits=8&period=60"), acme, totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: time.Minute}},
		{"hyphenated algorithm", with("&algorithm=SHA-256"), acme, totp.Params{Algorithm: totp.SHA256}},
		{"leading zero", with("&digits=08&period=060"), acme, totp.Params{Digits: 8, Period: time.Minute}},
		{"unknown parameters", with("&color=red&color=blue&lock=true&%FF=1"), acme, totp.Params{}},
		{"counter is none of ours", with("&counter=7"), acme, totp.Params{}},
		{"empty encoder", with("&encoder="), acme, totp.Params{}},
		{"empty pairs", with("&&issuer=Acme&"), acme, totp.Params{}},
		{"names in upper case", "otpauth://totp/Acme:alice?SECRET=" + text20 + "&Issuer=Acme", acme, totp.Params{}},
		{"plus as a space", "otpauth://totp/Acme%20Inc:alice?secret=" + text20 + "&issuer=Acme+Inc", totp.Label{Issuer: "Acme Inc", Account: "alice"}, totp.Params{}},
		{"plus in the label", "otpauth://totp/Acme:a+b?secret=" + text20, totp.Label{Issuer: "Acme", Account: "a+b"}, totp.Params{}},
		{"slash in the label", "otpauth://totp/Acme/Inc:alice?secret=" + text20, totp.Label{Issuer: "Acme/Inc", Account: "alice"}, totp.Params{}},
		{"not escaped", "otpauth://totp/Äcme:älice?secret=" + text20 + "&issuer=Äcme", totp.Label{Issuer: "Äcme", Account: "älice"}, totp.Params{}},
		{"question mark in the query", with("&issuer=Acme&x=?"), acme, totp.Params{}},
		{"bad escape in a name", with("&%zz=1"), acme, totp.Params{}},
		{"bad escape in a value", with("&issuer=%zz"), totp.Label{Issuer: "%zz", Account: "alice"}, totp.Params{}},
		{"escapes that are none", "otpauth://totp/Acme:%al%4?secret=" + text20, totp.Label{Issuer: "Acme", Account: "%al%4"}, totp.Params{}},
		{"image", with("&image=https%3A%2F%2Fexample.com%2Fl.png"), totp.Label{Issuer: "Acme", Account: "alice", Image: "https://example.com/l.png"}, totp.Params{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k, label, err := totp.ParseURI(test.uri)
			if err != nil {
				t.Fatal(err)
			}
			if label != test.label {
				t.Errorf("label %+v, want %+v", label, test.label)
			}
			if want := test.params.WithDefaults(); k.Params() != want {
				t.Errorf("parameters %+v, want %+v", k.Params(), want)
			}
			if got := string(k.Secret().Reveal()); got != "12345678901234567890" && got != "1234567890123456789" {
				t.Errorf("secret %q", got)
			}
		})
	}
}

func TestParseURIRefuses(t *testing.T) {
	t.Parallel()
	const path = "otpauth://totp/Acme:alice?"
	with := func(query string) string { return path + "secret=" + text20 + query }
	tests := []struct {
		name string
		uri  string
		also error  // that it matches besides ErrURI
		says string // in the error
	}{
		{"empty", "", nil, "scheme"},
		{"only the scheme", "otpauth://", nil, "type"},
		{"another scheme", "https://totp/Acme:alice?secret=" + text20, nil, "scheme"},
		{"scheme without slashes", "otpauth:totp/Acme:alice?secret=" + text20, nil, "scheme"},
		{"hotp", "otpauth://hotp/Acme:alice?secret=" + text20 + "&counter=1", nil, "hotp"},
		{"steam", "otpauth://steam/Acme:alice?secret=" + text20, nil, "type"},
		{"no type", "otpauth:///Acme:alice?secret=" + text20, nil, "type"},
		{"user information", "otpauth://x@totp/Acme:alice?secret=" + text20, nil, "type"},
		{"port", "otpauth://totp:1/Acme:alice?secret=" + text20, nil, "type"},
		{"migration", "otpauth-migration://offline?data=AAAA", nil, "scheme"},
		{"fragment before the query", "otpauth://totp/Acme:alice#1?secret=" + text20, nil, "fragment"},
		{"fragment with a parameter", with("#&digits=8"), nil, "fragment"},
		{"semicolon", with("&issuer=Acme;digits=8"), nil, "semicolon"},
		{"semicolon, escaped name", with("&issuer=Acme;digit%73=8"), nil, "semicolon"},
		{"HTML", with("&amp;digits=8"), nil, "semicolon"},
		{"too long", with("&x=" + strings.Repeat("x", 4097-len(with("&x=")))), nil, "longer"},
		{"endless", strings.Repeat(" ", 1<<20) + with(""), nil, "longer"},

		{"no query", "otpauth://totp/Acme:alice", totp.ErrSecret, "missing"},
		{"no secret", path + "issuer=Acme", totp.ErrSecret, "missing"},
		{"empty secret", path + "secret=&issuer=Acme", totp.ErrSecret, "shorter"},
		{"secret without value", path + "secret&issuer=Acme", totp.ErrSecret, "shorter"},
		{"80-bit secret", path + "secret=GEZDGNBVGY3TQOJQ", totp.ErrSecret, "shorter"},
		{"secret not base32", path + "secret=!" + text20, totp.ErrSecret, "base32"},
		{"two secrets", with("&secret=" + text16), nil, "secret twice"},
		{"two secrets in two cases", with("&SECRET=" + text16), nil, "secret twice"},
		{"two secrets, one escaped", with("&s%65cret=" + text16), nil, "secret twice"},

		{"two issuers", with("&issuer=Acme&issuer=Evil"), nil, "issuer twice"},
		{"two algorithms", with("&algorithm=SHA1&algorithm=SHA256"), nil, "algorithm twice"},
		{"two digits", with("&digits=6&digits=8"), nil, "digits twice"},
		{"two periods", with("&period=30&period=60"), nil, "period twice"},
		{"two encoders", with("&encoder=&encoder=steam"), nil, "encoder twice"},

		{"algorithm MD5", with("&algorithm=MD5"), totp.ErrParams, "algorithm"},
		{"empty algorithm", with("&algorithm="), totp.ErrParams, "algorithm"},
		{"no digits", with("&digits="), totp.ErrParams, "digits"},
		{"zero digits", with("&digits=0"), totp.ErrParams, "digits"},
		{"one digit", with("&digits=1"), totp.ErrParams, "Digits"},
		{"5 digits", with("&digits=5"), totp.ErrParams, "Digits"},
		{"9 digits", with("&digits=9"), totp.ErrParams, "Digits"},
		{"signed digits", with("&digits=%2B6"), totp.ErrParams, "digits"},
		{"negative digits", with("&digits=-6"), totp.ErrParams, "digits"},
		{"digits in hexadecimal", with("&digits=0x6"), totp.ErrParams, "digits"},
		{"full-width digits", with("&digits=６"), totp.ErrParams, "digits"},
		{"digits overflow", with("&digits=18446744073709551622"), totp.ErrParams, "digits"},
		{"zero period", with("&period=0"), totp.ErrParams, "period"},
		{"period 000", with("&period=000"), totp.ErrParams, "period"},
		{"9 s", with("&period=9"), totp.ErrParams, "Period"},
		{"121 s", with("&period=121"), totp.ErrParams, "Period"},
		{"fractional period", with("&period=3.5"), totp.ErrParams, "period"},
		{"period with unit", with("&period=30s"), totp.ErrParams, "period"},
		{"period overflow", with("&period=9223372036854775807"), totp.ErrParams, "period"},
		{"codes that are not decimal", with("&encoder=steam"), nil, "encoder"},

		{"bad escape in digits", with("&digits=6%zz"), nil, "digits"},
		{"bad escape in encoder", with("&encoder=%"), nil, "encoder"},
		{"epoch", with("&epoch=1"), nil, "epoch"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k, label, err := totp.ParseURI(test.uri)
			if !errors.Is(err, totp.ErrURI) || !k.IsZero() || label != (totp.Label{}) {
				t.Fatalf("ParseURI = %+v, %v, want ErrURI", label, err)
			}
			for _, other := range []error{totp.ErrSecret, totp.ErrParams, totp.ErrLabel} {
				if errors.Is(err, other) != (other == test.also) {
					t.Errorf("error %q matches %q: %v", err, other, errors.Is(err, other))
				}
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q, want one about %q", err, test.says)
			}
		})
	}
}

func TestURIOfParsedWithoutIssuer(t *testing.T) {
	t.Parallel()
	k, label, err := totp.ParseURI("otpauth://totp/alice?secret=" + text20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.URI(label); !errors.Is(err, totp.ErrLabel) {
		t.Errorf("URI without issuer: %v", err)
	}
	label.Issuer = "Acme"
	if _, err := k.URI(label); err != nil {
		t.Error(err)
	}
}

func TestParseURIOfMaximumLength(t *testing.T) {
	t.Parallel()
	uri := "otpauth://totp/Acme:alice?secret=" + text20 + "&x="
	uri += strings.Repeat("x", 4096-len(uri))
	if _, _, err := totp.ParseURI(uri); err != nil {
		t.Errorf("%d bytes: %v", len(uri), err)
	}
}
