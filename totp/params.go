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
	// MinDigits is the fewest digits a code may have (RFC 4226, section 4,
	// requirement R4).
	MinDigits = 6

	// MaxDigits is the most digits a code may have. The truncated value of RFC
	// 4226 has 31 bits, so that a tenth digit would hardly vary.
	MaxDigits = 8

	// MinPeriod is the shortest time step.
	MinPeriod = 15 * time.Second

	// MaxPeriod is the longest time step. A code is accepted for three of
	// them.
	MaxPeriod = 120 * time.Second
)

const (
	defaultDigits = 6
	defaultPeriod = 30 * time.Second
)

// ErrParams says that a field of [Params], or an algorithm, is outside its
// bounds.
var ErrParams = errors.New("totp: invalid parameters")

// Algorithm is the hash function under the HMAC (RFC 6238, section 1.2). The
// zero Algorithm is SHA1, the one that every authenticator knows.
type Algorithm uint8

// The algorithms of RFC 6238.
const (
	// SHA1 is HMAC-SHA-1, the default.
	SHA1 Algorithm = iota

	// SHA256 is HMAC-SHA-256. Few authenticators honour it.
	SHA256

	// SHA512 is HMAC-SHA-512. Few authenticators honour it.
	SHA512
)

var (
	algorithmNames  = [...]string{SHA1: "SHA1", SHA256: "SHA256", SHA512: "SHA512"}
	algorithmHashes = [...]func() hash.Hash{SHA1: sha1.New, SHA256: sha256.New, SHA512: sha512.New}
)

// Valid reports whether a is one of the defined algorithms.
func (a Algorithm) Valid() bool { return a <= SHA512 }

// String returns the name that the otpauth URI has for the algorithm: "SHA1",
// "SHA256" or "SHA512"; for an invalid one, "Algorithm(n)".
func (a Algorithm) String() string {
	if !a.Valid() {
		return fmt.Sprintf("Algorithm(%d)", uint8(a))
	}
	return algorithmNames[a]
}

// ParseAlgorithm returns the algorithm of that name. It takes the names of
// [Algorithm.String] in either case, and with the hyphen of the standard that
// defines them ("SHA-256"). It returns [ErrParams] for any other text, which it
// does not quote; never the default, since taking an unknown name for SHA-1
// would make codes that are never right.
func ParseAlgorithm(name string) (Algorithm, error) {
	// Not EqualFold, which takes a long s (U+017F) for an S.
	name = strings.ToLower(name)
	for a := SHA1; a.Valid(); a++ {
		plain := strings.ToLower(algorithmNames[a])
		if name == plain || name == "sha-"+plain[len("sha"):] {
			return a, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown algorithm", ErrParams)
}

// Params are what authenticator and verifier have to agree on besides the
// secret. The zero Params is what all authenticators support: SHA-1, six
// digits, 30 seconds.
type Params struct {
	// Algorithm defaults to [SHA1].
	Algorithm Algorithm

	// Digits is the length of a code, from [MinDigits] to [MaxDigits].
	// Defaults to 6.
	Digits int

	// Period is the length of a time step, in whole seconds, from [MinPeriod]
	// to [MaxPeriod]. Defaults to 30 seconds.
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

// Validate reports whether every field is zero or within its bounds. Its
// errors match [ErrParams] and name the field.
func (p Params) Validate() error {
	p = p.WithDefaults()
	switch {
	case !p.Algorithm.Valid():
		return fmt.Errorf("%w: Algorithm is none of the defined ones", ErrParams)
	case p.Digits < MinDigits || p.Digits > MaxDigits:
		return fmt.Errorf("%w: Digits is outside %d..%d", ErrParams, MinDigits, MaxDigits)
	case p.Period < MinPeriod || p.Period > MaxPeriod:
		return fmt.Errorf("%w: Period is outside %v..%v", ErrParams, MinPeriod, MaxPeriod)
	case p.Period%time.Second != 0:
		return fmt.Errorf("%w: Period is not in whole seconds", ErrParams)
	}
	return nil
}
