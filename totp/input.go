package totp

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxInput is the length of the longest input that is looked at as a code, in
// bytes. It leaves room for eight digits of four bytes each, every one with a
// separator.
const MaxInput = 64

// ErrMalformed says that what was typed can't be a code of any key: it is not
// six to eight digits. It says nothing about the secret, so a verifier may
// answer it without counting a guess.
var ErrMalformed = errors.New("totp: malformed code")

// Normalize returns the six to eight ASCII digits of a code as people type,
// paste and dictate it. It maps every decimal digit of Unicode (category Nd:
// full-width, Arabic-Indic, Devanagari, …) to ASCII, and drops, wherever they
// stand:
//
//   - white space, such as tab, newline, U+00A0, U+202F and U+3000;
//   - hyphens and dashes (category Pd);
//   - the invisible characters that come along when text is copied: soft
//     hyphen (U+00AD), zero-width space, non-joiner and joiner (U+200B to
//     U+200D), word joiner (U+2060), byte order mark (U+FEFF), and the marks of
//     direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
//
// It returns [ErrMalformed] for any other character, for another number of
// digits, for invalid UTF-8, and for more than [MaxInput] bytes, which it
// refuses without looking at them. The error does not quote the input.
//
// [Key.Check] and [Key.ClockOffset] normalise by themselves. Never decide by
// the text of a code whether it was used: many texts are one code.
func Normalize(input string) (string, error) {
	c, err := parseCode(input)
	if err != nil {
		return "", err
	}
	return string(c.digits[:c.n]), nil
}

// A code is a normalised input.
type code struct {
	digits [MaxDigits]byte // ASCII
	n      int
}

func parseCode(input string) (code, error) {
	if len(input) > MaxInput {
		return code{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxInput)
	}
	var c code
	for _, r := range input { // invalid UTF-8 comes as U+FFFD, which is nothing
		d, ok := digit(r)
		switch {
		case ok && c.n == MaxDigits:
			return code{}, fmt.Errorf("%w: more than %d digits", ErrMalformed, MaxDigits)
		case ok:
			c.digits[c.n] = d
			c.n++
		case !ignorable(r):
			return code{}, fmt.Errorf("%w: not only digits", ErrMalformed)
		}
	}
	if c.n < MinDigits {
		return code{}, fmt.Errorf("%w: fewer than %d digits", ErrMalformed, MinDigits)
	}
	return c, nil
}

// value is the number that the digits spell.
func (c code) value() int32 {
	var v int32
	for _, d := range c.digits[:c.n] {
		v = v*10 + int32(d-'0')
	}
	return v
}

// digit returns the ASCII digit of the same value. Unicode promises that the
// digits of a script stand together in ascending order (The Unicode Standard,
// section 4.6), so every range of its table starts with a zero.
func digit(r rune) (byte, bool) {
	if r < utf8.RuneSelf {
		return byte(r), r >= '0' && r <= '9'
	}
	for _, span := range unicode.Nd.R16 {
		if lo, hi := rune(span.Lo), rune(span.Hi); r >= lo && r <= hi {
			return '0' + byte((r-lo)%10), true
		}
	}
	for _, span := range unicode.Nd.R32 {
		if lo, hi := rune(span.Lo), rune(span.Hi); r >= lo && r <= hi {
			return '0' + byte((r-lo)%10), true
		}
	}
	return 0, false
}

// ignorable reports whether r separates digits, or can't be seen at all.
// [Normalize] lists what it knows.
func ignorable(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r == '-' || unicode.IsSpace(r)
	case r == '\u00AD' || r == '\u061C' || r == '\u2060' || r == '\uFEFF':
		return true
	case r >= '\u200B' && r <= '\u200F', r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}
