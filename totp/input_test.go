package totp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input, want string // want "" means ErrMalformed
	}{
		{"plain", "123456", "123456"},
		{"7 digits", "1234567", "1234567"},
		{"8 digits", "12345678", "12345678"},
		{"leading zeroes", "000001", "000001"},
		{"in two groups", "123 456", "123456"},
		{"hyphen", "123-456", "123456"},
		{"around", " \t123456\r\n", "123456"},
		{"between all", "1 2 3 4 5 6", "123456"},
		{"vertical tab, form feed", "123\v\f456", "123456"},
		{"next line", "123\u0085456", "123456"},
		{"no-break space", "123\u00A0456", "123456"},
		{"narrow no-break space", "123\u202F456", "123456"},
		{"thin and figure space", "12\u200934\u200756", "123456"},
		{"ideographic space", "123\u3000456", "123456"},
		{"line separator", "123456\u2028", "123456"},
		{"hyphen of its own", "123\u2010456", "123456"},
		{"non-breaking hyphen", "123\u2011456", "123456"},
		{"en dash", "123\u2013456", "123456"},
		{"minus sign", "123\u2212456", "123456"},
		{"em dash", "123\u2014456", "123456"},
		{"full-width hyphen", "123\uFF0D456", "123456"},
		{"soft hyphen", "123\u00AD456", "123456"},
		{"byte order mark", "\uFEFF123456", "123456"},
		{"zero-width space", "123\u200B456", "123456"},
		{"joiners", "12\u200C34\u200D56\u2060", "123456"},
		{"marks of direction", "\u200E123456\u200F", "123456"},
		{"Arabic letter mark", "\u061C123456", "123456"},
		{"embedding", "\u202A123456\u202C", "123456"},
		{"isolate", "\u2066123456\u2069", "123456"},
		{"full-width", "１２３４５６", "123456"},
		{"Arabic-Indic", "٠١٢٣٤٥", "012345"},
		{"extended Arabic-Indic", "۴۵۶۷۸۹", "456789"},
		{"Devanagari", "१२३ ४५६", "123456"},
		{"Thai", "๑๒๓๔๕๖", "123456"},
		{"mathematical", "𝟏𝟐𝟑𝟜𝟝𝟞", "123456"},
		{"the last mathematical", "𝟿𝟶𝟿𝟶𝟿𝟶", "909090"},
		{"scripts mixed", "1٢३４5๖", "123456"},
		{"full-width in groups, 8 digits", "１２\u3000３４\u3000５６\u3000７８", "12345678"},
		{"at the limit", "123456" + strings.Repeat(" ", totp.MaxInput-6), "123456"},

		{"empty", "", ""},
		{"only separators", " - ", ""},
		{"5 digits", "12345", ""},
		{"9 digits", "123456789", ""},
		{"over the limit", "123456" + strings.Repeat(" ", totp.MaxInput-5), ""},
		{"letter", "12345a", ""},
		{"letter beside six digits", "123456a", ""},
		{"sign", "+123456", ""},
		{"point", "123.456", ""},
		{"comma", "123,456", ""},
		{"underscore", "123_456", ""},
		{"NUL", "123456\x00", ""},
		{"escape", "\x1b123456", ""},
		{"invalid UTF-8", "123456\xff", ""},
		{"overlong UTF-8", "123456\xc0\xb1", ""},
		{"replacement character", "123456\uFFFD", ""},
		{"superscript", "¹²³456", ""},
		{"circled", "①②③456", ""},
		{"Chinese numerals", "一二三456", ""},
		{"Roman numeral", "12345Ⅵ", ""},
		{"combining mark", "123456\u0301", ""},
		{"recovery code", "ABCD-EFGH-JKMN-PQRS", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := totp.Normalize(test.input)
			if got != test.want || (test.want == "") != errors.Is(err, totp.ErrMalformed) {
				t.Errorf("Normalize = %q, %v, want %q", got, err, test.want)
			}
			again, err := totp.Normalize(got)
			if test.want != "" && (again != got || err != nil) {
				t.Errorf("Normalize of the result = %q, %v", again, err)
			}
		})
	}
}
