package recovery

import (
	"encoding"
	"encoding/base32"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// Codes are recovery codes of one scheme, no two of them equal, in the order in
// which they are shown. [Generate] makes fresh ones. The zero Codes has none.
//
// They are secrets: printing shows how many there are, and encoding them as
// JSON or XML fails, because a placeholder that reaches the user in place of
// the codes would be found out when it is too late. Codes is immutable and
// safe for concurrent use.
type Codes struct {
	redacted
	list redact.Value[[]Code]
}

// JoinCodes returns the codes as Codes, in the order given: those that a host
// kept, to be shown again, or the one of [NewCode], to be shown alone.
//
// It returns [ErrCount] if there are none or more than [MaxCount],
// [ErrMalformed] if one is the zero Code or of another scheme than the first,
// and [ErrDuplicate] if two are equal.
func JoinCodes(codes ...Code) (Codes, error) {
	if len(codes) < 1 || len(codes) > MaxCount {
		return Codes{}, ErrCount
	}
	for i, code := range codes {
		if code.IsZero() || code.Scheme() != codes[0].Scheme() {
			return Codes{}, ErrMalformed
		}
		if slices.ContainsFunc(codes[:i], code.equal) {
			return Codes{}, ErrDuplicate
		}
	}
	return Codes{list: redact.Of(slices.Clone(codes))}, nil
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

// Codes in clear, packed. What tells a later form of them apart is its first
// byte.
//
//	scheme  1 byte  0 Argon2id, 1 Fast
//	count   1 byte  1 to MaxCount
//	codes   count × (five bits for every symbol, most significant first:
//	        10 bytes with Argon2id, 17 with Fast, where the last 6 bits are 0)
var _ encoding.BinaryAppender = Codes{}

// AppendBinary appends the codes to b in clear, packed, and returns the extended
// slice: 2 bytes, and for every code 10 of [Argon2id] or 17 of [Fast].
// [DecodeCodes] reads them back, in this and every later version of the
// package. It returns b as it was and [ErrCount] for the zero Codes.
//
// WARNING: whoever reads these bytes can sign in as the owner of the codes.
// They are for one purpose, to be handed to a cipher that seals them, by a host
// that has to be able to show codes a second time; never store, send or log
// them as they are. To check codes nothing of this is needed: what is stored
// for that is a [Set]. The method implements [encoding.BinaryAppender].
func (c Codes) AppendBinary(b []byte) ([]byte, error) {
	if c.Len() == 0 {
		return b, ErrCount
	}
	b = append(b, byte(c.Scheme()), byte(c.Len()))
	for code := range c.All() {
		b = code.appendPacked(b)
	}
	return b, nil
}

// DecodeCodes reads codes that [Codes.AppendBinary] packed, and keeps nothing
// of b. Bytes and codes correspond one to one: appending the result gives b
// again.
//
// It returns the zero Codes and an error that matches [ErrDamaged] for anything
// else: an unknown scheme, a count outside 1 to [MaxCount], bytes missing or
// left over, padding that is not zero, the same code twice. It checks lengths
// before it allocates anything.
func DecodeCodes(b []byte) (Codes, error) {
	var (
		in            = cryptobyte.String(b)
		scheme, count uint8
	)
	if !in.ReadUint8(&scheme) || !in.ReadUint8(&count) {
		return Codes{}, fmt.Errorf("%w: cut short", ErrDamaged)
	}
	s := Scheme(scheme)
	if !s.Valid() {
		return Codes{}, fmt.Errorf("%w: unknown scheme", ErrDamaged)
	}
	if count < 1 || count > MaxCount {
		return Codes{}, fmt.Errorf("%w: count out of bounds", ErrDamaged)
	}
	if len(in) != int(count)*s.packed() {
		return Codes{}, fmt.Errorf("%w: wrong length", ErrDamaged)
	}

	list := make([]Code, 0, count)
	for packed := range slices.Chunk(in, s.packed()) {
		symbols, clean := s.unpack(packed)
		if !clean {
			return Codes{}, fmt.Errorf("%w: padding that is not zero", ErrDamaged)
		}
		code := newCode(symbols)
		if slices.ContainsFunc(list, code.equal) {
			return Codes{}, fmt.Errorf("%w: a code twice", ErrDamaged)
		}
		list = append(list, code)
	}
	return Codes{list: redact.Of(list)}, nil
}

// crockford writes five bits to a symbol, most significant first.
var crockford = base32.NewEncoding(typed.Alphabet).WithPadding(base32.NoPadding)

// packed returns the length of a packed code in bytes. 16 symbols are exactly
// 10 bytes; 26 are 16.25, so 17 are taken.
func (s Scheme) packed() int { return (s.symbols()*5 + 7) / 8 }

// unpack returns the symbols that s.packed() bytes hold, and whether the bits
// left over are all zero.
func (s Scheme) unpack(b []byte) (symbols string, clean bool) {
	text := crockford.EncodeToString(b)
	rest := text[s.symbols():]
	return text[:s.symbols()], strings.Trim(rest, "0") == ""
}

// appendPacked appends the packed code, which must not be zero, to b.
func (c Code) appendPacked(b []byte) []byte {
	s := c.Scheme()
	symbols := *c.symbols.Get()
	zeros := strings.Repeat("0", crockford.EncodedLen(s.packed())-s.symbols())
	b, _ = crockford.AppendDecode(b, []byte(symbols+zeros)) // all of the alphabet
	return b
}
