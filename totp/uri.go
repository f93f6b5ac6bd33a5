package totp

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// MaxURI is the maximum length in bytes of an otpauth URI that [ParseURI] reads.
// The URIs that [Key.URI] returns are shorter.
const MaxURI = 4096

// ErrURI says that a text is not an otpauth URI that this package supports.
var ErrURI = errors.New("totp: invalid otpauth URI")

// URI returns the otpauth URI of the key in the [Key Uri Format], which
// authenticators read from a QR code or a link:
//
//	otpauth://totp/Acme:alice@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEH&issuer=Acme
//
// The issuer is both in the label and in a parameter, because some
// authenticators show one and some the other. The parameters algorithm, digits
// and period are left out if they have the default value, which is the same for
// all authenticators. The largest services send such URIs, so every
// authenticator is tested with them, and the QR code stays small. The parameter
// image is there if the label has an image. A space is written as %20, not as a
// plus sign.
//
// The URI contains the secret in clear. Show it only once and only to its
// owner. Keep it out of logs and referrers, and do not send it to a service that
// draws QR codes.
//
// It returns [ErrLabel] for a label that [Label.Validate] refuses, and
// [ErrSecret] for the zero Key.
//
// [Key Uri Format]: https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func (k Key) URI(l Label) (string, error) {
	if k.IsZero() {
		return "", errZeroKey
	}
	if err := l.Validate(); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("otpauth://totp/" + escape(l.Issuer) + ":" + escape(l.Account))
	b.WriteString("?secret=" + k.secret.Base32())
	b.WriteString("&issuer=" + escape(l.Issuer))
	if k.params.Algorithm != SHA1 {
		b.WriteString("&algorithm=" + k.params.Algorithm.String())
	}
	if k.params.Digits != defaultDigits {
		b.WriteString("&digits=" + strconv.Itoa(k.params.Digits))
	}
	if k.params.Period != defaultPeriod {
		b.WriteString("&period=" + strconv.FormatInt(k.period(), 10))
	}
	if l.Image != "" {
		b.WriteString("&image=" + escape(l.Image))
	}
	return b.String(), nil
}

// escape percent-encodes all but ASCII letters and digits and "-._~@". What
// remains means the same in the path and in the query.
func escape(text string) string { return formToURI.Replace(url.QueryEscape(text)) }

var formToURI = strings.NewReplacer("+", "%20", "%40", "@")
