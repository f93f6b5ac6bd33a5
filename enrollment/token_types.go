package enrollment

import (
	"fmt"
	"log/slog"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// A Challenge says that the first factor of a user was right, for one purpose.
// [Guard.SignIn] and [Messages.Send] return it, and [Guard.Answer] takes it back
// with a code. It lasts for [ChallengeTTL], or for as long as the code that was
// sent, and is worth nothing without a code: keep it in a cookie, or hand it to the
// client.
//
// Like the other tokens it is opaque text of the base64url alphabet, at most 2,048
// bytes. Encoders of JSON, XML and gob write the text and read it back. Everything
// that prints shows "[redacted]" instead: fmt, slog, templates. Use the text that
// Reveal returns in a cookie, a header, a hidden field of a form, and in a session
// whose values are read as strings. A token in an exported field of a host's struct
// shows where that struct is logged as JSON, because a logger then is an encoder; the
// structs of this package are logged without their tokens.
type Challenge struct{ token }

// ChallengeOf returns the Challenge with that text, from wherever the host has kept
// it. The text is not checked before the Challenge is used.
func ChallengeOf(text string) Challenge { return Challenge{tokenOf(text)} }

// A Receipt says that a user answered with a factor at a time. It is part of a
// [Success]; keep it in the session. [ByReceipt] takes it as a proof for [ReceiptTTL],
// and [Guard.RecentlyVerified] for as long as it is told to. Any change of factor
// ends it. It travels and prints like a [Challenge].
type Receipt struct{ token }

// ReceiptOf returns the Receipt with that text, from wherever the host has kept it.
// The text is not checked before the Receipt is used.
func ReceiptOf(text string) Receipt { return Receipt{tokenOf(text)} }

// A SetupToken stands for a pending [Setup] of an authenticator, or for a pending
// [Binding] of an address. It is of use only together with the user's id, for as
// long as the setup lasts. It travels and prints like a [Challenge].
type SetupToken struct{ token }

// SetupTokenOf returns the SetupToken with that text, from wherever the host has
// kept it. The text is not checked before the SetupToken is used.
func SetupTokenOf(text string) SetupToken { return SetupToken{tokenOf(text)} }

// A DeviceToken lets the browser or the installation that has it sign in without a
// code; see [Devices]. Keep it in a cookie of that browser alone, HttpOnly and
// Secure. It travels and prints like a [Challenge].
type DeviceToken struct{ token }

// DeviceTokenOf returns the DeviceToken with that text, for example of a cookie. The
// text is not checked before the DeviceToken is used.
func DeviceTokenOf(text string) DeviceToken { return DeviceToken{tokenOf(text)} }

// token is what the types of tokens have in common: they travel as text and print
// as a placeholder. See package redact.
type token struct{ t redact.Token }

func tokenOf(text string) token { return token{redact.TokenOf(text)} }

// Reveal returns the text, for a cookie, a header or the field of a form. It is ""
// for the zero value.
func (t token) Reveal() string { return t.t.Reveal() }

// IsZero reports whether there is no text.
func (t token) IsZero() bool { return t.t.IsZero() }

// String returns "[redacted]".
func (token) String() string { return redact.Placeholder }

// GoString returns "[redacted]".
func (token) GoString() string { return redact.Placeholder }

// Format writes "[redacted]", whatever the verb and the flags.
func (token) Format(f fmt.State, verb rune) { redact.Format(f, verb) }

// LogValue returns "[redacted]".
func (token) LogValue() slog.Value { return redact.LogValue() }

// MarshalText returns the text. It never fails.
func (t token) MarshalText() ([]byte, error) { return t.t.MarshalText() }

// UnmarshalText takes the text over. It never fails: the text is checked when it is
// used.
func (t *token) UnmarshalText(text []byte) error { return t.t.UnmarshalText(text) }

// MarshalBinary returns the text, for encoding/gob. It never fails.
func (t token) MarshalBinary() ([]byte, error) { return t.t.MarshalBinary() }

// UnmarshalBinary takes the text over, for encoding/gob. It never fails.
func (t *token) UnmarshalBinary(text []byte) error { return t.t.UnmarshalBinary(text) }
