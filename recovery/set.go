package recovery

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
	"unique"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// Errors of [Set.Spend].
var (
	// ErrWrong says that the set does not have the code.
	ErrWrong = errors.New("recovery: wrong code")

	// ErrSpent says that the set has the code, but the code was used before. It also
	// matches ErrWrong. Tell only the owner of the account about it.
	ErrSpent = fmt.Errorf("%w: already used", ErrWrong)
)

// ErrUnspent says that [Set.Replace] was called for a code that is still unused,
// or that the set does not have.
var ErrUnspent = errors.New("recovery: not a used code")

// Bounds of the time at which a code was used, in Unix seconds. 0 means unused,
// and times after the year 9999 do not fit RFC 3339.
const (
	minSpent = 1
	maxSpent = 253402300799
)

// A Set is what an application stores of an account's recovery codes: a [Derivation],
// and for each code its digest and the time at which it was used. The zero Set has no
// codes and accepts none.
//
// A Set is a value: Spend and Replace on one copy do not change other copies. So
// a code can be spent once in each copy; see the documentation of the package.
// Different copies can be used concurrently. A variable must not be read while it
// is changed.
//
// A Set prints and logs as "[redacted]" and can't be encoded. Store the result
// of [Set.AppendBinary].
type Set struct {
	redacted

	// Never changed in place, only replaced by a changed copy.
	inner redact.Value[set]
}

// A set has the bytes of its salt, and no Derivation: to make the handle of one takes
// longer than to decode the rest, and is needed only to derive.
type set struct {
	costs
	salt    [saltLen]byte
	entries []entry
}

type entry struct {
	sum   [sumLen]byte
	spent int64 // Unix seconds, or 0
}

func newSet(d Derivation, entries []entry) Set {
	s := set{costs: d.costs, entries: entries}
	copy(s.salt[:], d.salt.Value())
	return Set{inner: redact.Of(s)}
}

// entries returns the entries, which must not be changed.
func (s Set) entries() []entry {
	if s.IsZero() {
		return nil
	}
	return s.inner.Get().entries
}

// IsZero reports whether s is the zero Set.
func (s Set) IsZero() bool { return s.inner.IsZero() }

// Derivation returns the Derivation of the set, with which to derive a code
// before Spend. For the zero Set it returns the zero Derivation.
func (s Set) Derivation() Derivation {
	if s.IsZero() {
		return Derivation{}
	}
	inner := s.inner.Get()
	return Derivation{costs: inner.costs, salt: unique.Make(string(inner.salt[:]))}
}

// Len returns the number of codes in the set, including used ones.
func (s Set) Len() int { return len(s.entries()) }

// Remaining returns the number of unused codes.
func (s Set) Remaining() int {
	n := 0
	for _, e := range s.entries() {
		if e.spent == 0 {
			n++
		}
	}
	return n
}

// SpentAt returns the time at which code i was used, to the second and in UTC,
// or the zero time if the code is unused. Codes are numbered from 0 in the order
// in which they were generated. Panics if i is not from 0 to Len-1.
func (s Set) SpentAt(i int) time.Time {
	if e := s.entries()[i]; e.spent != 0 {
		return time.Unix(e.spent, 0).UTC()
	}
	return time.Time{}
}

// Spend marks the code with this digest as used at the given time, and returns
// its number in the set. The time is stored to the second. Spend stores nothing:
// the caller must store the set before it lets the user in.
//
// It returns -1 and [ErrWrong] if the set does not have the code, and the number
// and [ErrSpent] if the code was used before. In both cases it does not change
// the set. It compares the digest with every code of the set in constant time,
// so its duration does not depend on which code matches.
//
// If the time is before 1970 or after the year 9999, Spend still marks the code
// as used, at the nearest time that can be stored.
func (s *Set) Spend(d Digest, at time.Time) (i int, err error) {
	if d.IsZero() {
		return -1, ErrWrong
	}
	i = s.find(d)
	switch {
	case i < 0:
		return -1, ErrWrong
	case s.entries()[i].spent != 0:
		return i, ErrSpent
	}
	s.put(i, entry{s.entries()[i].sum, min(max(at.Unix(), minSpent), maxSpent)})
	return i, nil
}

// Replace puts the digest of a new code (see [NewCode]) in the place of code i,
// which must be used. The owner then has as many unused codes as before, and the
// other codes stay valid. Replace stores nothing: the caller must store the set,
// in the same write as the Spend or a later one, before it shows the new code.
//
// The digest must be derived with the [Derivation] of this set. Replace can't
// check that. A code whose digest was derived with another Derivation never
// works. If you load the set again after deriving, compare the Derivations.
//
// The set forgets the old code. Spend then returns [ErrWrong] for it, and no
// longer [ErrSpent].
//
// Replace returns [ErrUnspent] if i is not from 0 to Len-1 or code i is unused,
// [ErrMalformed] for the zero Digest, and [ErrDuplicate] if the set already has
// the digest, even as that of code i: a used code never becomes valid again. On
// error it does not change the set.
func (s *Set) Replace(i int, d Digest) error {
	switch {
	case i < 0 || i >= s.Len() || s.entries()[i].spent == 0:
		return ErrUnspent
	case d.IsZero():
		return ErrMalformed
	case s.find(d) >= 0:
		return ErrDuplicate
	}
	s.put(i, entry{sum: *d.sum.Get()})
	return nil
}

// find returns the number of the code with this digest, which must not be zero,
// or -1. It compares every entry in constant time.
func (s Set) find(d Digest) int {
	found := -1
	for i, e := range s.entries() {
		equal := subtle.ConstantTimeCompare(e.sum[:], d.sum.Get()[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	return found
}

// put replaces entry i of s by e. It does not change copies of s.
func (s *Set) put(i int, e entry) {
	changed := *s.inner.Get()
	changed.entries = slices.Clone(changed.entries)
	changed.entries[i] = e
	s.inner = redact.Of(changed)
}
