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
// demands 128 bits and recommends 160.
const (
	// MinSecretSize is the least that is accepted from elsewhere.
	MinSecretSize = 16

	// GeneratedSecretSize is the size of what [Generate] returns.
	GeneratedSecretSize = 20

	// MaxSecretSize is the block of SHA-512; a longer HMAC key adds nothing.
	MaxSecretSize = 128
)

// maxSecretText bounds the text of a secret before any work is done with it:
// 128 bytes as hexadecimal pairs with a separator after each take 383.
const maxSecretText = 512

// ErrSecret says that a secret is missing, of a size outside [MinSecretSize]
// to [MaxSecretSize], or not the base32 or hexadecimal it should be.
var ErrSecret = errors.New("totp: invalid secret")

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// A Secret is a shared secret: the bytes that an authenticator and the
// verifier both hold. Whoever has it makes codes forever, so it belongs in the
// database only when sealed.
//
// The zero Secret is no secret. It reveals nothing, equals nothing, and no Key
// can be made of it.
//
// A Secret is immutable and safe for concurrent use. It prints, logs and
// formats as a placeholder, and encoding it as JSON or text is an error.
type Secret struct {
	redacted
	raw redact.Value[[]byte] // never changed
}

// secretOf returns the secret that keeps raw.
func secretOf(raw []byte) Secret { return Secret{raw: redact.Of(raw)} }

// bytes returns what s keeps, which must not be changed. Panics if s is zero.
func (s Secret) bytes() []byte { return *s.raw.Get() }

// Generate draws a new secret of [GeneratedSecretSize] bytes, 160 bits, from
// random. A nil random means [crypto/rand.Reader], and anything else is for
// tests. It returns the reader's error, wrapped, if the reader fails or ends
// early.
func Generate(random io.Reader) (Secret, error) {
	if random == nil {
		random = rand.Reader
	}
	raw := make([]byte, GeneratedSecretSize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Secret{}, fmt.Errorf("generating a secret: %w", err)
	}
	return secretOf(raw), nil
}

// NewSecret returns the secret that consists of a copy of raw. It returns
// [ErrSecret] unless raw has [MinSecretSize] to [MaxSecretSize] bytes.
func NewSecret(raw []byte) (Secret, error) {
	if err := validSize(len(raw)); err != nil {
		return Secret{}, err
	}
	return secretOf(bytes.Clone(raw)), nil
}

// ParseSecret returns the secret that text spells in base32 (RFC 4648, section
// 6), as people copy it from a screen: in either case, with or without padding,
// and with spaces, hyphens and the invisible characters of [Normalize] anywhere
// in between. Everything else is strict. It returns [ErrSecret] for any other
// character (0, 1, 8 and 9 are none of base32, and are not guessed at), for
// padding of the wrong length, for a length that no bytes encode to, for bits
// set after the last byte, for text of more than 512 bytes, and for a secret
// whose size [NewSecret] refuses. The error does not quote the text.
func ParseSecret(text string) (Secret, error) {
	digits, err := compact(text)
	if err != nil {
		return Secret{}, err
	}
	data := bytes.TrimRight(digits, "=")
	if padding := len(digits) - len(data); padding != 0 && padding != (8-len(data)%8)%8 {
		return Secret{}, fmt.Errorf("%w: the padding is of the wrong length", ErrSecret)
	}
	raw := make([]byte, unpadded.DecodedLen(len(data)))
	n, err := unpadded.Decode(raw, data)
	if err != nil {
		return Secret{}, fmt.Errorf("%w: not base32", ErrSecret)
	}
	// The decoder lets a superfluous digit and superfluous bits pass. Both
	// would make two spellings of one secret, and hint at a copying mistake.
	if !bytes.Equal(unpadded.AppendEncode(nil, raw[:n]), data) {
		return Secret{}, fmt.Errorf("%w: not the base32 of whole bytes", ErrSecret)
	}
	return NewSecret(raw[:n])
}

// ParseHexSecret returns the secret that text spells in hexadecimal, in either
// case, with spaces, hyphens and the invisible characters of [Normalize]
// anywhere in between. It returns [ErrSecret] for any other character, for an
// odd number of digits, for text of more than 512 bytes, and for a secret whose
// size [NewSecret] refuses. The error does not quote the text.
func ParseHexSecret(text string) (Secret, error) {
	digits, err := compact(text)
	if err != nil {
		return Secret{}, err
	}
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil {
		return Secret{}, fmt.Errorf("%w: not hexadecimal", ErrSecret)
	}
	return NewSecret(raw)
}

// IsZero reports whether s is the zero Secret, which is no secret.
func (s Secret) IsZero() bool { return s.raw.IsZero() }

// Equal reports whether both are the same secret. The time it takes depends on
// their sizes only, not on their contents. A zero Secret equals nothing, not
// even another one.
func (s Secret) Equal(o Secret) bool {
	if s.IsZero() || o.IsZero() {
		return false
	}
	return subtle.ConstantTimeCompare(s.bytes(), o.bytes()) == 1
}

// Reveal returns a copy of the bytes of the secret, or nil for the zero Secret.
func (s Secret) Reveal() []byte {
	if s.IsZero() {
		return nil
	}
	return bytes.Clone(s.bytes())
}

// Base32 returns the secret in upper-case base32 without padding, which is what
// authenticators expect and [ParseSecret] reads, or "" for the zero Secret.
func (s Secret) Base32() string {
	if s.IsZero() {
		return ""
	}
	return unpadded.EncodeToString(s.bytes())
}

// Grouped returns what [Secret.Base32] does in groups of four with a space
// between them, for users who have to type it.
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

func validSize(n int) error {
	switch {
	case n < MinSecretSize:
		return fmt.Errorf("%w: shorter than %d bytes", ErrSecret, MinSecretSize)
	case n > MaxSecretSize:
		return fmt.Errorf("%w: longer than %d bytes", ErrSecret, MaxSecretSize)
	}
	return nil
}

// compact returns the printable ASCII of text in upper case, without what may
// be ignored. It folds ASCII only: Unicode folds other letters into it, for
// example the Kelvin sign.
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
			return nil, fmt.Errorf("%w: the text has a character that is neither a digit nor a separator", ErrSecret)
		}
	}
	return out, nil
}
