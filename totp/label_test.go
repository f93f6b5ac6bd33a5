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
		{"longest image", image("https://example.com/" + strings.Repeat("a", 512-20)), ""},

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
		{"zero-width space", acme("\u200B"), "Account"},
		{"blank letters", issuer("\u3164\u2800\uFE0F"), "Issuer"},

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

func TestLabelFit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", totp.MaxAccount)
	tests := []struct{ name, account, want string }{
		{"valid", "alice@example.com", "alice@example.com"},
		{"Matrix id", "@alice:example.org", "@alice∶example.org"},
		{"domain", "DOMAIN:alice", "DOMAIN∶alice"},
		{"SIP address with a port", "sip:alice@example.com:5060", "sip∶alice@example.com∶5060"},
		{"backslash", `DOMAIN\user`, `DOMAIN\user`},
		{"only a colon", ":", "∶"},
		{"spaces at both ends", " \t\u00A0alice \u3000", "alice"},
		{"control characters", "al\x00ice\r\n\u2028x\x7f", "al ice   x"},
		{"Latin-1", "jos\xe9", "jos\ufffd"},
		{"emoji", "🦊👩‍👩‍👧", "🦊👩‍👩‍👧"},
		{"right to left", "שלום", "שלום"},
		{"longest", long, long},
		{"too long", long + "b", long},
		{"spaces before and too long", "  " + long + "b", long},
		{"cut between characters", long[1:] + "ä", long[1:]},
		{"space where it is cut", long[1:] + " b", long[1:]},
		{"colon where it is cut", long[1:] + ":", long[1:]},
		{"endless", strings.Repeat(" ", 1<<20) + strings.Repeat("a", 1<<20), long},
		{"empty", "", ""},
		{"only spaces", " \t ", ""},
		{"only control characters", "\x00\x1b", ""},
		{"only a zero-width space", "\u200B", ""},
		{"only a Hangul filler", "\u3164", ""},
		{"only variation selectors", "\uFE0F\uFE0E", ""},
		{"only blank Braille", "\u2800", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (totp.Label{Issuer: "Acme", Account: test.account}).Fit(); got != (totp.Label{Issuer: "Acme", Account: test.want}) {
				t.Errorf("account becomes %+q", got.Account)
			}
			want := test.want[:min(len(test.want), totp.MaxIssuer)] // the long ones are ASCII
			if got := (totp.Label{Issuer: test.account, Account: "alice"}).Fit(); got != (totp.Label{Issuer: want, Account: "alice"}) {
				t.Errorf("issuer becomes %+q", got.Issuer)
			}
		})
	}
	for image, want := range map[string]string{"https://example.com/l.png": "https://example.com/l.png", "http://example.com/l.png": "", "%": ""} {
		if got := (totp.Label{Image: image}).Fit().Image; got != want {
			t.Errorf("image %q becomes %q", image, got)
		}
	}
}
