package totp

import "github.com/pquerna/otp"

// MinShortSecretSize is the size of the smallest secret that [ShortSecrets] reads:
// 10 bytes. Secrets of that size are in wide use, for example in 16 symbols of base32.
const MinShortSecretSize = 10

// ShortSecrets reads secrets as the functions of this package do, and also those of
// 10 to 15 bytes, 80 to 127 bits. RFC 4226, section 4, requirement R6, forbids them.
// They are for moving users from a system that has made such secrets:
//
//	secret, err := totp.ShortSecrets{}.ParseSecret("GEZDGNBVGY3TQOJQ")
//
// No search finds a secret of 80 bits today. But it is below what the standard calls
// safe, so let users replace it soon. [Secret.Short] tells such a secret from others.
type ShortSecrets struct{}

// NewSecret is [NewSecret], also for [MinShortSecretSize] bytes or more.
func (ShortSecrets) NewSecret(raw []byte) (Secret, error) { return newSecret(raw, MinShortSecretSize) }

// ParseSecret is the function [ParseSecret], but accepts secrets of [MinShortSecretSize] bytes or more.
func (ShortSecrets) ParseSecret(text string) (Secret, error) {
	return parseSecret(text, MinShortSecretSize)
}

// ParseHexSecret is the function [ParseHexSecret], but accepts secrets of [MinShortSecretSize] bytes or
// more.
func (ShortSecrets) ParseHexSecret(text string) (Secret, error) {
	return parseHexSecret(text, MinShortSecretSize)
}

// ParseURI is the function [ParseURI], but accepts secrets of [MinShortSecretSize] bytes or more.
func (ShortSecrets) ParseURI(uri string) (Key, Label, error) {
	return parseURI(uri, MinShortSecretSize)
}

// FromOTP is the function [FromOTP], but accepts secrets of [MinShortSecretSize] bytes or more.
func (ShortSecrets) FromOTP(key *otp.Key) (Key, Label, error) {
	return fromOTP(key, MinShortSecretSize)
}

// Short reports whether the secret has fewer than [MinSecretSize] bytes. It is false
// for the zero Secret.
func (s Secret) Short() bool { return !s.IsZero() && len(s.bytes()) < MinSecretSize }
