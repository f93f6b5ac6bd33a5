// Package typed reads what people type, paste and dictate. It is generous with
// how a code is written, and strict with everything else.
package typed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Digit returns the ASCII digit with the value of r, which may be a decimal
// digit of any script (Unicode category Nd). Unicode lists the digits of a
// script from zero to nine without a gap (The Unicode Standard, section 4.6),
// so every range of its table starts with a zero.
func Digit(r rune) (digit byte, ok bool) {
	if r < utf8.RuneSelf {
		return byte(r), '0' <= r && r <= '9'
	}
	for _, span := range unicode.Nd.R16 {
		if lo, hi := rune(span.Lo), rune(span.Hi); lo <= r && r <= hi {
			return '0' + byte((r-lo)%10), true
		}
	}
	for _, span := range unicode.Nd.R32 {
		if lo, hi := rune(span.Lo), rune(span.Hi); lo <= r && r <= hi {
			return '0' + byte((r-lo)%10), true
		}
	}
	return 0, false
}

// Alphabet lists the symbols of Crockford's base32 in the order of their
// values (https://www.crockford.com/base32.html).
const Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Symbol returns the symbol of [Alphabet] that r stands for. Letters count in
// either case and in full width, digits as in [Digit]. The letter O stands for
// 0, and I and L stand for 1.
func Symbol(r rune) (symbol byte, ok bool) {
	const fullWidth = 'Ａ' - 'A'
	if 'Ａ' <= r && r <= 'Ｚ' || 'ａ' <= r && r <= 'ｚ' {
		r -= fullWidth
	}
	if digit, ok := Digit(r); ok {
		return digit, true
	}
	if 'a' <= r && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'O':
		return '0', true
	case 'I', 'L':
		return '1', true
	}
	return byte(r), r < utf8.RuneSelf && strings.IndexByte(Alphabet, byte(r)) >= 0
}

// Ignorable reports whether r means nothing in a code: white space, a hyphen or
// dash (category Pd, and the minus sign, which people take for a dash), or a
// character that only formats text and usually can't be seen (category Cf), such
// as a soft hyphen, a zero-width space or a mark of direction.
func Ignorable(r rune) bool {
	const minus = '\u2212'
	if r < utf8.RuneSelf {
		return r == '-' || unicode.IsSpace(r)
	}
	return r == minus || unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf)
}

// Printable reports whether s is valid UTF-8 without control characters.
func Printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
