package recovery

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// How many codes a fresh set may have. Each one is a further key to the
// account, and each takes one derivation to make.
const (
	// DefaultCount is the number of codes that [Generate] makes when asked for
	// 0 of them.
	DefaultCount = 10

	// MinCount is the smallest number of codes that can be asked for.
	MinCount = 4

	// MaxCount is the largest number of codes that can be asked for, and that
	// a [Set] or [Codes] can hold.
	MaxCount = 32
)

// Errors of asking for codes, and of putting them together. They are a
// programmer's or a configuration's, not a user's.
var (
	// ErrCount says that a number of codes is out of bounds: outside
	// [MinCount] to [MaxCount], or none where there have to be some.
	ErrCount = errors.New("recovery: number of codes out of bounds")

	// ErrScheme says that a [Scheme] is none of the defined ones.
	ErrScheme = errors.New("recovery: no such scheme")

	// ErrDuplicate says that a code is among the others already. Two codes that
	// were drawn are never equal by chance: one was passed twice, or the source
	// of randomness is broken. Drawing again is no remedy.
	ErrDuplicate = errors.New("recovery: the same code twice")
)

// NewCode draws one code of the scheme from random, which defaults to
// [rand.Reader] if nil, as [Generate] draws several: for a host that puts a
// fresh code into the place of each one that is used, see [Set.Replace].
//
// It returns [ErrScheme] for a scheme that does not exist, and the error of
// random, which may be [io.ErrUnexpectedEOF], if it does not yield enough
// bytes. On error the Code is zero.
func NewCode(random io.Reader, s Scheme) (Code, error) {
	if !s.Valid() {
		return Code{}, ErrScheme
	}
	buf := make([]byte, s.packed())
	if err := draw(random, buf); err != nil {
		return Code{}, err
	}
	symbols, _ := s.unpack(buf) // the bits left over are dropped
	return newCode(symbols), nil
}

// Generate draws n different codes of the scheme from random, which defaults
// to [rand.Reader] if nil; n defaults to [DefaultCount] if 0. Every symbol
// takes its own five bits, so each code is equally likely.
//
// It returns [ErrCount] if n is neither 0 nor in [MinCount] to [MaxCount],
// [ErrScheme] for a scheme that does not exist, and the error of random, which
// may be [io.ErrUnexpectedEOF], if it does not yield enough bytes. If random
// repeats itself, so that two codes come out equal, it is broken, and Generate
// returns an error that matches [ErrDuplicate] rather than draw again. On error
// there are no codes.
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
			return Codes{}, fmt.Errorf("%w: the source of randomness repeats itself", ErrDuplicate)
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
		return fmt.Errorf("reading randomness: %w", err)
	}
	return nil
}
