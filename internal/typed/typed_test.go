package typed_test

import (
	"iter"
	"strings"
	"testing"
	"unicode"

	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// runes returns the runes of the planes that have letters, digits or format
// characters that count here. There are none above.
func runes() iter.Seq[rune] {
	return func(yield func(rune) bool) {
		for _, plane := range []rune{0x00000, 0x10000, 0xE0000} {
			for r := range rune(0x10000) {
				if !yield(plane + r) {
					return
				}
			}
		}
	}
}

func TestRunesAreAll(t *testing.T) {
	t.Parallel()
	for _, table := range []*unicode.RangeTable{unicode.Nd, unicode.Pd, unicode.Cf, unicode.White_Space} {
		for _, span := range table.R32 {
			if plane := span.Hi &^ 0xFFFF; plane != 0x10000 && plane != 0xE0000 {
				t.Errorf("%U to %U are not looked at", span.Lo, span.Hi)
			}
		}
	}
}

// Every decimal digit that this version of Go knows has the value that its
// place in the table gives it, and nothing else is a digit.
func TestDigitOfEveryRune(t *testing.T) {
	t.Parallel()
	run := 0 // how many digits stand directly before r
	for r := range runes() {
		got, ok := typed.Digit(r)
		if !unicode.Is(unicode.Nd, r) {
			run = 0
			if ok {
				t.Errorf("%U counts as a digit", r)
			}
			continue
		}
		if want := byte('0' + run%10); got != want || !ok {
			t.Errorf("%U is %q, %t, want %q", r, got, ok, want)
		}
		run++
	}
}

func TestSymbolOfEveryRune(t *testing.T) {
	t.Parallel()
	want := make(map[rune]byte)
	for _, c := range []byte(typed.Alphabet + "OIL") {
		symbol := c
		switch c {
		case 'O':
			symbol = '0'
		case 'I', 'L':
			symbol = '1'
		}
		for _, r := range []rune{rune(c), unicode.ToLower(rune(c))} {
			want[r] = symbol
			want[r-'!'+'！'] = symbol // in full width
		}
	}
	for r := range runes() {
		symbol, known := want[r]
		if digit, ok := typed.Digit(r); ok {
			symbol, known = digit, true
		}
		if got, ok := typed.Symbol(r); ok != known || ok && got != symbol {
			t.Errorf("%U is %q, %t, want %q, %t", r, got, ok, symbol, known)
		}
	}
}

// Nothing is both ignored and read, or an error would depend on the order of
// the two questions.
func TestIgnorableOfEveryRune(t *testing.T) {
	t.Parallel()
	for r := range runes() {
		want := unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) || r == '\u2212'
		if got := typed.Ignorable(r); got != want {
			t.Errorf("%U: ignorable %t", r, got)
		}
		if _, read := typed.Symbol(r); want && read {
			t.Errorf("%U is ignored and read", r)
		}
	}
}

func TestIgnorable(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]rune{
		"tab": '\t', "newline": '\n', "next line": '\u0085', "no-break space": '\u00A0', "ideographic space": '\u3000',
		"hyphen": '-', "non-breaking hyphen": '\u2011', "em dash": '\u2014', "minus sign": '\u2212', "full-width hyphen": '\uFF0D',
		"soft hyphen": '\u00AD', "zero-width space": '\u200B', "word joiner": '\u2060', "byte order mark": '\uFEFF',
		"Arabic letter mark": '\u061C', "right-to-left mark": '\u200F', "override": '\u202E', "isolate": '\u2069',
	} {
		if !typed.Ignorable(r) {
			t.Errorf("a %s is not ignored", name)
		}
	}
	for name, r := range map[string]rune{
		"NUL": 0, "escape": '\x1b', "plus": '+', "point": '.', "underscore": '_', "digit": '0', "letter": 'x',
		"replacement character": '\uFFFD', "combining mark": '\u0301', "variation selector": '\uFE0F',
	} {
		if typed.Ignorable(r) {
			t.Errorf("a %s is ignored", name)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"": true, "work phone": true, "日本語 ✓": true, "\uFFFD": true,
		"\xff": false, "a\x00": false, "a\nb": false, "\u0085": false, "\x7f": false, strings.Repeat("a", 100) + "\x1b[2J": false,
	} {
		if got := typed.Printable(s); got != want {
			t.Errorf("Printable(%q) = %t", s, got)
		}
	}
}
