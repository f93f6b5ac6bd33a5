package recovery

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// MaxInput is the length of the longest text that [ParseCode] looks at, in
// bytes. Both schemes fit with separators of every usual kind; a code of
// [Argon2id] also fits in full-width characters.
const MaxInput = 64

// ErrMalformed says that a text is not a recovery code, that a Code or a Digest
// is zero where there has to be one, or that a code is of another [Scheme] than
// the set or the codes it was to go with. It is found before anything is
// derived, and says nothing about which codes exist. The text is not quoted.
var ErrMalformed = errors.New("recovery: not a recovery code")

// groupLen is the number of symbols between two hyphens.
const groupLen = 4

// Scheme is a kind of recovery code: how long it is, and how a set derives
// digests from it.
type Scheme uint8

// The schemes. Numbers are stored and never change their meaning.
const (
	// Argon2id is the default: 16 symbols, 80 bits, short enough to type.
	// Digests are made with Argon2id (RFC 9106) at 19 MiB, 2 passes and 1
	// lane, the first choice of the OWASP Password Storage Cheat Sheet, with
	// one salt per set. One derivation takes about 20 to 40 ms.
	Argon2id Scheme = iota

	// Fast is for hosts that can't spend 19 MiB on a guess: 26 symbols, 130
	// bits, with HMAC-SHA-256 keyed by the salt of the set. At more than 112
	// bits an approved one-way function is enough, without a slow derivation
	// (NIST SP 800-63B-4, section 3.1.2). It is also the one to choose where
	// only approved algorithms are allowed, which Argon2id is not.
	Fast
)

// Valid reports whether s is one of the defined schemes.
func (s Scheme) Valid() bool { return s <= Fast }

// String returns the stable lower-case name of the scheme, "argon2id" or
// "fast"; for an invalid one, "Scheme(n)".
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

// Code is one recovery code, normalised. The zero Code is no code, and no set
// accepts it.
//
// It is a secret: printing and encoding show a placeholder. A Code is
// immutable and safe for concurrent use. Two Codes are not made to be compared
// with ==; what compares codes is [Set.Spend].
type Code struct {
	redacted
	symbols redact.Value[string]
}

// ParseCode reads a recovery code as people type and paste it. Case does not
// matter; O is read as 0, I and L as 1; hyphens and dashes, white space of any
// kind and invisible format characters are passed over; full-width letters and
// the decimal digits of every script are taken for what they mean. What is
// left must be 16 symbols for [Argon2id] or 26 for [Fast]. U is refused, since
// it is not a symbol of Crockford's base32.
//
// It returns [ErrMalformed] for any other text, and for one of more than
// [MaxInput] bytes before it looks at a single one of them.
func ParseCode(input string) (Code, error) {
	if len(input) > MaxInput {
		return Code{}, ErrMalformed
	}
	var buf [26]byte
	n := 0
	for _, r := range input {
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

// newCode returns the code of normalised symbols.
func newCode(symbols string) Code { return Code{symbols: redact.Of(symbols)} }

// IsZero reports whether c is the zero Code.
func (c Code) IsZero() bool { return c.symbols.IsZero() }

// equal reports whether two codes, neither of them zero, are the same. It is for
// codes of one owner, which are no secret from each other.
func (c Code) equal(other Code) bool { return *c.symbols.Get() == *other.symbols.Get() }

// Scheme returns the scheme that codes of this length belong to. For the zero
// Code it is [Argon2id], which refuses that code like any other does.
func (c Code) Scheme() Scheme {
	if !c.IsZero() && len(*c.symbols.Get()) == Fast.symbols() {
		return Fast
	}
	return Argon2id
}

// Reveal returns the code in clear, in upper case and groups of four with
// hyphens between them: "ABCD-EFGH-JKMN-PQRS". It returns "" for the zero Code.
// The text opens the account once: show it to its owner, and keep it out of
// logs.
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
