package totp

import (
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// MaxInput is the length of the longest input that is looked at as a code, in
// bytes. It leaves room for eight digits of four bytes each, every one with a
// separator.
const MaxInput = 64

// ErrMalformed says that what was typed can't be a code of any key: it is not
// six to eight digits. It says nothing about the secret, so a verifier may
// answer it without counting a guess.
var ErrMalformed = errors.New("totp: malformed code")

// Normalize returns the six to eight ASCII digits of a code that a person
// typed, pasted or dictated. It accepts the decimal digits of every script
// (Unicode category Nd: full-width, Arabic-Indic, Devanagari, …). It drops,
// wherever they are:
//
//   - white space, such as tabs, newlines and U+00A0;
//   - hyphens and dashes (category Pd), and the minus sign (U+2212);
//   - format characters (category Cf), which come along unseen when text is
//     copied: soft hyphens, zero-width spaces and joiners, the byte order mark,
//     marks of direction.
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
		d, ok := typed.Digit(r)
		switch {
		case ok && c.n == MaxDigits:
			return code{}, fmt.Errorf("%w: more than %d digits", ErrMalformed, MaxDigits)
		case ok:
			c.digits[c.n] = d
			c.n++
		case !typed.Ignorable(r):
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
