package enrollment

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

var errEncode = errors.New("enrollment: a value with a secret is not encoded; reveal and encode what you need")

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

// These structs hold tokens. A log in JSON would encode them, so the structs are logged
// without tokens and recovery codes.

// LogValue returns the Decision without the Challenge and the EnrollToken.
func (d Decision) LogValue() slog.Value {
	type plain Decision
	d.Challenge, d.EnrollToken = Challenge{}, EnrollToken{}
	return slog.AnyValue(plain(d))
}

// LogValue returns the Success without the Receipt and the NewCode.
func (s Success) LogValue() slog.Value {
	type plain Success
	return slog.AnyValue(plain(s.withoutSecrets()))
}

func (s Success) withoutSecrets() Success {
	s.Receipt, s.NewCode = Receipt{}, recovery.Code{}
	return s
}

// LogValue returns the Confirmed without the Receipt and the Codes.
func (c Confirmed) LogValue() slog.Value {
	type plain Confirmed
	c.Success, c.Codes = c.Success.withoutSecrets(), recovery.Codes{}
	return slog.AnyValue(plain(c))
}

// LogValue returns "[redacted]".
func (RenewedCodes) LogValue() slog.Value { return redact.LogValue() }

// LogValue returns the Device without the Token.
func (d TrustedDevice) LogValue() slog.Value { return slog.AnyValue(d.Device) }

// LogValue returns the Binding without the Token.
func (b Binding) LogValue() slog.Value {
	type plain Binding
	b.Token = SetupToken{}
	return slog.AnyValue(plain(b))
}

// LogValue returns the Delivery without the Challenge.
func (d Delivery) LogValue() slog.Value {
	type plain Delivery
	d.Challenge = Challenge{}
	return slog.AnyValue(plain(d))
}

// LogValue returns what Error returns.
func (d Denied) LogValue() slog.Value { return slog.StringValue(d.Error()) }

// LogValue returns the Replacement without the EnrollToken.
func (r Replacement) LogValue() slog.Value {
	type plain Replacement
	r.EnrollToken = EnrollToken{}
	return slog.AnyValue(plain(r))
}

// LogValue returns the options without the Device and the Import.
func (o SignInOptions) LogValue() slog.Value {
	type plain SignInOptions
	o.Device, o.Import = DeviceToken{}, nil
	return slog.AnyValue(plain(o))
}
