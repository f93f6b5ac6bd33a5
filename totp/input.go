package totp

import (
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// MaxInput is the length in bytes of the longest input that is read as a code.
// It leaves room for eight digits of four bytes each, with separators between
// them.
const MaxInput = 64

// ErrMalformed says that the input is not a code of any key: it does not have
// six to eight digits. It reveals nothing about the secret, so a verifier need
// not count it as a guess.
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
// It does not look for a code in other text, such as "Your code is 123456": package
// enrollment does, which knows what else the text could be.
//
// It returns [ErrMalformed] for any other character, for another number of
// digits, for invalid UTF-8, and for more than [MaxInput] bytes. The error does
// not quote the input.
//
// [Key.Check] and [Key.ClockOffset] normalise their input themselves. Do not
// compare texts to find out whether a code was used before: one code can be
// written in many ways.
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
	for _, r := range input { // invalid UTF-8 becomes U+FFFD, which is refused
		d, ok := typed.Digit(r)
		switch {
		case ok && c.n == MaxDigits:
			return code{}, fmt.Errorf("%w: more than %d digits", ErrMalformed, MaxDigits)
		case ok:
			c.digits[c.n] = d
			c.n++
		case !typed.Ignorable(r):
			return code{}, fmt.Errorf("%w: a character that is not a digit", ErrMalformed)
		}
	}
	if c.n < MinDigits {
		return code{}, fmt.Errorf("%w: fewer than %d digits", ErrMalformed, MinDigits)
	}
	return c, nil
}

// value returns the number that the digits spell.
func (c code) value() int32 {
	var v int32
	for _, d := range c.digits[:c.n] {
		v = v*10 + int32(d-'0')
	}
	return v
}
