package enrollment

import (
	"fmt"
	"log/slog"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// A Challenge says that the first factor of a user was right, for one purpose.
// [Guard.SignIn] and [Messages.Send] return it, and [Guard.Answer] takes it with a
// code. It is valid for [ChallengeTTL], or as long as the code that was sent. It is
// worth nothing without a code, so the host can keep it in a cookie or hand it to
// the client.
//
// Like the other tokens it is opaque text of the base64url alphabet, at most 2,048
// bytes. Encoders of JSON, XML and gob write the text and read it back. Everything
// that prints it (fmt, slog, templates) shows "[redacted]" instead. Use the text
// that Reveal returns for a cookie, a header, a hidden field of a form, and a
// session that reads its values as strings.
//
// If a struct of the host has a token in an exported field, and is logged as JSON,
// the log shows the token, because such a logger is an encoder. The structs of this
// package are logged without their tokens.
type Challenge struct{ token }

// ChallengeOf returns the Challenge with that text, from where the host has kept
// it. The text is checked only when the Challenge is used.
func ChallengeOf(text string) Challenge { return Challenge{tokenOf(text)} }

// A Receipt says that a user answered with a factor, and when. It is part of a
// [Success]; keep it in the session. [ByReceipt] accepts it as a proof for
// [ReceiptTTL], and [Guard.RecentlyVerified] for the time that the host passes.
// Every change of factor voids it. A Receipt is encoded and printed like a
// [Challenge].
type Receipt struct{ token }

// ReceiptOf returns the Receipt with that text, from where the host has kept it.
// The text is checked only when the Receipt is used.
func ReceiptOf(text string) Receipt { return Receipt{tokenOf(text)} }

// A SetupToken identifies a pending [Setup] of an authenticator, or a pending
// [Binding] of an address. It works only together with the user's id, and only
// until the setup expires. A SetupToken is encoded and printed like a [Challenge].
type SetupToken struct{ token }

// SetupTokenOf returns the SetupToken with that text, from where the host has kept
// it. The text is checked only when the SetupToken is used.
func SetupTokenOf(text string) SetupToken { return SetupToken{tokenOf(text)} }

// A DeviceToken lets the browser or installation that has it sign in without a
// code; see [Devices]. Keep it in a cookie of that browser only, HttpOnly and
// Secure. A DeviceToken is encoded and printed like a [Challenge].
type DeviceToken struct{ token }

// DeviceTokenOf returns the DeviceToken with that text, for example from a cookie.
// The text is checked only when the DeviceToken is used.
func DeviceTokenOf(text string) DeviceToken { return DeviceToken{tokenOf(text)} }

// token is what the token types have in common: they are encoded as text and print
// as a placeholder. See package redact.
type token struct{ t redact.Token }

func tokenOf(text string) token { return token{redact.TokenOf(text)} }

// Reveal returns the text, for a cookie, a header or a form field. It is "" for the
// zero value.
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
