package redact

import (
	"encoding"
	"fmt"
	"log/slog"
)

// A Token is a secret that travels as text. It is encoded as its text and
// decoded from it, in JSON, XML, gob and wherever else encoders ask a type for
// text or bytes. Printed, or logged as an attribute, it shows the Placeholder.
//
// An encoder can't know what its output is for, so a struct with a Token in an
// exported field shows it when the struct is logged as JSON.
//
// The zero Token is the empty text. A Token can't be compared with ==; compare
// what Reveal returns. It is safe for concurrent use, except while it is
// decoded into.
type Token struct{ text Value[string] }

var (
	_ encoding.TextUnmarshaler   = (*Token)(nil)
	_ encoding.BinaryUnmarshaler = (*Token)(nil)
)

// TokenOf returns the token with that text, whatever it is.
func TokenOf(text string) Token {
	if text == "" {
		return Token{}
	}
	return Token{Of(text)}
}

// IsZero reports whether the text is empty.
func (t Token) IsZero() bool { return t.text.IsZero() }

// Reveal returns the text.
func (t Token) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return *t.text.Get()
}

// String returns the Placeholder.
func (Token) String() string { return Placeholder }

// GoString returns the Placeholder.
func (Token) GoString() string { return Placeholder }

// Format writes the Placeholder, whatever the verb and the flags.
func (Token) Format(f fmt.State, verb rune) { Format(f, verb) }

// LogValue returns the Placeholder.
func (Token) LogValue() slog.Value { return LogValue() }

// MarshalText returns the text. It never fails.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.Reveal()), nil }

// UnmarshalText makes t the token with that text. It never fails.
func (t *Token) UnmarshalText(text []byte) error {
	*t = TokenOf(string(text))
	return nil
}

// MarshalBinary returns the text, for encoding/gob. It never fails.
func (t Token) MarshalBinary() ([]byte, error) { return t.MarshalText() }

// UnmarshalBinary makes t the token with that text. It never fails.
func (t *Token) UnmarshalBinary(text []byte) error { return t.UnmarshalText(text) }
