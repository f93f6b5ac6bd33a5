package totp

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ParseURI returns the key and the label of an otpauth URI, for example of one
// that another system exported. It ignores white space around the URI.
//
// ParseURI is strict about what decides a code: a parameter that it ignored or
// guessed could give a key whose codes are never right. It returns [ErrURI]
//
//   - for more than [MaxURI] bytes, a scheme other than otpauth, or a type other
//     than totp;
//   - for a missing or invalid secret; the error also matches [ErrSecret];
//   - for an unknown algorithm, or digits or a period outside the bounds of
//     [Params]; the error also matches [ErrParams];
//   - for the parameter encoder, with which some services ask for codes that
//     are not decimal, and for an epoch other than 0, with which counting begins
//     later than in 1970;
//   - for invalid percent-encoding in one of these parameters;
//   - for one of these parameters, or issuer, given twice with different values;
//   - for one of these parameters after a semicolon or in a fragment, where some
//     parsers read it and some don't.
//
// It is lenient about the rest. The Label holds the texts as authenticators show
// them, and can have fields that [Key.URI] refuses; see [Label]. The parameter
// issuer wins over the text before the colon in the label. An image that
// [Label.Validate] refuses is dropped. Missing parameters have their defaults.
// Unknown parameters are ignored. The names of parameters are read in either
// case. A plus sign in the query is a space, as in HTML forms; in the label it is
// a plus sign. A percent sign that encodes nothing stays a percent sign.
//
// The errors never quote the URI.
func ParseURI(uri string) (Key, Label, error) { return parseURI(uri, MinSecretSize) }

func parseURI(uri string, leastSecret int) (Key, Label, error) {
	if len(uri) > MaxURI {
		return Key{}, Label{}, fmt.Errorf("%w: longer than %d bytes", ErrURI, MaxURI)
	}
	const scheme = "otpauth://"
	uri = strings.TrimSpace(uri)
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return Key{}, Label{}, fmt.Errorf("%w: the scheme is not otpauth", ErrURI)
	}
	uri, fragment, _ := strings.Cut(uri[len(scheme):], "#")
	if hidesParameter(fragment) {
		return Key{}, Label{}, fmt.Errorf("%w: its fragment has a parameter", ErrURI)
	}
	path, query, _ := strings.Cut(uri, "?")
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
	key, err := parseKey(given, leastSecret)
	if err != nil {
		return Key{}, Label{}, err
	}
	return key, readLabel(path, given), nil
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
	paramEpoch     = "epoch"
)

// decides reports whether the parameter has an effect on codes.
func decides(name string) bool {
	switch name {
	case paramSecret, paramAlgorithm, paramDigits, paramPeriod, paramEncoder, paramEpoch:
		return true
	}
	return false
}

// hidesParameter reports whether a parameter that decides codes is in a text that
// is part of the query for some parsers only.
func hidesParameter(text string) bool {
	separator := func(r rune) bool { return strings.ContainsRune("&;?#", r) }
	for pair := range strings.FieldsFuncSeq(text, separator) {
		name, _, _ := strings.Cut(pair, "=")
		if decides(strings.ToLower(unescape(name, true))) {
			return true
		}
	}
	return false
}

// parseQuery returns the known parameters of the query. Unlike net/url, it
// refuses a parameter with two values.
func parseQuery(query string) (map[string]string, error) {
	given := make(map[string]string)
	for pair := range strings.SplitSeq(query, "&") {
		if _, rest, _ := strings.Cut(pair, ";"); hidesParameter(rest) {
			return nil, fmt.Errorf("%w: it has a parameter after a semicolon", ErrURI)
		}
		name, text, _ := strings.Cut(pair, "=")
		name = strings.ToLower(unescape(name, true))
		if !decides(name) && name != paramIssuer && name != paramImage {
			continue
		}
		value := unescape(text, true)
		if decides(name) {
			if _, err := url.QueryUnescape(text); err != nil {
				return nil, fmt.Errorf("%w: the parameter %s has invalid percent-encoding", ErrURI, name)
			}
		}
		if other, twice := given[name]; twice && other != value {
			if name != paramImage {
				return nil, fmt.Errorf("%w: it has the parameter %s twice", ErrURI, name)
			}
			value = "" // no image rather than one of two
		}
		given[name] = value
	}
	return given, nil
}

// unescape decodes percent-encoding, and plus signs in a query. Unlike net/url,
// it keeps a percent sign that encodes nothing.
func unescape(text string, query bool) string {
	if query {
		text = strings.ReplaceAll(text, "+", " ")
	}
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, "%")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		text = after
		if len(after) >= 2 {
			if c, err := strconv.ParseUint(after[:2], 16, 8); err == nil {
				b.WriteByte(byte(c))
				text = after[2:]
				continue
			}
		}
		b.WriteByte('%')
	}
}

// readLabel returns the label as authenticators show it.
func readLabel(path string, given map[string]string) Label {
	const bound = 3 * MaxURI // a byte can become U+FFFD
	issuer := given[paramIssuer]
	prefix, account := cutLabel(unescape(path, false), issuer)
	label := Label{Issuer: tidy(issuer, ':', bound), Account: tidy(account, ':', bound), Image: given[paramImage]}
	if label.Issuer == "" {
		label.Issuer = tidy(prefix, ':', bound)
	}
	if validImage(label.Image) != nil {
		label.Image = ""
	}
	return label
}

// cutLabel splits a label at the colon behind the issuer, which can have colons
// itself, or else at the first colon.
func cutLabel(label, issuer string) (prefix, account string) {
	spaces := strings.NewReplacer("+", " ") // some encode the label as they do the query
	if issuer != "" && strings.HasPrefix(spaces.Replace(label), spaces.Replace(issuer)+":") {
		return label[:len(issuer)], label[len(issuer)+1:]
	}
	prefix, account, ok := strings.Cut(label, ":")
	if !ok {
		return "", label
	}
	return prefix, account
}

func parseKey(given map[string]string, leastSecret int) (Key, error) {
	text, ok := given[paramSecret]
	if !ok {
		return Key{}, fmt.Errorf("%w: %w: the secret is missing", ErrURI, ErrSecret)
	}
	secret, err := parseSecret(text, leastSecret)
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
	if strings.Trim(given[paramEpoch], "0") != "" {
		return Key{}, fmt.Errorf("%w: its epoch is not 0", ErrURI)
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
