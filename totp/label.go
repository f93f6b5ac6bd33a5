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
	// MaxIssuer is the maximum length of an issuer.
	MaxIssuer = 64

	// MaxAccount is the maximum length of an account.
	MaxAccount = 255

	// MaxImage is the maximum length of the URL of an image.
	MaxImage = 512
)

// ErrLabel says that a field of a [Label] is invalid.
var ErrLabel = errors.New("totp: invalid label")

// A Label is the text that an authenticator shows with the code. It holds no
// secret and has no effect on codes.
type Label struct {
	// Issuer is the name of the service, for example "Acme": 1 to [MaxIssuer]
	// bytes.
	Issuer string

	// Account is the name of the user's account, for example an e-mail address:
	// 1 to [MaxAccount] bytes.
	Account string

	// Image is the https URL of a logo, at most [MaxImage] bytes, or empty.
	// Few authenticators use it. Those that do fetch the URL, so its server
	// learns the user's IP address. This library never fetches it.
	Image string
}

// Validate returns an error if an authenticator would show a field differently
// or not at all. Issuer and Account must be valid UTF-8 within their bounds,
// without
//
//   - colons, which separate the two fields, and at which authenticators split
//     even if they are escaped;
//   - control characters, and line and paragraph separators;
//   - white space at either end, which authenticators remove.
//
// The errors match [ErrLabel]. They name the field and do not quote its value.
func (l Label) Validate() error {
	if err := validName("Issuer", l.Issuer, MaxIssuer); err != nil {
		return err
	}
	return l.validateRest()
}

// validateRest validates all fields but the issuer, which is missing in some
// URIs of other systems.
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
	// The error of net/url is dropped: it quotes the URL, which may contain a
	// token.
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("%w: Image is not an https URL without user information", ErrLabel)
	}
	return nil
}
