package totp

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// placeholder is what stands for a secret wherever one is printed.
const placeholder = "[redacted]"

var errEncoding = errors.New("a secret is not encoded implicitly; reveal it and encode that")

// redacted is embedded by the types that hold a secret and gives them methods
// that don't show it. Those are half of the protection only: fmt prints an
// unexported field of somebody's struct without asking its methods, and shows
// whatever it reaches. So the bytes themselves stay out of its reach, see
// [Secret].
//
// The array takes no room and makes the types incomparable, because == would
// compare addresses instead of secrets.
type redacted struct{ _ [0]func() }

// String returns a placeholder that is the same for all values.
func (redacted) String() string { return placeholder }

// GoString returns a placeholder that is the same for all values.
func (redacted) GoString() string { return placeholder }

// Format writes a placeholder, whatever the verb and the flags.
func (redacted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, placeholder) }

// LogValue returns a placeholder that is the same for all values.
func (redacted) LogValue() slog.Value { return slog.StringValue(placeholder) }

// MarshalJSON returns an error: whoever means to encode a secret reveals it.
func (redacted) MarshalJSON() ([]byte, error) { return nil, errEncoding }

// MarshalText returns an error: whoever means to encode a secret reveals it.
func (redacted) MarshalText() ([]byte, error) { return nil, errEncoding }
