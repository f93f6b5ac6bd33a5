package totp

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxURI is the length of the longest otpauth URI that [ParseURI] reads, in
// bytes. [Key.URI] stays below it.
const MaxURI = 4096

// ErrURI says that a text is not an otpauth URI of a TOTP key that this package
// supports.
var ErrURI = errors.New("totp: invalid otpauth URI")

// URI returns the otpauth URI of the key, which authenticators read from a QR
// code or a link, in the form of the [Key Uri Format]:
//
//	otpauth://totp/Acme:alice@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEH&issuer=Acme
//
// The issuer stands both in the label and as a parameter, because some
// authenticators show the one and some the other. The parameters algorithm,
// digits and period follow only where they differ from the default, which is
// the same for all authenticators: that is the URI the largest services send,
// so every authenticator is tested with it, and the QR code stays small. The
// parameter image follows if the label has one. A space is %20, never a plus
// sign.
//
// The URI holds the secret in clear. Show it once, to its owner; keep it out of
// logs, of referrers and of pictures that somebody else draws.
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

// escape returns text with everything percent-encoded but letters and digits of
// ASCII and "-._~@", which mean the same in the path and in the query.
func escape(text string) string { return formToURI.Replace(url.QueryEscape(text)) }

var formToURI = strings.NewReplacer("+", "%20", "%40", "@")

// ParseURI returns the key and the label of an otpauth URI, for example one
// exported by another system. White space around the URI is ignored.
//
// It is strict, since what is dropped or guessed here would be a key whose
// codes are never right, or one that another parser reads differently. It
// returns [ErrURI]
//
//   - for more than [MaxURI] bytes, another scheme, a type other than totp, a
//     fragment, a broken percent-encoding, or a semicolon in the query;
//   - for a missing or an invalid secret, which matches [ErrSecret] as well;
//   - for an algorithm, digits or period outside the bounds of [Params], which
//     matches [ErrParams] as well, and for an encoder, by which some services
//     ask for codes that are not decimal;
//   - for a label that [Label.Validate] refuses, which matches [ErrLabel] as
//     well, and for an issuer in the label that differs from the parameter;
//   - for any of these parameters given twice.
//
// Absent parameters have their defaults. Unknown parameters are ignored. The
// names of parameters are read in either case. A plus sign in the query is a
// space, as in HTML forms; in the label it is a plus sign. A URI without issuer
// is accepted and gives a Label without one, which must be filled in before
// [Key.URI] takes it.
//
// No error quotes the URI.
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

// Parameters of the query that mean something here.
const (
	paramSecret    = "secret"
	paramIssuer    = "issuer"
	paramAlgorithm = "algorithm"
	paramDigits    = "digits"
	paramPeriod    = "period"
	paramImage     = "image"
	paramEncoder   = "encoder"
)

// parseQuery returns the known parameters that were given. It is stricter than
// net/url, which keeps all values of a name for the caller to choose from.
func parseQuery(query string) (map[string]string, error) {
	if strings.Contains(query, ";") {
		return nil, fmt.Errorf("%w: its query has a semicolon", ErrURI)
	}
	given := make(map[string]string)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%w: the name of a parameter is not percent-encoded", ErrURI)
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
			return nil, fmt.Errorf("%w: the parameter %s is not percent-encoded", ErrURI, name)
		}
	}
	return given, nil
}

func parseLabel(path string, given map[string]string) (Label, error) {
	path, err := url.PathUnescape(path)
	if err != nil {
		return Label{}, fmt.Errorf("%w: its label is not percent-encoded", ErrURI)
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
		return Key{}, fmt.Errorf("%w: %w: it has none", ErrURI, ErrSecret)
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
			return Key{}, fmt.Errorf("%w: %w: digits is not a number in its bounds", ErrURI, ErrParams)
		}
	}
	if text, ok := given[paramPeriod]; ok {
		seconds, ok := parseCount(text)
		if !ok {
			return Key{}, fmt.Errorf("%w: %w: period is not a number in its bounds", ErrURI, ErrParams)
		}
		p.Period = time.Duration(seconds) * time.Second
	}
	if given[paramEncoder] != "" {
		return Key{}, fmt.Errorf("%w: it asks for codes that are not decimal", ErrURI)
	}
	key, err := NewKey(secret, p)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	return key, nil
}

// parseCount returns the positive number of at most three ASCII digits that
// text spells. Zero is refused, because in [Params] it would mean the default.
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
