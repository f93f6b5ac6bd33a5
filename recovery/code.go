package recovery

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// MaxInput is the length in bytes of the longest text that [ParseCode] reads.
// It leaves room for a line of [Codes.Sheet] with a code of either scheme, and for a
// code of [Argon2id] in full-width characters.
const MaxInput = 64

// ErrMalformed says that a text is not a recovery code, that a [Code] or
// [Digest] is zero, or that a code has another [Scheme] than the set or the other
// codes. It is returned before anything is derived, and reveals nothing about
// the codes of a set. It does not quote the text.
var ErrMalformed = errors.New("recovery: not a recovery code")

// groupLen is the number of symbols in a group.
const groupLen = 4

// Scheme is a kind of recovery code. It determines the length of the codes and
// how digests are derived from them.
type Scheme uint8

// The schemes. Their numbers are stored, so they never change.
const (
	// Argon2id is the default: 16 symbols, 80 bits. Digests are derived with
	// Argon2id (RFC 9106) with 19 MiB, 2 passes and 1 lane, as the OWASP
	// Password Storage Cheat Sheet recommends, and with one salt per set. One
	// derivation takes about 20 to 40 ms.
	Argon2id Scheme = iota

	// Fast is for applications that can't spend 19 MiB on each guess: 26 symbols, 130
	// bits. Digests are HMAC-SHA-256 with the salt of the set as the key. With 112 bits or
	// more, an approved one-way function is enough and a slow derivation is not needed
	// (NIST SP 800-63B-4, section 3.1.2). Also choose Fast if only approved algorithms are
	// allowed; Argon2id is not approved.
	Fast
)

// Valid reports whether s is one of the defined schemes.
func (s Scheme) Valid() bool { return s <= Fast }

// String returns the name of the scheme, "argon2id" or "fast". For an invalid
// scheme it returns "Scheme(n)".
func (s Scheme) String() string {
	switch s {
	case Argon2id:
		return "argon2id"
	case Fast:
		return "fast"
	}
	return fmt.Sprintf("Scheme(%d)", uint8(s))
}

// symbols returns the number of symbols in a code of the scheme.
func (s Scheme) symbols() int {
	if s == Fast {
		return 26
	}
	return 16
}

// A Code is one recovery code. The zero Code is no code, and no set accepts it.
//
// A Code is secret: it prints and logs as "[redacted]" and can't be encoded. It
// is immutable and safe for concurrent use.
type Code struct {
	redacted
	symbols redact.Value[string]
}

// ParseCode reads a recovery code that a person typed or pasted. Case does not
// matter. The letter O is read as 0, and I and L are read as 1. ParseCode
// accepts full-width letters and the decimal digits of every script, and ignores
// white space, hyphens and dashes (Unicode category Pd, and the minus sign) and
// format characters (category Cf), wherever they are.
//
// A line of the sheet can be typed whole: ParseCode drops a number of up to three
// digits with a full stop, bracket or colon in front; a box such as "[ ]", "[x]" or
// "☐"; a bullet; and full stops, commas, colons and semicolons at the end. The
// rest must be 16 symbols for [Argon2id] or 26 for [Fast]. The letter U is not a
// symbol.
//
// It returns [ErrMalformed] for any other text, and for more than [MaxInput]
// bytes.
func ParseCode(input string) (Code, error) {
	if len(input) > MaxInput {
		return Code{}, ErrMalformed
	}
	var buf [26]byte
	n := 0
	for _, r := range typed.Line(input) {
		if typed.Ignorable(r) {
			continue
		}
		c, ok := typed.Symbol(r)
		if !ok || n == len(buf) {
			return Code{}, ErrMalformed
		}
		buf[n] = c
		n++
	}
	if n != Argon2id.symbols() && n != Fast.symbols() {
		return Code{}, ErrMalformed
	}
	return newCode(string(buf[:n])), nil
}

// newCode returns the code with these symbols of the alphabet.
func newCode(symbols string) Code { return Code{symbols: redact.Of(symbols)} }

// IsZero reports whether c is the zero Code.
func (c Code) IsZero() bool { return c.symbols.IsZero() }

// equal reports whether two codes, which must not be zero, are the same. It is
// for codes of one owner and takes no constant time.
func (c Code) equal(other Code) bool { return *c.symbols.Get() == *other.symbols.Get() }

// Scheme returns the scheme of the code. For the zero Code it returns
// [Argon2id].
func (c Code) Scheme() Scheme {
	if !c.IsZero() && len(*c.symbols.Get()) == Fast.symbols() {
		return Fast
	}
	return Argon2id
}

// Reveal returns the code in clear, in upper case and in groups of four separated by
// hyphens: "ABCD-EFGH-JKMN-PQRS". It returns "" for the zero Code. The text opens the
// account once. Show it only to its owner and do not log it.
func (c Code) Reveal() string {
	if c.IsZero() {
		return ""
	}
	var b strings.Builder
	for i, r := range *c.symbols.Get() {
		if i > 0 && i%groupLen == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}
