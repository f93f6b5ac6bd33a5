package totp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestLabelValidate(t *testing.T) {
	t.Parallel()
	acme := func(account string) totp.Label { return totp.Label{Issuer: "Acme", Account: account} }
	issuer := func(issuer string) totp.Label { return totp.Label{Issuer: issuer, Account: "alice"} }
	image := func(image string) totp.Label { return totp.Label{Issuer: "Acme", Account: "alice", Image: image} }
	tests := []struct {
		name  string
		label totp.Label
		field string // that the error names; "" if valid
	}{
		{"plain", acme("alice@example.com"), ""},
		{"longest account", acme(strings.Repeat("a", totp.MaxAccount)), ""},
		{"longest issuer", issuer(strings.Repeat("a", totp.MaxIssuer)), ""},
		{"inner spaces", issuer("Acme & Sons Ltd"), ""},
		{"image", image("https://example.com/logo.png?v=1&w=2"), ""},
		{"image with a port", image("https://example.com:8443/logo.png"), ""},
		{"longest image", image("https://example.com/" + strings.Repeat("a", totp.MaxImage-20)), ""},

		{"no issuer", issuer(""), "Issuer"},
		{"no account", acme(""), "Account"},
		{"issuer too long", issuer(strings.Repeat("a", totp.MaxIssuer+1)), "Issuer"},
		{"issuer too long in bytes", issuer(strings.Repeat("ä", 33)), "Issuer"},
		{"account too long", acme(strings.Repeat("a", totp.MaxAccount+1)), "Account"},
		{"issuer is endless", issuer(strings.Repeat("a", 1<<20)), "Issuer"},
		{"invalid UTF-8", acme("al\xffice"), "Account"},
		{"issuer begins with a space", issuer(" Acme"), "Issuer"},
		{"issuer ends with a no-break space", issuer("Acme\u00A0"), "Issuer"},
		{"account begins with a space", acme(" alice"), "Account"},
		{"only a space", acme(" "), "Account"},
		{"DEL", acme("al\u007fice"), "Account"},
		{"next line", acme("al\u0085ice"), "Account"},

		{"image not https", image("http://example.com/logo.png"), "Image"},
		{"image as data", image("data:image/png;base64,AAAA"), "Image"},
		{"image relative", image("/logo.png"), "Image"},
		{"image without host", image("https:///logo.png"), "Image"},
		{"image with only a port", image("https://:443/logo.png"), "Image"},
		{"image with a password", image("https://user:secret@example.com/logo.png"), "Image"},
		{"image with a space", image("https://example.com/my logo.png"), "Image"},
		{"image not ASCII", image("https://example.com/ä.png"), "Image"},
		{"image with a control character", image("https://example.com/\x00"), "Image"},
		{"image badly escaped", image("https://example.com/%zz"), "Image"},
		{"image too long", image("https://example.com/" + strings.Repeat("a", totp.MaxImage)), "Image"},
	}
	key := plainKey(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.label.Validate()
			uri, uriErr := key.URI(test.label)
			if test.field == "" {
				if err != nil || uriErr != nil {
					t.Fatal(err, uriErr)
				}
				if _, label, err := totp.ParseURI(uri); label != test.label || err != nil {
					t.Errorf("ParseURI gives back %+v, %v", label, err)
				}
				return
			}
			if !errors.Is(err, totp.ErrLabel) || !strings.Contains(err.Error(), test.field) {
				t.Errorf("error %v, want one about %s", err, test.field)
			}
			if !errors.Is(uriErr, totp.ErrLabel) || uri != "" {
				t.Errorf("URI: %v", uriErr)
			}
		})
	}
}
