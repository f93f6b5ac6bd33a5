package recovery

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/hidden"
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
// A Set behaves like a number: a copy is a copy, and Spend on one leaves every
// other as it was. That also means that spending in two copies of a set uses a
// code twice; see the package comment. Different copies may be used
// concurrently; one variable must not be read while Spend changes it.
//
// It holds the digests of secrets: printing shows how many codes are left, and
// encoding it as JSON or XML fails, because that would lose it. Store what
// [Set.AppendBinary] returns.
type Set struct {
	// Never changed once it is here: Spend puts a changed copy in its place.
	inner hidden.Value[set]
}

type set struct {
	derivation Derivation
	entries    []entry
}

type entry struct {
	sum   [sumLen]byte
	spent int64 // Unix seconds, or 0
}

func newSet(d Derivation, entries []entry) Set { return Set{hidden.Of(set{d, entries})} }

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
	found, i := 0, -1
	for k, e := range s.entries() {
		equal := subtle.ConstantTimeCompare(e.sum[:], d.sum.Get()[:])
		i = subtle.ConstantTimeSelect(equal, k, i)
		found |= equal
	}
	switch {
	case found == 0:
		return -1, ErrWrong
	case s.entries()[i].spent != 0:
		return i, ErrSpent
	}
	entries := slices.Clone(s.entries())
	entries[i].spent = min(max(at.Unix(), minSpent), maxSpent)
	*s = newSet(s.Derivation(), entries)
	return i, nil
}
