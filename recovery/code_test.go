package recovery_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

const (
	slowText = "ABCD-EFGH-JKMN-PQRS"
	fastText = "0123-4567-89AB-CDEF-GHJK-MNPQ-RS"
)

func TestParseCode(t *testing.T) {
	t.Parallel()
	fullWidth := func(s string) string {
		return strings.Map(func(r rune) rune { return r - '!' + '！' }, s)
	}
	tests := []struct {
		name, in, want string
	}{
		{"as shown", slowText, slowText},
		{"as shown, fast", fastText, fastText},
		{"without hyphens", "ABCDEFGHJKMNPQRS", slowText},
		{"lower case", "abcd-efgh-jkmn-pqrs", slowText},
		{"mixed case", "aBcD-EfGh-jKmN-pQrS", slowText},
		{"letter O is zero", "oOoO-0000-OOOO-oooo", "0000-0000-0000-0000"},
		{"letters I and L are one", "iIlL-1111-IIII-llll", "1111-1111-1111-1111"},
		{"look-alikes in a fast code", "oi23-4567-89ab-cdef-ghjk-mnpq-rs", fastText},
		{"groups of another size", "AB CDE FGHJK-MNPQRS", slowText},
		{"spaces around", "  ABCD EFGH JKMN PQRS \t\r\n", slowText},
		{"no-break and thin spaces", "ABCD\u00a0EFGH\u202fJKMN\u2009PQRS", slowText},
		{"ideographic space", "ABCD\u3000EFGH\u3000JKMN\u3000PQRS", slowText},
		{"line and paragraph separators", "ABCD\u2028EFGH\u2029JKMN\u0085PQRS", slowText},
		{"figure dash and en dash", "ABCD\u2012EFGH\u2013JKMN\u2014PQRS", slowText},
		{"non-breaking hyphen and minus", "ABCD\u2011EFGH\u2212JKMN\uff0dPQRS", slowText},
		{"soft hyphen", "ABCD\u00adEFGHJKMNPQRS", slowText},
		{"zero-width space, joiner, BOM", "\ufeffABCD\u200bEFGH\u200dJKMNPQRS", slowText},
		{"bidirectional marks", "\u202aABCDEFGHJKMNPQRS\u202c\u200e", slowText},
		{"full-width letters", fullWidth("ABCDEFGHJKMNPQRS"), slowText},
		{"full-width letters, lower case, with dashes", fullWidth("abcd-efgh-jkmn-pqrs"), slowText},
		{"full-width digits", fullWidth("0123456789") + "ABCDEF", "0123-4567-89AB-CDEF"},
		{"full-width look-alikes", fullWidth("OoIiLl") + "2345678901", "0011-1123-4567-8901"},
		{"Arabic-Indic digits", "٠١٢٣٤٥٦٧٨٩ABCDEF", "0123-4567-89AB-CDEF"},
		{"Devanagari digits", "०१२३४५६७८९ABCDEF", "0123-4567-89AB-CDEF"},
		{"mathematical bold digits", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗ABCDEF", "0123-4567-89AB-CDEF"},
		{"mathematical monospace digits", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿ABCDEF", "0123-4567-89AB-CDEF"},
		{"exactly the longest input", slowText + strings.Repeat(" ", recovery.MaxInput-len(slowText)), slowText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := recovery.ParseCode(tt.in)
			if err != nil {
				t.Fatalf("ParseCode(%q): %v", tt.in, err)
			}
			if got := c.Reveal(); got != tt.want {
				t.Errorf("ParseCode(%q) = %q, want %q", tt.in, got, tt.want)
			}
			wantScheme := recovery.Argon2id
			if len(tt.want) == len(fastText) {
				wantScheme = recovery.Fast
			}
			if c.Scheme() != wantScheme {
				t.Errorf("scheme %v, want %v", c.Scheme(), wantScheme)
			}
			if c.IsZero() {
				t.Error("the code is zero")
			}
		})
	}
}

func TestParseCodeRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in string }{
		{"empty", ""},
		{"separators only", "- - -"},
		{"one symbol short", "ABCD-EFGH-JKMN-PQR"},
		{"one symbol over", "ABCD-EFGH-JKMN-PQRS-T"},
		{"one short of a fast code", "0123-4567-89AB-CDEF-GHJK-MNPQ-R"},
		{"one over a fast code", "0123-4567-89AB-CDEF-GHJK-MNPQ-RST"},
		{"six digits", "123456"},
		{"a line without its code", "  1.  [ ]  "},
		{"two numbers", "1. 2. " + slowText},
		{"a number without a full stop", "1 " + slowText},
		{"a number that could be symbols", "1234. " + slowText},
		{"a text about a code", "code: " + slowText},
		{"U", "UBCD-EFGH-JKMN-PQRS"},
		{"lower-case u", "uBCD-EFGH-JKMN-PQRS"},
		{"full-width U", "ＵBCD-EFGH-JKMN-PQRS"},
		{"underscores", "ABCD_EFGH_JKMN_PQRS"},
		{"punctuation", "ABCD.EFGH.JKMN.PQRS"},
		{"NUL", "ABCD\x00EFGHJKMNPQRS"},
		{"invalid UTF-8", "ABCDEFGHJKMNPQR\xff"},
		{"the replacement character", "ABCDEFGHJKMNPQR\ufffd"},
		{"a Cyrillic letter that looks right", "АBCD-EFGH-JKMN-PQRS"},
		{"dotless i", "ıBCD-EFGH-JKMN-PQRS"},
		{"Kelvin sign", "ABCD-EFGH-J\u212aMN-PQRS"},
		{"superscript digit", "ABCD-EFGH-JKMN-PQR²"},
		{"Roman numeral", "ABCD-EFGH-JKMN-PQRⅠ"},
		{"combining mark", "ABCD-EFGH-JKMN-PQRS\u0301"},
		{"one byte over the longest input", slowText + strings.Repeat(" ", recovery.MaxInput-len(slowText)+1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := recovery.ParseCode(tt.in)
			if !errors.Is(err, recovery.ErrMalformed) {
				t.Errorf("ParseCode(%q): error %v, want ErrMalformed", tt.in, err)
			}
			if !c.IsZero() {
				t.Errorf("ParseCode(%q) returned a code beside its error", tt.in)
			}
			if err != nil && err.Error() != recovery.ErrMalformed.Error() {
				t.Errorf("the error says more than the sentinel: %v", err)
			}
		})
	}
}

// Every decimal digit that Unicode knows must be read as its own value. The
// implementation relies on how the runs of digits are laid out, so this goes
// through all of them, with the runs found independently of the tables' ranges.
func TestParseCodeReadsEveryUnicodeDigit(t *testing.T) {
	t.Parallel()
	run, seen := 0, 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsDigit(r) {
			if run%10 != 0 {
				t.Fatalf("a run of %d digits before %U", run, r)
			}
			run = 0
			continue
		}
		c, err := recovery.ParseCode(string(r) + "BCDEFGHJKMNPQRS")
		if err != nil {
			t.Fatalf("%U: %v", r, err)
		}
		if got, want := c.Reveal()[0], byte('0'+run%10); got != want {
			t.Fatalf("%U is read as %q, want %q", r, got, want)
		}
		run++
		seen++
	}
	if seen < 600 {
		t.Errorf("only %d digits found", seen)
	}
}

func TestParseCodeAlphabet(t *testing.T) {
	t.Parallel()
	// What a symbol is read as: itself for the 32 of Crockford's alphabet.
	accepted := 0
	for b := range 128 {
		in := strings.Repeat(string(rune(b)), 16)
		c, err := recovery.ParseCode(in)
		if err != nil {
			continue
		}
		accepted++
		want := strings.ToUpper(in)
		want = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(want)
		if got := strings.ReplaceAll(c.Reveal(), "-", ""); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
	if accepted != 10+2*25 { // ten digits; every letter but U, in both cases
		t.Errorf("%d ASCII characters are accepted, want 60", accepted)
	}
}

func TestCase37_HugeInputIsRefusedUnread(t *testing.T) {
	huge := strings.Repeat("A", 1<<20)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := recovery.ParseCode(huge); !errors.Is(err, recovery.ErrMalformed) {
			t.Errorf("error %v, want ErrMalformed", err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// Invalid UTF-8 and ignorable bytes get no further.
	for _, s := range []string{strings.Repeat("\xff", 1<<20), strings.Repeat(" ", 1<<20), slowText + strings.Repeat("-", 1<<20)} {
		if _, err := recovery.ParseCode(s); !errors.Is(err, recovery.ErrMalformed) {
			t.Errorf("error %v, want ErrMalformed", err)
		}
	}
}

func TestZeroCode(t *testing.T) {
	t.Parallel()
	var c recovery.Code
	if !c.IsZero() || c.Reveal() != "" || c.Scheme() != recovery.Argon2id {
		t.Errorf("zero Code: IsZero %v, Reveal %q, Scheme %v", c.IsZero(), c.Reveal(), c.Scheme())
	}
}

func TestScheme(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		s     recovery.Scheme
		name  string
		valid bool
	}{
		{recovery.Argon2id, "argon2id", true},
		{recovery.Fast, "fast", true},
		{2, "Scheme(2)", false},
		{255, "Scheme(255)", false},
	} {
		if tt.s.String() != tt.name || tt.s.Valid() != tt.valid {
			t.Errorf("Scheme %d: %q, valid %v; want %q, %v", uint8(tt.s), tt.s, tt.s.Valid(), tt.name, tt.valid)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{
		slowText, fastText, "", "-", "oiluOILU", "ＡＢＣＤ－ＥＦＧＨ－ＪＫＭＮ－ＰＱＲＳ",
		"  1.  [ ]  " + slowText + ".", "☐ " + fastText + "\r\n", "1.",
		"٠١٢٣٤٥٦٧٨٩ABCDEF", "ABCD\u00a0EFGH\u200bJKMN\u2212PQRS", "\xff\xfe", strings.Repeat("0", 65),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c, err := recovery.ParseCode(in)
		if err != nil {
			if !errors.Is(err, recovery.ErrMalformed) || !c.IsZero() {
				t.Fatalf("ParseCode(%q) = zero %v, %v", in, c.IsZero(), err)
			}
			return
		}
		if len(in) > recovery.MaxInput {
			t.Fatalf("%d bytes were accepted", len(in))
		}
		text := c.Reveal()
		if n := len(strings.ReplaceAll(text, "-", "")); n != 16 && n != 26 {
			t.Fatalf("%d symbols", n)
		}
		again, err := recovery.ParseCode(text)
		if err != nil || again.Reveal() != text || again.Scheme() != c.Scheme() {
			t.Fatalf("%q parses as %q and then as %q, %v", in, text, again.Reveal(), err)
		}
	})
}
