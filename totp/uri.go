package totp

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
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

// ParseURI returns the key and the label of an otpauth URI, for example of one
// that another system exported. It ignores white space around the URI.
//
// ParseURI is strict: a parameter that it ignored or guessed could give a key
// whose codes are never right, or one that other parsers read differently. It
// returns [ErrURI]
//
//   - for more than [MaxURI] bytes, a scheme other than otpauth, a type other
//     than totp, a fragment, invalid percent-encoding, or a semicolon in the
//     query;
//   - for a missing or invalid secret; the error also matches [ErrSecret];
//   - for an unknown algorithm, or digits or a period outside the bounds of
//     [Params]; the error also matches [ErrParams];
//   - for a label that [Label.Validate] refuses, or an issuer in the label that
//     differs from the parameter; the error also matches [ErrLabel];
//   - for the parameter encoder, with which some services ask for codes that
//     are not decimal;
//   - for any of these parameters given twice.
//
// Missing parameters have their defaults. Unknown parameters are ignored. The
// names of parameters are read in either case. A plus sign in the query is a
// space, as in HTML forms; in the label it is a plus sign. A URI without an
// issuer is accepted. Its Label has no Issuer, and [Key.URI] refuses it until
// one is set.
//
// The errors never quote the URI.
func ParseURI(uri string) (Key, Label, error) {
	if len(uri) > MaxURI {
		return Key{}, Label{}, fmt.Errorf("%w: longer than %d bytes", ErrURI, MaxURI)
	}
	const scheme = "otpauth://"
	uri = strings.TrimSpace(uri)
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return Key{}, Label{}, fmt.Errorf("%w: the scheme is not otpauth", ErrURI)
	}
	if strings.Contains(uri, "#") {
		return Key{}, Label{}, fmt.Errorf("%w: it has a fragment", ErrURI)
	}
	path, query, _ := strings.Cut(uri[len(scheme):], "?")
	kind, path, _ := strings.Cut(path, "/")
	switch {
	case strings.EqualFold(kind, "totp"):
	case strings.EqualFold(kind, "hotp"):
		return Key{}, Label{}, fmt.Errorf("%w: its type is hotp; only totp is supported", ErrURI)
	default:
		return Key{}, Label{}, fmt.Errorf("%w: its type is not totp", ErrURI)
	}

	given, err := parseQuery(query)
	if err != nil {
		return Key{}, Label{}, err
	}
	label, err := parseLabel(path, given)
	if err != nil {
		return Key{}, Label{}, err
	}
	key, err := parseKey(given)
	if err != nil {
		return Key{}, Label{}, err
	}
	return key, label, nil
}

// Parameters of the query that ParseURI knows.
const (
	paramSecret    = "secret"
	paramIssuer    = "issuer"
	paramAlgorithm = "algorithm"
	paramDigits    = "digits"
	paramPeriod    = "period"
	paramImage     = "image"
	paramEncoder   = "encoder"
)

// parseQuery returns the known parameters of the query. Unlike net/url, it
// refuses a parameter that is given twice.
func parseQuery(query string) (map[string]string, error) {
	if strings.Contains(query, ";") {
		return nil, fmt.Errorf("%w: its query has a semicolon", ErrURI)
	}
	given := make(map[string]string)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%w: the name of a parameter has invalid percent-encoding", ErrURI)
		}
		name = strings.ToLower(name)
		switch name {
		case paramSecret, paramIssuer, paramAlgorithm, paramDigits, paramPeriod, paramImage, paramEncoder:
		default:
			continue
		}
		if _, twice := given[name]; twice {
			return nil, fmt.Errorf("%w: it has the parameter %s twice", ErrURI, name)
		}
		if given[name], err = url.QueryUnescape(value); err != nil {
			return nil, fmt.Errorf("%w: the parameter %s has invalid percent-encoding", ErrURI, name)
		}
	}
	return given, nil
}

func parseLabel(path string, given map[string]string) (Label, error) {
	path, err := url.PathUnescape(path)
	if err != nil {
		return Label{}, fmt.Errorf("%w: its label has invalid percent-encoding", ErrURI)
	}
	label := Label{Issuer: given[paramIssuer], Account: path, Image: given[paramImage]}
	if prefix, account, ok := strings.Cut(path, ":"); ok {
		// The format allows spaces between the colon and the account.
		label.Account = strings.TrimLeft(account, " ")
		if label.Issuer == "" {
			label.Issuer = prefix
		} else if prefix != "" && prefix != label.Issuer {
			return Label{}, fmt.Errorf("%w: %w: the issuer of the label and the parameter issuer differ", ErrURI, ErrLabel)
		}
	}
	validate := label.Validate
	if label.Issuer == "" {
		validate = label.validateRest
	}
	if err := validate(); err != nil {
		return Label{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	return label, nil
}

func parseKey(given map[string]string) (Key, error) {
	text, ok := given[paramSecret]
	if !ok {
		return Key{}, fmt.Errorf("%w: %w: the secret is missing", ErrURI, ErrSecret)
	}
	secret, err := ParseSecret(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	var p Params
	if name, ok := given[paramAlgorithm]; ok {
		if p.Algorithm, err = ParseAlgorithm(name); err != nil {
			return Key{}, fmt.Errorf("%w: %w", ErrURI, err)
		}
	}
	if text, ok := given[paramDigits]; ok {
		if p.Digits, ok = parseCount(text); !ok {
			return Key{}, fmt.Errorf("%w: %w: digits is not a number from 1 to 999", ErrURI, ErrParams)
		}
	}
	if text, ok := given[paramPeriod]; ok {
		seconds, ok := parseCount(text)
		if !ok {
			return Key{}, fmt.Errorf("%w: %w: period is not a number from 1 to 999", ErrURI, ErrParams)
		}
		p.Period = time.Duration(seconds) * time.Second
	}
	if given[paramEncoder] != "" {
		return Key{}, fmt.Errorf("%w: it has the parameter encoder", ErrURI)
	}
	key, err := NewKey(secret, p)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	return key, nil
}

// parseCount reads a positive number of at most three ASCII digits. It refuses
// zero, which would mean the default in [Params].
func parseCount(text string) (int, bool) {
	if len(text) == 0 || len(text) > 3 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n > 0
}
