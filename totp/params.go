package totp

import (
	"crypto/sha1" // #nosec G505 -- under HMAC only
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"
)

// Bounds of [Params].
const (
	// MinDigits is the minimum number of digits of a code (RFC 4226, section
	// 4, requirement R4).
	MinDigits = 6

	// MaxDigits is the maximum number of digits of a code, the largest that RFC
	// 4226, section 5.3, mentions.
	MaxDigits = 8

	// MinPeriod is the minimum length of a time step, which tokens of some systems have.
	// If a clock is wrong by more than one step, no code is right, so keep the default for
	// new ones.
	MinPeriod = 10 * time.Second

	// MaxPeriod is the maximum length of a time step. A code is accepted during
	// three steps.
	MaxPeriod = 120 * time.Second
)

const (
	defaultDigits = 6
	defaultPeriod = 30 * time.Second
)

// ErrParams says that a field of [Params] is out of bounds, or that an [Algorithm] or
// a [Window] is not a defined one.
var ErrParams = errors.New("totp: invalid parameters")

// Algorithm is the hash function of the HMAC (RFC 6238, section 1.2). The zero
// Algorithm is SHA1, which every authenticator supports.
type Algorithm uint8

// The algorithms of RFC 6238.
const (
	// SHA1 is HMAC-SHA-1, the default.
	SHA1 Algorithm = iota

	// SHA256 is HMAC-SHA-256. Few authenticators support it.
	SHA256

	// SHA512 is HMAC-SHA-512. Few authenticators support it.
	SHA512
)

var (
	algorithmNames  = [...]string{SHA1: "SHA1", SHA256: "SHA256", SHA512: "SHA512"}
	algorithmHashes = [...]func() hash.Hash{SHA1: sha1.New, SHA256: sha256.New, SHA512: sha512.New}
	algorithmSizes  = [...]int{SHA1: sha1.Size, SHA256: sha256.Size, SHA512: sha512.Size}
)

// Valid reports whether a is one of the defined algorithms.
func (a Algorithm) Valid() bool { return a <= SHA512 }

// String returns the name of the algorithm in an otpauth URI: "SHA1", "SHA256"
// or "SHA512". For an invalid algorithm it returns "Algorithm(n)".
func (a Algorithm) String() string {
	if !a.Valid() {
		return fmt.Sprintf("Algorithm(%d)", uint8(a))
	}
	return algorithmNames[a]
}

// ParseAlgorithm returns the algorithm with that name. It accepts the names of
// [Algorithm.String] in either case, with or without "HMAC" before them and
// hyphens between the parts: "SHA-256", "HmacSHA1", "HMAC-SHA-512". It returns
// [ErrParams] for any other text and does not quote it. It never returns SHA1
// for an unknown name, because codes would then never be right.
func ParseAlgorithm(name string) (Algorithm, error) {
	// Not EqualFold, which takes a long s (U+017F) for an S.
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "hmac"); ok {
		name = strings.TrimPrefix(rest, "-")
	}
	for a := SHA1; a.Valid(); a++ {
		plain := strings.ToLower(algorithmNames[a])
		if name == plain || name == "sha-"+plain[len("sha"):] {
			return a, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown algorithm", ErrParams)
}

// Params are the parameters that authenticator and verifier must agree on, in
// addition to the secret. The zero Params is supported by every authenticator:
// SHA-1, six digits, 30 seconds.
type Params struct {
	// Algorithm defaults to [SHA1].
	Algorithm Algorithm

	// Digits is the number of digits of a code, from [MinDigits] to
	// [MaxDigits]. Defaults to 6.
	Digits int

	// Period is the length of a time step, from [MinPeriod] to [MaxPeriod] in
	// whole seconds. Defaults to 30 seconds.
	Period time.Duration
}

// WithDefaults returns p with every zero field set to its default.
func (p Params) WithDefaults() Params {
	if p.Digits == 0 {
		p.Digits = defaultDigits
	}
	if p.Period == 0 {
		p.Period = defaultPeriod
	}
	return p
}

// Validate returns an error if a field is neither zero nor within its bounds.
// The errors match [ErrParams] and name the field.
func (p Params) Validate() error {
	p = p.WithDefaults()
	switch {
	case !p.Algorithm.Valid():
		return fmt.Errorf("%w: Algorithm is unknown", ErrParams)
	case p.Digits < MinDigits || p.Digits > MaxDigits:
		return fmt.Errorf("%w: Digits is outside %d..%d", ErrParams, MinDigits, MaxDigits)
	case p.Period < MinPeriod || p.Period > MaxPeriod:
		return fmt.Errorf("%w: Period is outside %v..%v", ErrParams, MinPeriod, MaxPeriod)
	case p.Period%time.Second != 0:
		return fmt.Errorf("%w: Period is not a whole number of seconds", ErrParams)
	}
	return nil
}
