package totp

import (
	"fmt"

	"github.com/pquerna/otp"
)

// FromOTP returns the key and the label of a key of github.com/pquerna/otp, for
// applications that already have such keys. It reads the URI of the otp.Key
// with [ParseURI], so it is as strict and as lenient. It returns [ErrURI] for keys that pquerna/otp
// accepts but should not, for example with an empty secret, zero digits or an
// unknown algorithm, and for a nil or zero otp.Key. The error does not quote the
// key.
func FromOTP(key *otp.Key) (Key, Label, error) { return fromOTP(key, MinSecretSize) }

func fromOTP(key *otp.Key, leastSecret int) (Key, Label, error) {
	if key == nil {
		return Key{}, Label{}, fmt.Errorf("%w: the otp.Key is nil", ErrURI)
	}
	// Other methods of a zero otp.Key panic.
	return parseURI(key.String(), leastSecret)
}

// OTP returns the key as a key of github.com/pquerna/otp, with the same issuer,
// account, secret, algorithm, digits and period. An otp.Key prints its secret in
// clear. The errors are those of [Key.URI].
func (k Key) OTP(l Label) (*otp.Key, error) {
	uri, err := k.URI(l)
	if err != nil {
		return nil, err
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil { // dropped: it could quote the URI
		return nil, fmt.Errorf("%w: pquerna/otp refuses it", ErrURI)
	}
	return key, nil
}
