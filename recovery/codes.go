package recovery

import (
	"encoding/base32"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// Codes are different recovery codes of one scheme, in the order in which they
// are shown. [Generate] makes new ones. The zero Codes is empty.
//
// Codes are secret: they print and log as "[redacted]" and can't be encoded.
// To send them to their owner, call [Codes.Reveal]. Codes are immutable and safe
// for concurrent use.
type Codes struct {
	redacted
	list redact.Value[[]Code]
}

// JoinCodes returns these codes as Codes, in this order. It is for an application that
// shows codes again, or shows the code of [NewCode].
//
// It returns [ErrCount] if there is no code or more than [MaxCount],
// [ErrMalformed] if a code is zero or has another scheme than the first, and
// [ErrDuplicate] if two codes are equal.
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

// codes returns the codes, which must not be changed.
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

// Scheme returns the scheme of all the codes. For the zero Codes it returns
// [Argon2id].
func (c Codes) Scheme() Scheme {
	if c.Len() == 0 {
		return Argon2id
	}
	return c.codes()[0].Scheme()
}

// All returns an iterator over the codes in order.
func (c Codes) All() iter.Seq[Code] {
	return slices.Values(c.codes())
}

// Reveal returns the codes in clear and in order, each as [Code.Reveal] returns
// it, in a new slice. Show them once and only to their owner. Anyone who reads
// them can sign in as the owner.
func (c Codes) Reveal() []string {
	texts := make([]string, 0, c.Len())
	for code := range c.All() {
		texts = append(texts, code.Reveal())
	}
	return texts
}

// AppendRevealed appends the codes to b in clear, in a packed format, and returns
// the extended slice. The format takes 2 bytes, and for each code 10 bytes with
// [Argon2id] or 17 with [Fast]. [DecodeCodes] reads it, in this and every later
// version of this package. For the zero Codes, AppendRevealed returns b and
// [ErrCount].
//
// WARNING: Anyone who reads these bytes can sign in as the owner of the codes. The
// method is only for applications that must be able to show codes again: encrypt the
// bytes at once. Never store, send or log them in clear. To check codes, store a [Set]
// instead.
func (c Codes) AppendRevealed(b []byte) ([]byte, error) {
	// The format of packed codes. A later format will have another first byte.
	//
	//	scheme  1 byte  0 Argon2id, 1 Fast
	//	count   1 byte  1 to MaxCount
	//	codes   count × (five bits for each symbol, most significant first:
	//	        10 bytes with Argon2id, 17 with Fast, where the last 6 bits are 0)
	if c.Len() == 0 {
		return b, ErrCount
	}
	b = append(b, byte(c.Scheme()), byte(c.Len()))
	for code := range c.All() {
		b = code.appendPacked(b)
	}
	return b, nil
}

// DecodeCodes reads the bytes that [Codes.AppendRevealed] appended. It does not
// keep b. There is only one encoding of given codes: AppendRevealed of the result
// appends the same bytes again.
//
// For other bytes it returns the zero Codes and an error that matches
// [ErrDamaged]: for an unknown scheme, a count outside 1 to [MaxCount], missing
// or extra bytes, padding that is not zero, or the same code twice. It checks
// lengths before it allocates anything.
func DecodeCodes(b []byte) (Codes, error) {
	var (
		in            = cryptobyte.String(b)
		scheme, count uint8
	)
	if !in.ReadUint8(&scheme) || !in.ReadUint8(&count) {
		return Codes{}, fmt.Errorf("%w: too short", ErrDamaged)
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
			return Codes{}, fmt.Errorf("%w: the padding is not zero", ErrDamaged)
		}
		code := newCode(symbols)
		if slices.ContainsFunc(list, code.equal) {
			return Codes{}, fmt.Errorf("%w: the same code twice", ErrDamaged)
		}
		list = append(list, code)
	}
	return Codes{list: redact.Of(list)}, nil
}

// crockford encodes five bits in each symbol, most significant first.
var crockford = base32.NewEncoding(typed.Alphabet).WithPadding(base32.NoPadding)

// packed returns the length of a packed code in bytes: 10 for 16 symbols, and 17
// for 26 symbols, which need 16.25.
func (s Scheme) packed() int { return (s.symbols()*5 + 7) / 8 }

// unpack returns the symbols of a code in b, which has s.packed() bytes, and
// whether the remaining bits are zero.
func (s Scheme) unpack(b []byte) (symbols string, clean bool) {
	text := crockford.EncodeToString(b)
	rest := text[s.symbols():]
	return text[:s.symbols()], strings.Trim(rest, "0") == ""
}

// appendPacked appends the code, which must not be zero, to b.
func (c Code) appendPacked(b []byte) []byte {
	s := c.Scheme()
	symbols := *c.symbols.Get()
	zeros := strings.Repeat("0", crockford.EncodedLen(s.packed())-s.symbols())
	b, _ = crockford.AppendDecode(b, []byte(symbols+zeros)) // symbols are of the alphabet
	return b
}
