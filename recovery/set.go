package recovery

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// Answers of [Set.Spend] that refuse a code.
var (
	// ErrWrong says that the code is none of the set's.
	ErrWrong = errors.New("recovery: wrong code")

	// ErrSpent says that the code is one of the set's and has been used
	// before. It also matches ErrWrong. What a stranger may be told is
	// ErrWrong; that it was a real code is for the account's owner.
	ErrSpent = fmt.Errorf("%w: already used", ErrWrong)
)

// ErrUnspent says that [Set.Replace] was given a place where no used code is:
// the code there is still good, or the set has no such place.
var ErrUnspent = errors.New("recovery: no used code in this place")

// Times at which a code can have been used, in Unix seconds: 0 means unused,
// and beyond the year 9999 a time no longer fits RFC 3339.
const (
	minSpent = 1
	maxSpent = 253402300799
)

// Set is what is stored of an account's recovery codes: how their digests are
// made, and for each code its digest and when it was used. The zero Set has no
// codes and accepts none.
//
// A Set behaves like a number: a copy is a copy, and Spend or Replace on one
// leaves every other as it was. That also means that spending in two copies of
// a set uses a code twice; see the package comment. Different copies may be
// used concurrently; one variable must not be read while it is changed.
//
// It holds the digests of secrets: printing shows how many codes are left, and
// encoding it as JSON or XML fails, because that would lose it. Store what
// [Set.AppendBinary] returns.
type Set struct {
	redacted

	// Never changed once it is here: a changed copy is put in its place.
	inner redact.Value[set]
}

type set struct {
	derivation Derivation
	entries    []entry
}

type entry struct {
	sum   [sumLen]byte
	spent int64 // Unix seconds, or 0
}

func newSet(d Derivation, entries []entry) Set { return Set{inner: redact.Of(set{d, entries})} }

// entries returns the entries, not to be changed.
func (s Set) entries() []entry {
	if s.IsZero() {
		return nil
	}
	return s.inner.Get().entries
}

// IsZero reports whether s is the zero Set.
func (s Set) IsZero() bool { return s.inner.IsZero() }

// Derivation returns how the digests of the set are made: what to derive a
// typed code with before Spend. For the zero Set it is the zero Derivation.
func (s Set) Derivation() Derivation {
	if s.IsZero() {
		return Derivation{}
	}
	return s.inner.Get().derivation
}

// Len returns the number of codes in the set, used ones included.
func (s Set) Len() int { return len(s.entries()) }

// Remaining returns the number of codes that have not been used.
func (s Set) Remaining() int {
	n := 0
	for _, e := range s.entries() {
		if e.spent == 0 {
			n++
		}
	}
	return n
}

// SpentAt returns when code i was used, to the second and in UTC, or the zero
// time if it has not been. Codes count from 0 in the order in which they were
// generated. It panics if i is not in 0 to Len-1.
func (s Set) SpentAt(i int) time.Time {
	if e := s.entries()[i]; e.spent != 0 {
		return time.Unix(e.spent, 0).UTC()
	}
	return time.Time{}
}

// Spend marks the code of the digest as used at the given time, kept to the
// second, and returns its place in the set. Nothing is stored: the caller must
// store the set, and only then let anybody in.
//
// It returns -1 and [ErrWrong] if the set has no such code, or the place and
// [ErrSpent] if the code was used before; either leaves the set as it was. It
// compares the digest with every entry, each in constant time, so that how long
// it takes does not tell which one it was.
//
// A time before 1970 or after the year 9999 comes from a broken clock. The code
// is marked as used all the same, at the nearest time that can be stored.
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

// Replace puts the digest of a fresh code, see [NewCode], into place i, where a
// code was used: so the owner has as many codes as before, and the rest of the
// sheet stays good. Nothing is stored: the caller must store the set, in the
// same write as the Spend or in a later one, and only then show the fresh code.
//
// The digest must have been derived by the Derivation of this set, which Replace
// can't see; any other would let no code in. A host that loads the set again
// after deriving has to compare. When the old code was used is forgotten with
// it, and from then on it is refused with [ErrWrong] and not with [ErrSpent].
//
// It returns [ErrUnspent] if i is not in 0 to Len-1 or the code there has not
// been used, [ErrMalformed] for the zero Digest, and [ErrDuplicate] if the set
// has the digest already, be it in place i: a used code does not become good
// again. Each leaves the set as it was.
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

// find returns the place of the digest, which must not be zero, or -1. It looks
// at every entry, each in constant time.
func (s Set) find(d Digest) int {
	found := -1
	for i, e := range s.entries() {
		equal := subtle.ConstantTimeCompare(e.sum[:], d.sum.Get()[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	return found
}

// put makes s a set with e in place i, and leaves its copies as they are.
func (s *Set) put(i int, e entry) {
	entries := slices.Clone(s.entries())
	entries[i] = e
	*s = newSet(s.Derivation(), entries)
}
