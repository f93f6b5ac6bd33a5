package recovery

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/internal/hidden"
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
	// a [Set] can hold.
	MaxCount = 32
)

// Errors of asking for codes. They are a programmer's or a configuration's,
// not a user's.
var (
	// ErrCount says that a number of codes is out of bounds: outside
	// [MinCount] to [MaxCount], or none where there have to be some.
	ErrCount = errors.New("recovery: number of codes out of bounds")

	// ErrScheme says that a [Scheme] is none of the defined ones.
	ErrScheme = errors.New("recovery: no such scheme")
)

// Codes are freshly generated recovery codes, in the order in which they are
// shown. The zero Codes has none.
//
// They are secrets: printing shows how many there are, and encoding them as
// JSON or XML fails, because a placeholder that reaches the user in place of
// the codes would be found out when it is too late. Codes is immutable and
// safe for concurrent use.
type Codes struct {
	list hidden.Value[[]Code]
}

// Generate draws n different codes of the scheme from random, which defaults
// to [rand.Reader] if nil; n defaults to [DefaultCount] if 0. Every symbol
// takes its own five bits, so each code is equally likely.
//
// It returns [ErrCount] if n is neither 0 nor in [MinCount] to [MaxCount],
// [ErrScheme] for a scheme that does not exist, and the error of random, which
// may be [io.ErrUnexpectedEOF], if it does not yield enough bytes. If random
// repeats itself, so that two codes come out equal, it is broken, and Generate
// returns an error rather than draw again. On error there are no codes.
func Generate(random io.Reader, n int, s Scheme) (Codes, error) {
	if n == 0 {
		n = DefaultCount
	}
	if n < MinCount || n > MaxCount {
		return Codes{}, ErrCount
	}
	if !s.Valid() {
		return Codes{}, ErrScheme
	}

	// 16 symbols are exactly 10 bytes; 26 are 16.25, so 17 are drawn and the
	// last 6 bits of them dropped.
	buf := make([]byte, (s.symbols()*5+7)/8)
	seen := make(map[string]bool, n)
	list := make([]Code, n)
	for i := range list {
		if err := draw(random, buf); err != nil {
			return Codes{}, err
		}
		symbols := crockford.EncodeToString(buf)[:s.symbols()]
		if seen[symbols] {
			return Codes{}, errors.New("generating recovery codes: the source of randomness repeats itself")
		}
		seen[symbols] = true
		list[i] = newCode(symbols)
	}
	return Codes{hidden.Of(list)}, nil
}

// crockford writes five bits to a symbol, most significant first.
var crockford = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

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

// codes returns the codes, not to be changed.
func (c Codes) codes() []Code {
	if c.list.IsZero() {
		return nil
	}
	return *c.list.Get()
}

// Len returns the number of codes.
func (c Codes) Len() int {
	return len(c.codes())
}

// Scheme returns the scheme of the codes, which is one for all of them. For
// the zero Codes it is [Argon2id].
func (c Codes) Scheme() Scheme {
	if c.Len() == 0 {
		return Argon2id
	}
	return c.codes()[0].Scheme()
}

// All returns an iterator over the codes, in order.
func (c Codes) All() iter.Seq[Code] {
	return slices.Values(c.codes())
}

// Reveal returns the codes in clear, in order and as [Code.Reveal] writes
// them, in a fresh slice. It is what to show to their owner, once; whoever
// else reads it can sign in as them.
func (c Codes) Reveal() []string {
	texts := make([]string, 0, c.Len())
	for code := range c.All() {
		texts = append(texts, code.Reveal())
	}
	return texts
}
