package recovery

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

var errEncode = errors.New("recovery: codes and sets are not encoded; encode what Reveal, AppendRevealed or Set.AppendBinary returns")

// redacted is embedded by the types that hold a secret. See package redact.
type redacted struct{}

// String returns "[redacted]".
func (redacted) String() string { return redact.Placeholder }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redact.Placeholder }

// Format writes "[redacted]", whatever the verb and the flags.
func (redacted) Format(f fmt.State, verb rune) { redact.Format(f, verb) }

// LogValue returns "[redacted]".
func (redacted) LogValue() slog.Value { return redact.LogValue() }

// MarshalText always returns an error, so encoding as JSON or XML fails.
func (redacted) MarshalText() ([]byte, error) { return nil, errEncode }

// MarshalBinary always returns an error, so encoding with gob fails.
func (redacted) MarshalBinary() ([]byte, error) { return nil, errEncode }
