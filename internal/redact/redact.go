// Package redact keeps secrets out of what is printed, logged and encoded.
//
// A type that holds a secret does two things. It keeps the secret in a [Value], because
// fmt prints the unexported fields of an application's struct without calling the
// methods of their types. And it has methods that print [Placeholder] and refuse to
// encode. Each package declares these methods once, on an unexported type that its own
// types embed, because go doc shows promoted methods only if the same package declares
// them:
//
//	type redacted struct{}
//
//	func (redacted) String() string                 { return redact.Placeholder }
//	func (redacted) GoString() string               { return redact.Placeholder }
//	func (redacted) Format(f fmt.State, verb rune)  { redact.Format(f, verb) }
//	func (redacted) LogValue() slog.Value           { return redact.LogValue() }
//	func (redacted) MarshalText() ([]byte, error)   { return nil, errEncode }
//	func (redacted) MarshalBinary() ([]byte, error) { return nil, errEncode }
//
// encoding/json, encoding/xml and most encoders of text call MarshalText;
// encoding/gob and most binary encoders call MarshalBinary. Such a type
// therefore encodes nowhere by accident.
//
// A secret that has to travel, in a cookie, a session or a JSON answer, is a
// [Token] instead: it is encoded as its text, and is redacted only where it is
// printed or logged.
//
// The tests of this package find every exported type of the module that holds a
// secret and try it with every printer and encoder.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is printed in place of every secret.
const Placeholder = "[redacted]"

// Format writes the Placeholder, whatever the verb and the flags.
func Format(f fmt.State, _ rune) { io.WriteString(f, Placeholder) }

// LogValue returns the Placeholder as a value of slog.
func LogValue() slog.Value { return slog.StringValue(Placeholder) }
