package enrollment

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"golang.org/x/crypto/cryptobyte"
)

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

// Tokens are what a Guard hands to clients: sealed, opaque, and safe to keep
// in a cookie, a form field or a session.

const (
	// maxToken bounds the text of a token before anything is done with it.
	maxToken = 2048

	// usualPayload is as long as what most tokens hold, in bytes, before it is sealed.
	usualPayload = 128

	// tokenSalt is the length of the random bytes that give every token a
	// derived key of its own, so that no key ever seals two of them.
	tokenSalt = 16
)

// tokenText is how tokens are written.
var tokenText = base64.RawURLEncoding.Strict()

// errToken says that a text is no token of the kind. Callers turn it into a
// Denied.
var errToken = errors.New("enrollment: not a token of this kind")

// sealToken returns the payload as a token.
func (g *Guard) sealToken(ctx context.Context, label string, payload []byte) (token, error) {
	salt, sealed, err := g.sealSalted(ctx, label, payload)
	if err != nil {
		return token{}, err
	}
	return tokenOf(tokenText.EncodeToString(append(salt[:], sealed...))), nil
}

// sealSalted returns what a token of the payload consists of.
func (g *Guard) sealSalted(ctx context.Context, label string, payload []byte) (salt [tokenSalt]byte, sealed []byte, err error) {
	if err := g.draw(salt[:]); err != nil {
		return salt, nil, err
	}
	scope, binding := g.tokenPlace(label+g.dry, salt[:])
	if sealed, err = g.sealer.Seal(ctx, scope, binding, payload); err != nil {
		return salt, nil, sealingError(err)
	}
	return salt, sealed, nil
}

// sealingError is the error for an account or a token that can't be sealed.
func sealingError(err error) error { return fmt.Errorf("enrollment: sealing: %w", err) }

// tokenPlace returns the scope and the binding of a token. The scope is its own,
// by the salt.
func (g *Guard) tokenPlace(label string, salt []byte) (scope, binding []byte) {
	scope = parts(label, g.config.Namespace, string(salt))
	end := partsLen(label, g.config.Namespace)
	return scope, scope[:end:end]
}

// openToken returns the payload of a token. It returns errToken for anything
// that was not sealed here under that label.
func (g *Guard) openToken(ctx context.Context, label string, from token) (cryptobyte.String, error) {
	text := from.Reveal()
	// Line breaks are passed over by the decoder; a token has one text.
	if len(text) > maxToken || strings.IndexByte(text, '\r') >= 0 || strings.IndexByte(text, '\n') >= 0 {
		return nil, errToken
	}
	raw, err := tokenText.DecodeString(text)
	if err != nil || len(raw) < tokenSalt {
		return nil, errToken
	}
	scope, binding := g.tokenPlace(label+g.dry, raw[:tokenSalt])
	payload, err := g.sealer.Open(ctx, scope, binding, raw[tokenSalt:])
	if g.dry != "" && errors.Is(err, keyring.ErrOpen) {
		scope, binding = g.tokenPlace(label, raw[:tokenSalt])
		payload, err = g.sealer.Open(ctx, scope, binding, raw[tokenSalt:])
	}
	if errors.Is(err, keyring.ErrOpen) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("enrollment: opening a token: %w", err)
	}
	return payload, nil
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()))
}

func readTime(in *cryptobyte.String, t *time.Time) bool {
	var v uint64
	ok := in.ReadUint64(&v)
	*t = time.UnixMicro(int64(v)).UTC()
	return ok
}

// appendText appends texts of at most 255 bytes, each behind its length.
func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return b
}

func readText(in *cryptobyte.String, texts ...*string) bool {
	for _, s := range texts {
		var v cryptobyte.String
		if !in.ReadUint8LengthPrefixed(&v) {
			return false
		}
		*s = string(v)
	}
	return true
}
