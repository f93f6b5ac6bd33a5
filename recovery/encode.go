package recovery

import (
	"encoding"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// The format of a stored set, version 1. Numbers are big-endian.
//
//	version  1 byte   1
//	scheme   1 byte   0 Argon2id, 1 Fast
//	memory   4 bytes  KiB; 0 with Fast, like the next two
//	passes   1 byte
//	threads  1 byte
//	salt     16 bytes
//	count    1 byte   1 to MaxCount
//	entries  count × (digest 32 bytes, used at 8 bytes in Unix seconds or 0)
const (
	formatVersion = 1
	entryLen      = sumLen + 8
)

var _ encoding.BinaryAppender = Set{}

// AppendBinary appends the set to b in the format in which it is stored, and
// returns the extended slice. The format takes 25 bytes, and 40 for each code.
// [DecodeSet] reads it, in this and every later version of this package. For the
// zero Set, AppendBinary returns b and [ErrCount].
//
// The bytes contain no code, but everything that is needed to check one. Encrypt
// them before you store them. The method implements [encoding.BinaryAppender].
func (s Set) AppendBinary(b []byte) ([]byte, error) {
	if s.IsZero() {
		return b, ErrCount
	}
	inner := s.inner.Get()
	b = append(b, formatVersion, byte(inner.scheme))
	b = binary.BigEndian.AppendUint32(b, inner.memory)
	b = append(b, inner.passes, inner.threads)
	b = append(b, inner.salt[:]...)
	b = append(b, byte(len(inner.entries)))
	for _, e := range inner.entries {
		b = append(b, e.sum[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(e.spent))
	}
	return b, nil
}

// DecodeSet reads the bytes that [Set.AppendBinary] appended. It does not keep b.
// There is only one encoding of a set: AppendBinary of the result appends the
// same bytes again.
//
// For other bytes it returns the zero Set and an error that matches
// [ErrDamaged]: for an unknown version or scheme, missing or extra bytes, a
// count or a time out of bounds, the same digest twice, or costs of Argon2id
// outside 8 to 256 MiB, 1 to 10 passes and 1 to 4 lanes. It checks the costs and
// lengths before it allocates anything.
func DecodeSet(b []byte) (Set, error) {
	var (
		in             = cryptobyte.String(b)
		version, count uint8
		s              set
	)
	if !in.ReadUint8(&version) || version != formatVersion {
		return Set{}, fmt.Errorf("%w: unknown version", ErrDamaged)
	}
	if !in.ReadUint8((*uint8)(&s.scheme)) || !in.ReadUint32(&s.memory) ||
		!in.ReadUint8(&s.passes) || !in.ReadUint8(&s.threads) ||
		!in.CopyBytes(s.salt[:]) || !in.ReadUint8(&count) {
		return Set{}, fmt.Errorf("%w: too short", ErrDamaged)
	}
	if err := s.check(); err != nil {
		return Set{}, err
	}
	if count < 1 || count > MaxCount {
		return Set{}, fmt.Errorf("%w: count out of bounds", ErrDamaged)
	}
	if len(in) != int(count)*entryLen {
		return Set{}, fmt.Errorf("%w: wrong length", ErrDamaged)
	}

	s.entries = make([]entry, count)
	for i := range s.entries {
		var spent uint64
		if !in.CopyBytes(s.entries[i].sum[:]) || !in.ReadUint64(&spent) || spent > maxSpent {
			return Set{}, fmt.Errorf("%w: time out of bounds", ErrDamaged)
		}
		s.entries[i].spent = int64(spent)
		for _, earlier := range s.entries[:i] {
			// Constant time is not needed between digests of one set.
			if earlier.sum == s.entries[i].sum {
				return Set{}, fmt.Errorf("%w: the same digest twice", ErrDamaged)
			}
		}
	}
	return Set{inner: redact.Of(s)}, nil
}
