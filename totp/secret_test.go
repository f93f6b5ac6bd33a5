package totp_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	a, err := totp.Generate(nil, totp.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := totp.Generate(nil, totp.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	if a.Equal(b) || a.IsZero() || len(a.Reveal()) != 20 {
		t.Error("two secrets are one, or not of the size they should be")
	}

	raw := []byte("abcdefghijklmnopqrstuvwxyz")
	source := bytes.NewReader(raw)
	s, err := totp.Generate(iotest.OneByteReader(source), totp.SHA1)
	if err != nil || !bytes.Equal(s.Reveal(), raw[:20]) || source.Len() != 6 {
		t.Errorf("a slow reader gives %v, %d bytes left", err, source.Len())
	}
}

func TestCase83_SecretsAsLongAsTheHash(t *testing.T) {
	t.Parallel()
	for a, want := range map[totp.Algorithm]int{totp.SHA1: 20, totp.SHA256: 32, totp.SHA512: 64} {
		if s, err := totp.Generate(nil, a); err != nil || len(s.Reveal()) != want {
			t.Errorf("%v: %d bytes, %v; want %d", a, len(s.Reveal()), err, want)
		}
	}
	// A secret of another size stays as it is.
	for _, size := range []int{16, 20, 128} {
		secret := make([]byte, size)
		if k := mustKey(t, secret, totp.Params{Algorithm: totp.SHA512}); !bytes.Equal(k.Secret().Reveal(), secret) {
			t.Errorf("a secret of %d bytes became one of %d", size, len(k.Secret().Reveal()))
		}
	}
	if s, err := totp.Generate(nil, 3); !errors.Is(err, totp.ErrParams) || !s.IsZero() {
		t.Errorf("unknown algorithm: %v", err)
	}
}

func TestGenerateFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	tests := []struct {
		name   string
		source io.Reader
		want   error
	}{
		{"failing", iotest.ErrReader(broken), broken},
		{"empty", strings.NewReader(""), io.EOF},
		{"short", strings.NewReader("nineteen bytes long"), io.ErrUnexpectedEOF},
		{"failing midway", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if s, err := totp.Generate(test.source, totp.SHA1); !errors.Is(err, test.want) || !s.IsZero() {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	for n := range 200 {
		s, err := totp.NewSecret(make([]byte, n))
		if n >= 16 && n <= 128 {
			if err != nil || s.IsZero() || len(s.Reveal()) != n {
				t.Errorf("%d bytes: %v", n, err)
			}
		} else if !errors.Is(err, totp.ErrSecret) || !s.IsZero() {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := totp.NewSecret(nil); !errors.Is(err, totp.ErrSecret) {
		t.Errorf("nil: %v", err)
	}
}

func TestSecretIsCopied(t *testing.T) {
	t.Parallel()
	raw := []byte("0123456789abcdef")
	s, err := totp.NewSecret(raw)
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = 'X'
	s.Reveal()[1] = 'X'
	if got := string(s.Reveal()); got != "0123456789abcdef" {
		t.Errorf("the secret has become %q", got)
	}
}

func TestSecretEqual(t *testing.T) {
	t.Parallel()
	parse := func(text string) totp.Secret {
		s, err := totp.NewSecret([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := parse("0123456789abcdef")
	tests := []struct {
		name string
		a, b totp.Secret
		want bool
	}{
		{"itself", a, a, true},
		{"the same bytes", a, parse("0123456789abcdef"), true},
		{"another byte", a, parse("0123456789abcdeF"), false},
		{"a prefix", a, parse("0123456789abcdefg"), false},
		{"zero on the right", a, totp.Secret{}, false},
		{"zero on the left", totp.Secret{}, a, false},
		{"both zero", totp.Secret{}, totp.Secret{}, false},
	}
	for _, test := range tests {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestZeroSecret(t *testing.T) {
	t.Parallel()
	var s totp.Secret
	if !s.IsZero() || s.Reveal() != nil || s.Base32() != "" || s.Grouped() != "" {
		t.Error("the zero Secret reveals something")
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	const (
		text20 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // "12345678901234567890"
		text16 = "GEZDGNBVGY3TQOJQGEZDGNBVGY"       // "1234567890123456"
		raw20  = "12345678901234567890"
	)
	tests := []struct {
		name, text, want string // want "" means ErrSecret
	}{
		{"plain", text20, raw20},
		{"lower case", strings.ToLower(text20), raw20},
		{"mixed case", "gezdGNBV" + text20[8:], raw20},
		{"groups of four", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", raw20},
		{"hyphens", "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq", raw20},
		{"no-break spaces", "GEZD\u00A0GNBV\u202FGY3TQOJQ\u3000GEZDGNBVGY3TQOJQ", raw20},
		{"en dash", "GEZDGNBVGY3TQOJQ\u2013GEZDGNBVGY3TQOJQ", raw20},
		{"pasted marks", "\uFEFF\u200E" + text20 + "\u200B\r\n", raw20},
		{"tabs and newlines", "\t" + text20[:16] + "\n" + text20[16:] + "\n", raw20},
		{"16 bytes unpadded", text16, raw20[:16]},
		{"16 bytes padded", text16 + "======", raw20[:16]},
		{"padding in groups", "GEZD GNBV GY3T QOJQ GEZD GNBV GY== ====", raw20[:16]},
		{"17 bytes", "GEZDGNBVGY3TQOJQGEZDGNBVGY3Q", raw20[:17]},
		{"17 bytes padded", "GEZDGNBVGY3TQOJQGEZDGNBVGY3Q====", raw20[:17]},
		{"18 bytes padded", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQ===", raw20[:18]},
		{"19 bytes padded", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOI=", raw20[:19]},
		{"longest", strings.Repeat("A", 205), strings.Repeat("\x00", 128)},
		{"longest in groups", strings.Repeat("AAAA ", 51) + "A", strings.Repeat("\x00", 128)},
		{"too little padding", text16 + "=====", raw20[:16]},
		{"too much padding", text16 + "=======", raw20[:16]},
		{"padding on whole groups", text20 + "========", raw20},
		{"two bits left over", text16[:25] + "Z", raw20[:16]},
		{"one bit left over", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TR", raw20[:18]},

		{"empty", "", ""},
		{"only separators", " - ", ""},
		{"only padding", "========", ""},
		{"too short", text16[:24], ""},
		{"80 bits, as long ago", "GEZDGNBVGY3TQOJQ", ""},
		{"too long", strings.Repeat("A", 207), ""},
		{"endless", strings.Repeat("A", 1<<20), ""},
		{"endless spaces", text20 + strings.Repeat(" ", 1<<20), ""},
		{"digit one", "1" + text20[1:], ""},
		{"digit zero", "0" + text20[1:], ""},
		{"digit eight", "8" + text20[1:], ""},
		{"punctuation", "." + text20[1:], ""},
		{"control character", text20 + "\x00", ""},
		{"Kelvin sign", "\u212A" + text20[1:], ""},
		{"full-width letters", "\uFF21" + text20[1:], ""},
		{"a letter whose last byte is an A", "\u0141" + text20[1:], ""},
		{"invalid UTF-8", text20 + "\xff", ""},
		{"padding inside", text16 + "======" + text16, ""},
		{"length 1 mod 8", text20 + "A", ""},
		{"length 3 mod 8", text20 + "AAA", ""},
		{"length 6 mod 8", text20 + "AAAAAA", ""},
		{"length 1 mod 8, padded", text20 + "A=======", ""},
		{"as hexadecimal", "3132333435363738393031323334353637383930", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := totp.ParseSecret(test.text)
			if test.want == "" {
				if !errors.Is(err, totp.ErrSecret) || !s.IsZero() {
					t.Fatalf("error %v, want ErrSecret", err)
				}
				return
			}
			if err != nil || string(s.Reveal()) != test.want {
				t.Fatalf("ParseSecret = %q, %v", s.Reveal(), err)
			}
		})
	}
}

func TestParseHexSecret(t *testing.T) {
	t.Parallel()
	const raw, text = "0123456789abcdef", "30313233343536373839616263646566"
	tests := []struct {
		name, text, want string // want "" means ErrSecret
	}{
		{"plain", text, raw},
		{"upper case", "3031323334353637383941626364656A", "0123456789Abcdej"},
		{"lower case", "3031323334353637383941626364656a", "0123456789Abcdej"},
		{"pairs", "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66\n", raw},
		{"hyphens", "30313233-34353637-38396162-63646566", raw},
		{"no-break space", "3031323334353637\u00A03839616263646566", raw},
		{"longest in pairs", strings.Repeat("41 ", 128), strings.Repeat("A", 128)},
		{"empty", "", ""},
		{"too short", text[2:], ""},
		{"odd", text + "3", ""},
		{"too long", strings.Repeat("41", 129), ""},
		{"endless", strings.Repeat("4", 1<<20), ""},
		{"no digit", "G" + text[1:], ""},
		{"prefix", "0x" + text, ""},
		{"colons", "30:31:" + text[4:], ""},
		{"padding", text + "==", ""},
		{"full-width", "\uFF13" + text[1:], ""},
		{"a letter whose last byte is an A", "\u0141" + text[1:], ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := totp.ParseHexSecret(test.text)
			if test.want == "" {
				if !errors.Is(err, totp.ErrSecret) || !s.IsZero() {
					t.Fatalf("error %v, want ErrSecret", err)
				}
				return
			}
			if err != nil || string(s.Reveal()) != test.want {
				t.Fatalf("ParseHexSecret = %q, %v", s.Reveal(), err)
			}
		})
	}
}

// Every size goes into text and back, however the text is decorated.
func TestSecretRoundTrip(t *testing.T) {
	t.Parallel()
	for n := totp.MinSecretSize; n <= totp.MaxSecretSize; n++ {
		raw := bytes.Repeat([]byte{0xa5}, n)
		s, err := totp.NewSecret(raw)
		if err != nil {
			t.Fatal(err)
		}
		text := s.Base32()
		if strings.ContainsAny(text, "= ") || text != strings.ToUpper(text) {
			t.Errorf("Base32 of %d bytes: %q", n, text)
		}
		padded := text + strings.Repeat("=", (8-len(text)%8)%8)
		for _, form := range []string{text, padded, strings.ToLower(text), s.Grouped()} {
			if back, err := totp.ParseSecret(form); err != nil || !back.Equal(s) {
				t.Errorf("%d bytes as %q: %v", n, form, err)
			}
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{
		16: "AAAA AAAA AAAA AAAA AAAA AAAA AA",
		18: "AAAA AAAA AAAA AAAA AAAA AAAA AAAA A",
		20: "AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA",
	} {
		s, err := totp.NewSecret(make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Grouped(); got != want {
			t.Errorf("%d bytes: %q, want %q", size, got, want)
		}
	}
}

// The error says what is wrong with the text, without quoting it.
func TestSecretErrorsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	parse := map[string]func(string) (totp.Secret, error){"base32": totp.ParseSecret, "hexadecimal": totp.ParseHexSecret}
	for _, c := range []struct{ form, text, want string }{
		{"base32", "", "shorter than 16 bytes"},
		{"base32", "é", "an invalid character"},
		{"base32", strings.Repeat("A", 513), "longer than 512 bytes"},
		{"base32", strings.Repeat("A", 25), "not base32 of whole bytes"},
		{"base32", strings.Repeat("1", 32), "not base32"},
		{"hexadecimal", "", "shorter than 16 bytes"},
		{"hexadecimal", "é", "an invalid character"},
		{"hexadecimal", strings.Repeat("A", 513), "longer than 512 bytes"},
		{"hexadecimal", strings.Repeat("A", 31), "not hexadecimal"},
		{"hexadecimal", strings.Repeat("Z", 32), "not hexadecimal"},
	} {
		if _, err := parse[c.form](c.text); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %s", c.form, c.text, err, c.want)
		}
	}
}
