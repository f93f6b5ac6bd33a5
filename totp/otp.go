package totp

import (
	"fmt"

	"github.com/pquerna/otp"
)

// FromOTP returns the key and the label of a key of github.com/pquerna/otp, for
// applications that already hold such keys. It reads the URI that the key was
// made from with [ParseURI], and is as strict: it returns [ErrURI] for what
// that package accepts and should not, such as an empty secret, zero digits or
// an unknown algorithm, and for a nil or zero otp.Key. The error does not quote
// the key.
func FromOTP(key *otp.Key) (Key, Label, error) {
	if key == nil {
		return Key{}, Label{}, fmt.Errorf("%w: the otp.Key is nil", ErrURI)
	}
	// Only String is safe: the other methods of a zero otp.Key panic.
	return ParseURI(key.String())
}

// OTP returns the key as one of github.com/pquerna/otp, which keeps the secret
// in clear and prints it. Its accessors give back the same issuer, account,
// secret, algorithm, digits and period. The errors are those of [Key.URI].
func (k Key) OTP(l Label) (*otp.Key, error) {
	uri, err := k.URI(l)
	if err != nil {
		return nil, err
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil { // not seen; its text would quote the URI
		return nil, fmt.Errorf("%w: pquerna/otp does not take it", ErrURI)
	}
	return key, nil
}
