package totp

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// Sizes of a shared secret, in bytes. RFC 4226, section 4, requirement R6,
// requires 128 bits and recommends 160.
const (
	// MinSecretSize is the minimum size of a secret. Only [ShortSecrets] reads
	// smaller ones.
	MinSecretSize = 16

	// MaxSecretSize is the maximum size of a secret. It is the block size of
	// SHA-512; a longer HMAC key adds nothing.
	MaxSecretSize = 128
)

// maxSecretText bounds the text of a secret. 128 bytes in hexadecimal, with a
// separator between each two, take 383.
const maxSecretText = 512

// ErrSecret says that a secret is missing, is shorter than [MinSecretSize] or
// longer than [MaxSecretSize], or is not valid base32 or hexadecimal.
var ErrSecret = errors.New("totp: invalid secret")

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// A Secret is a shared secret: the bytes that both the authenticator and the verifier
// have. Anyone who has them can make every code, so encrypt them before you store them.
//
// The zero Secret holds no secret. It reveals nothing, equals nothing, and
// [NewKey] refuses it.
//
// A Secret prints and logs as "[redacted]" and can't be encoded. It is
// immutable and safe for concurrent use.
type Secret struct {
	redacted
	raw redact.Value[[]byte] // never changed
}

// secretOf returns a secret that keeps raw.
func secretOf(raw []byte) Secret { return Secret{raw: redact.Of(raw)} }

// bytes returns the bytes of s, which must not be changed. It panics if s is
// zero.
func (s Secret) bytes() []byte { return *s.raw.Get() }

// Generate returns a new secret for keys with this algorithm, from random. Its
// size is that of the hash, as RFC 6238, section 5.1, recommends: 20 bytes for
// SHA-1, 32 for SHA-256 and 64 for SHA-512. Some programs repeat shorter secrets
// up to that size, and then show other codes.
//
// If random is nil, Generate uses [crypto/rand.Reader]; pass another reader only
// in tests. It returns [ErrParams] for an unknown algorithm, and the wrapped error
// of the reader if that fails or ends early.
func Generate(random io.Reader, a Algorithm) (Secret, error) {
	if !a.Valid() {
		return Secret{}, fmt.Errorf("%w: unknown algorithm", ErrParams)
	}
	if random == nil {
		random = rand.Reader
	}
	raw := make([]byte, algorithmSizes[a])
	if _, err := io.ReadFull(random, raw); err != nil {
		return Secret{}, fmt.Errorf("generating a secret: %w", err)
	}
	return secretOf(raw), nil
}

// NewSecret returns a secret with a copy of raw. It returns [ErrSecret] unless
// raw has [MinSecretSize] to [MaxSecretSize] bytes.
func NewSecret(raw []byte) (Secret, error) { return newSecret(raw, MinSecretSize) }

func newSecret(raw []byte, least int) (Secret, error) {
	if err := validSize(len(raw), least); err != nil {
		return Secret{}, err
	}
	return secretOf(bytes.Clone(raw)), nil
}

// ParseSecret reads a secret in base32 (RFC 4648, section 6), as people copy it
// from a screen: in either case, with or without padding, also with the wrong
// number of padding characters. It ignores the same characters as [Normalize],
// wherever they are.
//
// Some systems draw base32 symbols instead of bytes. Up to four bits are then left
// after the last byte. ParseSecret drops them, as authenticators do.
//
// It returns [ErrSecret] for any other character, including 0, 1, 8 and 9, which
// base32 does not have. It also returns ErrSecret for a length that no number of
// bytes encodes to, which means that a symbol is missing, for text of more than
// 512 bytes, and for a secret whose size [NewSecret] refuses. The error does not
// quote the text.
func ParseSecret(text string) (Secret, error) { return parseSecret(text, MinSecretSize) }

func parseSecret(text string, least int) (Secret, error) {
	digits, err := compact(text)
	if err != nil {
		return Secret{}, err
	}
	data := bytes.TrimRight(digits, "=")
	switch len(data) % 8 {
	case 1, 3, 6: // the decoder would drop the last symbol
		return Secret{}, fmt.Errorf("%w: not base32 of whole bytes", ErrSecret)
	}
	raw := make([]byte, unpadded.DecodedLen(len(data)))
	n, err := unpadded.Decode(raw, data)
	if err != nil {
		return Secret{}, fmt.Errorf("%w: not base32", ErrSecret)
	}
	return newSecret(raw[:n], least)
}

// ParseHexSecret reads a secret in hexadecimal, in either case. It ignores the
// same characters as [Normalize], wherever they are. It returns [ErrSecret] for
// any other character, for an odd number of digits, for text of more than 512
// bytes, and for a secret whose size [NewSecret] refuses. The error does not
// quote the text.
func ParseHexSecret(text string) (Secret, error) { return parseHexSecret(text, MinSecretSize) }

func parseHexSecret(text string, least int) (Secret, error) {
	digits, err := compact(text)
	if err != nil {
		return Secret{}, err
	}
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil {
		return Secret{}, fmt.Errorf("%w: not hexadecimal", ErrSecret)
	}
	return newSecret(raw, least)
}

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.raw.IsZero() }

// Equal reports whether s and o are the same secret. Its time depends only on
// their sizes, not on their contents. A zero Secret equals nothing, not even
// another zero Secret.
func (s Secret) Equal(o Secret) bool {
	if s.IsZero() || o.IsZero() {
		return false
	}
	return subtle.ConstantTimeCompare(s.bytes(), o.bytes()) == 1
}

// Reveal returns a copy of the secret's bytes, or nil for the zero Secret.
func (s Secret) Reveal() []byte {
	if s.IsZero() {
		return nil
	}
	return bytes.Clone(s.bytes())
}

// Base32 returns the secret in upper-case base32 without padding, as
// authenticators expect it and [ParseSecret] reads it. It returns "" for the
// zero Secret.
func (s Secret) Base32() string {
	if s.IsZero() {
		return ""
	}
	return unpadded.EncodeToString(s.bytes())
}

// Grouped returns the same text as [Secret.Base32] in groups of four characters,
// separated by spaces, for users who have to type it.
func (s Secret) Grouped() string {
	text := s.Base32()
	var b strings.Builder
	for len(text) > 4 {
		b.WriteString(text[:4])
		b.WriteByte(' ')
		text = text[4:]
	}
	b.WriteString(text)
	return b.String()
}

func validSize(n, least int) error {
	switch {
	case n < least:
		return fmt.Errorf("%w: shorter than %d bytes", ErrSecret, least)
	case n > MaxSecretSize:
		return fmt.Errorf("%w: longer than %d bytes", ErrSecret, MaxSecretSize)
	}
	return nil
}

// compact returns text in upper case, without the characters that are ignored.
// It accepts only ASCII letters: the rules of Unicode would also turn other
// letters into these, for example the Kelvin sign into K.
func compact(text string) ([]byte, error) {
	if len(text) > maxSecretText {
		return nil, fmt.Errorf("%w: the text is longer than %d bytes", ErrSecret, maxSecretText)
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case typed.Ignorable(r):
		case r >= 'a' && r <= 'z':
			out = append(out, byte(r-'a'+'A'))
		case r > ' ' && r <= '~':
			out = append(out, byte(r))
		default:
			return nil, fmt.Errorf("%w: the text contains an invalid character", ErrSecret)
		}
	}
	return out, nil
}
