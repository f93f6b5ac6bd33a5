package recovery

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Every type that holds something secret answers each way of printing it. fmt
// asks Format for all verbs, so String and GoString are there for those who
// call them directly.
type redacted interface {
	fmt.Stringer
	fmt.GoStringer
	fmt.Formatter
	slog.LogValuer
	encoding.TextMarshaler
}

var _ = []redacted{Code{}, Codes{}, Derivation{}, Digest{}, Set{}}

// String returns "recovery.Code(redacted)".
func (c Code) String() string { return "recovery.Code(redacted)" }

// GoString returns what String returns.
func (c Code) GoString() string { return c.String() }

// Format writes what String returns, for every verb.
func (c Code) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue returns what String returns.
func (c Code) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns what String returns, so that JSON and XML show that.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns "recovery.Codes(n, redacted)" with the number of codes.
func (c Codes) String() string { return fmt.Sprintf("recovery.Codes(%d, redacted)", c.Len()) }

// GoString returns what String returns.
func (c Codes) GoString() string { return c.String() }

// Format writes what String returns, for every verb.
func (c Codes) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue returns what String returns.
func (c Codes) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText always returns an error, and with it JSON and XML encoding of
// Codes, or of anything around them, fails: a host that wants to send codes to
// their owner says so with [Codes.Reveal].
func (c Codes) MarshalText() ([]byte, error) {
	return nil, errors.New("recovery codes are not encoded by accident: call Reveal")
}

// String returns the scheme and the costs of the derivation without its salt:
// "recovery.Derivation(argon2id, 19456 KiB, t=2, p=1)".
func (d Derivation) String() string {
	switch {
	case d.IsZero():
		return "recovery.Derivation(none)"
	case d.scheme == Argon2id:
		return fmt.Sprintf("recovery.Derivation(%v, %d KiB, t=%d, p=%d)", d.scheme, d.memory, d.passes, d.threads)
	default:
		return fmt.Sprintf("recovery.Derivation(%v)", d.scheme)
	}
}

// GoString returns what String returns.
func (d Derivation) GoString() string { return d.String() }

// Format writes what String returns, for every verb.
func (d Derivation) Format(f fmt.State, _ rune) { io.WriteString(f, d.String()) }

// LogValue returns what String returns.
func (d Derivation) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText returns what String returns, so that JSON and XML show that. It
// is for display: a Derivation is stored as part of its [Set].
func (d Derivation) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns "recovery.Digest(redacted)".
func (d Digest) String() string { return "recovery.Digest(redacted)" }

// GoString returns what String returns.
func (d Digest) GoString() string { return d.String() }

// Format writes what String returns, for every verb.
func (d Digest) Format(f fmt.State, _ rune) { io.WriteString(f, d.String()) }

// LogValue returns what String returns.
func (d Digest) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText returns what String returns, so that JSON and XML show that.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns how many codes of the set are left, and nothing of its
// digests: "recovery.Set(8 of 10 left)".
func (s Set) String() string {
	return fmt.Sprintf("recovery.Set(%d of %d left)", s.Remaining(), s.Len())
}

// GoString returns what String returns.
func (s Set) GoString() string { return s.String() }

// Format writes what String returns, for every verb.
func (s Set) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Set) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText always returns an error, and with it JSON and XML encoding of a
// Set, or of anything around one, fails rather than lose it: what is stored is
// what [Set.AppendBinary] returns.
func (s Set) MarshalText() ([]byte, error) {
	return nil, errors.New("a recovery set is not text: call AppendBinary")
}
