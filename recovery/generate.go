package recovery

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// The number of codes of a new set. Each code opens the account, and takes one
// derivation to make.
const (
	// DefaultCount is the number of codes that [Generate] makes by default.
	DefaultCount = 10

	// MinCount is the minimum number of codes that Generate makes.
	MinCount = 4

	// MaxCount is the maximum number of codes that Generate makes, and that a
	// [Set] or [Codes] can hold.
	MaxCount = 32
)

// Errors of making codes. Their cause is the program or its configuration, not
// the user.
var (
	// ErrCount says that a number of codes is outside [MinCount] to [MaxCount],
	// or that there are no codes.
	ErrCount = errors.New("recovery: number of codes out of bounds")

	// ErrScheme says that a [Scheme] is unknown.
	ErrScheme = errors.New("recovery: unknown scheme")

	// ErrDuplicate says that the same code occurs twice. Two random codes are
	// never equal by chance: either the caller passed one twice, or the source
	// of randomness is broken. Do not try again.
	ErrDuplicate = errors.New("recovery: the same code twice")
)

// NewCode returns one new code of the scheme. It is for an application that replaces
// each used code; see [Set.Replace]. If random is nil, NewCode uses [rand.Reader].
//
// It returns [ErrScheme] for an unknown scheme, and the wrapped error of random,
// which may be [io.ErrUnexpectedEOF], if random returns too few bytes. On error
// the Code is zero.
func NewCode(random io.Reader, s Scheme) (Code, error) {
	if !s.Valid() {
		return Code{}, ErrScheme
	}
	buf := make([]byte, s.packed())
	if err := draw(random, buf); err != nil {
		return Code{}, err
	}
	symbols, _ := s.unpack(buf) // drops the remaining bits
	return newCode(symbols), nil
}

// Generate returns n different new codes of the scheme. If n is 0, it makes
// [DefaultCount] codes. If random is nil, it uses [rand.Reader]. Each symbol takes
// five random bits, so all codes are equally likely.
//
// It returns [ErrCount] if n is neither 0 nor from [MinCount] to [MaxCount],
// [ErrScheme] for an unknown scheme, and the wrapped error of random, which may
// be [io.ErrUnexpectedEOF], if random returns too few bytes. If two codes are
// equal, random is broken, and Generate returns an error that matches
// [ErrDuplicate]. On error the Codes are zero.
func Generate(random io.Reader, n int, s Scheme) (Codes, error) {
	if n == 0 {
		n = DefaultCount
	}
	if n < MinCount || n > MaxCount {
		return Codes{}, ErrCount
	}
	list := make([]Code, 0, n)
	for range n {
		code, err := NewCode(random, s)
		if err != nil {
			return Codes{}, err
		}
		if slices.ContainsFunc(list, code.equal) {
			return Codes{}, fmt.Errorf("%w: the source of randomness is broken", ErrDuplicate)
		}
		list = append(list, code)
	}
	return Codes{list: redact.Of(list)}, nil
}

// draw fills buf from random, or from [rand.Reader] if random is nil.
func draw(random io.Reader, buf []byte) error {
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, buf); err != nil {
		return fmt.Errorf("drawing random bytes: %w", err)
	}
	return nil
}
