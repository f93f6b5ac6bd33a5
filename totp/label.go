package totp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a [Label], in bytes.
const (
	// MaxIssuer is the length of the longest issuer.
	MaxIssuer = 64

	// MaxAccount is the length of the longest account.
	MaxAccount = 255

	// MaxImage is the length of the longest URL of an image.
	MaxImage = 512
)

// ErrLabel says that a field of a [Label] is outside its bounds.
var ErrLabel = errors.New("totp: invalid label")

// A Label is what an authenticator shows beside the code. It holds no secret
// and takes no part in making codes.
type Label struct {
	// Issuer is who asks for the code, such as "Acme": 1 to [MaxIssuer] bytes.
	Issuer string

	// Account is which account of theirs it is, such as an e-mail address: 1
	// to [MaxAccount] bytes.
	Account string

	// Image is the https URL of a logo, at most [MaxImage] bytes, or empty.
	// Few authenticators look at it; those that do fetch it, and so tell its
	// host the address of the user. This library never does.
	Image string
}

// Validate reports whether every field survives the way into an authenticator
// unchanged. Issuer and Account may hold any Unicode text except the colon,
// which separates the two and which authenticators split at even when it is
// escaped, control characters, line and paragraph separators, and white space
// at either end, which authenticators strip. They must be valid UTF-8 and
// within their bounds. Its errors match [ErrLabel] and name the field, not the
// value.
func (l Label) Validate() error {
	if err := validName("Issuer", l.Issuer, MaxIssuer); err != nil {
		return err
	}
	return l.validateRest()
}

// validateRest validates all but the issuer, which URIs from elsewhere may
// lack.
func (l Label) validateRest() error {
	if err := validName("Account", l.Account, MaxAccount); err != nil {
		return err
	}
	return validImage(l.Image)
}

func validName(field, name string, most int) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: %s is empty", ErrLabel, field)
	case len(name) > most:
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrLabel, field, most)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %s is not valid UTF-8", ErrLabel, field)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%w: %s begins or ends with white space", ErrLabel, field)
	}
	for _, r := range name {
		switch {
		case r == ':':
			return fmt.Errorf("%w: %s has a colon", ErrLabel, field)
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return fmt.Errorf("%w: %s has a control character or a line break", ErrLabel, field)
		}
	}
	return nil
}

func validImage(image string) error {
	if image == "" {
		return nil
	}
	if len(image) > MaxImage {
		return fmt.Errorf("%w: Image is longer than %d bytes", ErrLabel, MaxImage)
	}
	for i := range len(image) {
		if image[i] <= ' ' || image[i] > '~' {
			return fmt.Errorf("%w: Image is not printable ASCII", ErrLabel)
		}
	}
	// Errors of net/url quote the URL, and what passes for one here may be
	// somebody's token.
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("%w: Image is not an https URL without user information", ErrLabel)
	}
	return nil
}
