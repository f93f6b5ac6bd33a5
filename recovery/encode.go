package recovery

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"unique"

	"golang.org/x/crypto/cryptobyte"
)

// A stored set, version 1. Numbers are big-endian.
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

// AppendBinary appends the set to b in the form in which it is stored, and
// returns the extended slice: 25 bytes, and 40 for every code. [DecodeSet]
// reads it back, in this and every later version of the package. It returns b
// as it was and [ErrCount] for the zero Set, which has nothing to store.
//
// The bytes hold no code, but all that checking one takes, so they are worth
// sealing. The method implements [encoding.BinaryAppender].
func (s Set) AppendBinary(b []byte) ([]byte, error) {
	if s.IsZero() {
		return b, ErrCount
	}
	d := s.Derivation()
	b = append(b, formatVersion, byte(d.scheme))
	b = binary.BigEndian.AppendUint32(b, d.memory)
	b = append(b, d.passes, d.threads)
	b = append(b, d.salt.Value()...)
	b = append(b, byte(s.Len()))
	for _, e := range s.entries() {
		b = append(b, e.sum[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(e.spent))
	}
	return b, nil
}

// DecodeSet reads a set that [Set.AppendBinary] wrote, and keeps nothing of b.
// Bytes and sets correspond one to one: appending the result gives b again.
//
// It returns the zero Set and an error that matches [ErrDamaged] for anything
// else: another version, bytes missing or left over, a count or a time out of
// bounds, the same digest twice, and Argon2id costs outside 8 to 256 MiB, 1 to
// 10 passes, 1 to 4 lanes. It checks them before it allocates or derives
// anything.
func DecodeSet(b []byte) (Set, error) {
	var (
		in             = cryptobyte.String(b)
		version, count uint8
		d              Derivation
		salt           []byte
	)
	if !in.ReadUint8(&version) || version != formatVersion {
		return Set{}, fmt.Errorf("%w: unknown version", ErrDamaged)
	}
	if !in.ReadUint8((*uint8)(&d.scheme)) || !in.ReadUint32(&d.memory) ||
		!in.ReadUint8(&d.passes) || !in.ReadUint8(&d.threads) ||
		!in.ReadBytes(&salt, saltLen) || !in.ReadUint8(&count) {
		return Set{}, fmt.Errorf("%w: cut short", ErrDamaged)
	}
	if err := d.check(); err != nil {
		return Set{}, err
	}
	if count < 1 || count > MaxCount {
		return Set{}, fmt.Errorf("%w: count out of bounds", ErrDamaged)
	}
	if len(in) != int(count)*entryLen {
		return Set{}, fmt.Errorf("%w: wrong length", ErrDamaged)
	}

	entries := make([]entry, count)
	for i := range entries {
		var spent uint64
		if !in.CopyBytes(entries[i].sum[:]) || !in.ReadUint64(&spent) || spent > maxSpent {
			return Set{}, fmt.Errorf("%w: time out of bounds", ErrDamaged)
		}
		entries[i].spent = int64(spent)
		for _, earlier := range entries[:i] {
			// Neither is a secret from the other, so plain equality will do.
			if earlier.sum == entries[i].sum {
				return Set{}, fmt.Errorf("%w: a digest twice", ErrDamaged)
			}
		}
	}
	d.salt = unique.Make(string(salt))
	return newSet(d, entries), nil
}
