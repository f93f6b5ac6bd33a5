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
//
// A label from [ParseURI] or [FromOTP] is text of another system. It is valid
// UTF-8 on one line, without white space at either end, so it can be shown or
// logged; escape it in HTML. But [Label.Validate] can refuse it: Issuer or Account
// can be empty, have colons, or be too long. To write a URI, call [Label.Fit] and
// fill in what is empty.
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
// They must also have a character that can be seen.
//
// The errors match [ErrLabel]. They name the field and do not quote its value.
func (l Label) Validate() error {
	if err := validName("Issuer", l.Issuer, MaxIssuer); err != nil {
		return err
	}
	if err := validName("Account", l.Account, MaxAccount); err != nil {
		return err
	}
	return validImage(l.Image)
}

// Fit returns the label with the texts changed as little as [Label.Validate]
// needs. It is for texts that someone else chose, such as login names. Fit returns
// a valid label unchanged. In the others
//
//   - a colon becomes U+2236, which looks the same and separates nothing;
//   - a control character, or a line or paragraph separator, becomes a space;
//   - an invalid byte of UTF-8 becomes U+FFFD, the replacement character;
//   - white space at either end is removed;
//   - a text that is too long is cut at its end, between two characters;
//   - a text without a character that can be seen becomes empty;
//   - an image that Validate refuses is dropped.
//
// So Validate accepts the result if Issuer and Account are not empty. Two labels
// can become the same.
func (l Label) Fit() Label {
	const ratio = '\u2236'
	l.Issuer = tidy(l.Issuer, ratio, MaxIssuer)
	l.Account = tidy(l.Account, ratio, MaxAccount)
	if validImage(l.Image) != nil {
		l.Image = ""
	}
	return l
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
		case breaksLine(r):
			return fmt.Errorf("%w: %s has a control character or a line break", ErrLabel, field)
		}
	}
	if !strings.ContainsFunc(name, visible) {
		return fmt.Errorf("%w: %s has no character that can be seen", ErrLabel, field)
	}
	return nil
}

// tidy returns the text on one line, in at most so many bytes, without white space
// at either end, or "" if nothing in it can be seen. Colons become the given rune.
func tidy(text string, colon rune, most int) string {
	var b strings.Builder
	for _, r := range text { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == ':':
			r = colon
		case breaksLine(r):
			r = ' '
		}
		if b.Len() == 0 && unicode.IsSpace(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		b.WriteRune(r)
	}
	text = strings.TrimRightFunc(b.String(), unicode.IsSpace)
	if !strings.ContainsFunc(text, visible) {
		return ""
	}
	return text
}

// breaksLine reports whether r does not belong into one line of text.
func breaksLine(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// visible reports whether r leaves a mark on a screen: it is a letter, digit, mark,
// symbol or punctuation, but none of those that are blank.
func visible(r rune) bool {
	const blankBraille = '\u2800'
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != blankBraille &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
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
