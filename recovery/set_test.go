package recovery_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newSet returns a set with the fast scheme and the digests of its codes.
func newSet(tb testing.TB, n int) (recovery.Set, []recovery.Digest) {
	tb.Helper()
	codes := generate(tb, 9, n, recovery.Fast)
	d := derivation(tb, 9, recovery.Fast)
	set, err := d.DeriveAll(tb.Context(), codes)
	if err != nil {
		tb.Fatal(err)
	}
	var digests []recovery.Digest
	for code := range codes.All() {
		digest, err := d.Derive(code)
		if err != nil {
			tb.Fatal(err)
		}
		digests = append(digests, digest)
	}
	return set, digests
}

// foreign returns the digest of a code that is in no set of [newSet].
func foreign(tb testing.TB) recovery.Digest {
	tb.Helper()
	digest, err := derivation(tb, 9, recovery.Fast).Derive(parse(tb, fastText))
	if err != nil {
		tb.Fatal(err)
	}
	return digest
}

func TestCase18_ACodeIsConsumed(t *testing.T) {
	t.Parallel()
	for _, n := range []int{recovery.MinCount, recovery.DefaultCount, recovery.MaxCount} {
		set, digests := newSet(t, n)
		for i, digest := range digests {
			at := noon.Add(time.Duration(i) * time.Hour)
			if got, err := set.Spend(digest, at); got != i || err != nil {
				t.Fatalf("first use of code %d: %d, %v", i, got, err)
			}
			if set.Remaining() != n-i-1 || set.Len() != n {
				t.Errorf("after %d of %d: %d left, %d in all", i+1, n, set.Remaining(), set.Len())
			}
			before := encode(t, set)
			got, err := set.Spend(digest, at.Add(time.Minute))
			if !errors.Is(err, recovery.ErrSpent) || !errors.Is(err, recovery.ErrWrong) || got != i {
				t.Errorf("second use of code %d: %d, %v", i, got, err)
			}
			if !set.SpentAt(i).Equal(at) || !bytes.Equal(before, encode(t, set)) {
				t.Errorf("the second use of code %d changed the set", i)
			}
		}
	}
}

func TestSpendWrong(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 10)
	if _, err := set.Spend(digests[4], noon); err != nil {
		t.Fatal(err)
	}
	before := encode(t, set)
	for _, tt := range []struct {
		name   string
		digest recovery.Digest
	}{
		{"of another code", foreign(t)},
		{"zero", recovery.Digest{}},
	} {
		i, err := set.Spend(tt.digest, noon)
		if !errors.Is(err, recovery.ErrWrong) || errors.Is(err, recovery.ErrSpent) || i != -1 {
			t.Errorf("digest %s: %d, %v; want -1, ErrWrong", tt.name, i, err)
		}
		if !bytes.Equal(before, encode(t, set)) {
			t.Errorf("digest %s changed the set", tt.name)
		}
	}
}

// A record full of zeros must not be what the zero Digest opens.
func TestZeroDigestMatchesNothing(t *testing.T) {
	t.Parallel()
	set, err := recovery.DecodeSet(stored(1, 1, 0, 0, 0, [16]byte{}, [][32]byte{{}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Spend(recovery.Digest{}, noon); !errors.Is(err, recovery.ErrWrong) {
		t.Errorf("error %v, want ErrWrong", err)
	}
	if set.Remaining() != 1 {
		t.Error("an entry was used up")
	}
}

func TestZeroSet(t *testing.T) {
	t.Parallel()
	var set recovery.Set
	if !set.IsZero() || set.Len() != 0 || set.Remaining() != 0 || !set.Derivation().IsZero() || set.Derivation().Slow() {
		t.Errorf("zero Set: %v", set)
	}
	if set.Derivation().Scheme() != recovery.Argon2id {
		t.Errorf("scheme %v of the zero Derivation", set.Derivation().Scheme())
	}
	if _, err := set.Spend(foreign(t), noon); !errors.Is(err, recovery.ErrWrong) || !set.IsZero() {
		t.Errorf("Spend on the zero Set: %v", err)
	}
}

func TestACopyIsACopy(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 10)
	before := encode(t, set)
	kept := set
	pointed := &set
	if _, err := pointed.Spend(digests[3], noon); err != nil {
		t.Fatal(err)
	}
	if kept.Remaining() != 10 || !kept.SpentAt(3).IsZero() || !bytes.Equal(before, encode(t, kept)) {
		t.Error("spending in one set changed its copy")
	}
	if _, err := kept.Spend(digests[5], noon); err != nil {
		t.Fatal(err)
	}
	if set.Remaining() != 9 || !set.SpentAt(5).IsZero() {
		t.Error("spending in the copy changed the set")
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 3, 9} {
		set, digests := newSet(t, 10)
		fresh := foreign(t)
		if _, err := set.Spend(digests[at], noon); err != nil {
			t.Fatal(err)
		}
		if _, err := set.Spend(digests[5], noon); err != nil {
			t.Fatal(err)
		}
		spent := set
		before := encode(t, spent)
		if err := set.Replace(at, fresh); err != nil {
			t.Fatalf("place %d: %v", at, err)
		}

		// Nothing but this entry has changed, and no copy.
		if set.Len() != 10 || set.Remaining() != 9 || !set.SpentAt(at).IsZero() || set.Derivation() != spent.Derivation() {
			t.Errorf("place %d: %v, used at %v", at, set, set.SpentAt(at))
		}
		after := encode(t, set)
		entry := after[25+40*at:][:40]
		if bytes.Equal(entry, before[25+40*at:][:40]) || !bytes.Equal(entry[32:], make([]byte, 8)) {
			t.Errorf("place %d: stored as %x", at, entry)
		}
		copy(entry, before[25+40*at:])
		if !bytes.Equal(after, before) {
			t.Errorf("place %d: another entry has changed", at)
		}
		if !bytes.Equal(encode(t, spent), before) || !spent.SpentAt(at).Equal(noon) {
			t.Errorf("place %d: replacing in the set changed its copy", at)
		}

		// The fresh code works once, through storage; the old one never again.
		set, err := recovery.DecodeSet(encode(t, set))
		if err != nil {
			t.Fatal(err)
		}
		if i, err := set.Spend(digests[at], noon); i != -1 || !errors.Is(err, recovery.ErrWrong) || errors.Is(err, recovery.ErrSpent) {
			t.Errorf("place %d, the old code: %d, %v; want -1, ErrWrong", at, i, err)
		}
		if i, err := set.Spend(fresh, noon); i != at || err != nil {
			t.Errorf("place %d, the fresh code: %d, %v", at, i, err)
		}
		if i, err := set.Spend(fresh, noon); i != at || !errors.Is(err, recovery.ErrSpent) {
			t.Errorf("place %d, the fresh code again: %d, %v; want ErrSpent", at, i, err)
		}
	}
}

func TestReplaceRefuses(t *testing.T) {
	t.Parallel()
	whole, digests := newSet(t, 10)
	for _, i := range []int{0, 4, 9} {
		if _, err := whole.Spend(digests[i], noon); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		i      int
		digest recovery.Digest
		want   error
	}{
		{"a code that is still good", 3, foreign(t), recovery.ErrUnspent},
		{"what Spend returns for a wrong code", -1, foreign(t), recovery.ErrUnspent},
		{"one place beyond the last", 10, foreign(t), recovery.ErrUnspent},
		{"far beyond the last", math.MaxInt, foreign(t), recovery.ErrUnspent},
		{"the zero Digest", 4, recovery.Digest{}, recovery.ErrMalformed},
		{"the digest of the place itself", 4, digests[4], recovery.ErrDuplicate},
		{"the digest of a good code", 4, digests[5], recovery.ErrDuplicate},
		{"the digest of another used code", 4, digests[9], recovery.ErrDuplicate},
		{"the digest of the first", 9, digests[0], recovery.ErrDuplicate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set := whole
			if err := set.Replace(tt.i, tt.digest); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if !bytes.Equal(encode(t, set), encode(t, whole)) {
				t.Error("the set has changed")
			}
		})
	}
	var zero recovery.Set
	if err := zero.Replace(0, foreign(t)); !errors.Is(err, recovery.ErrUnspent) || !zero.IsZero() {
		t.Errorf("Replace on the zero Set: %v", err)
	}
}

// A set that is replenished after every use never runs out.
func TestReplenish(t *testing.T) {
	t.Parallel()
	set, digests := newSet(t, 4)
	random := stream(77)
	for range 50 {
		for i := range digests {
			place, err := set.Spend(digests[i], noon)
			if place != i || err != nil {
				t.Fatalf("code %d: %d, %v", i, place, err)
			}
			code, err := recovery.NewCode(random, set.Derivation().Scheme())
			if err != nil {
				t.Fatal(err)
			}
			if digests[i], err = set.Derivation().Derive(code); err != nil {
				t.Fatal(err)
			}
			if err := set.Replace(place, digests[i]); err != nil {
				t.Fatal(err)
			}
			if set.Remaining() != 4 {
				t.Fatalf("%d codes left", set.Remaining())
			}
		}
	}
}

func TestSpentAt(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 9*3600)
	tests := []struct {
		name     string
		at, want time.Time
	}{
		{"to the second", noon.Add(999 * time.Millisecond), noon},
		{"in UTC", noon.In(east), noon},
		{"the epoch would read as unused", time.Unix(0, 0), time.Unix(1, 0)},
		{"the zero time", time.Time{}, time.Unix(1, 0)},
		{"before 1970", time.Unix(-1e9, 0), time.Unix(1, 0)},
		{"the last second of the year 9999", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"the year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"the end of time", time.Unix(1<<62, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, digests := newSet(t, 4)
			if !set.SpentAt(2).IsZero() {
				t.Errorf("an unused code was used at %v", set.SpentAt(2))
			}
			if _, err := set.Spend(digests[2], tt.at); err != nil {
				t.Fatal(err)
			}
			got := set.SpentAt(2)
			if !got.Equal(tt.want) || got.Location() != time.UTC {
				t.Errorf("used at %v, want %v", got, tt.want)
			}
			if _, err := set.Spend(digests[2], tt.at); !errors.Is(err, recovery.ErrSpent) {
				t.Errorf("second use: %v", err)
			}
			again, err := recovery.DecodeSet(encode(t, set))
			if err != nil || !again.SpentAt(2).Equal(got) {
				t.Errorf("decoded: %v, %v", again, err)
			}
		})
	}
}

func TestSpentAtPanicsOutOfBounds(t *testing.T) {
	t.Parallel()
	set, _ := newSet(t, 4)
	for _, i := range []int{-1, 4} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("SpentAt(%d) of 4 did not panic", i)
				}
			}()
			set.SpentAt(i)
		}()
	}
}

// Stopping at the first match would make a code at the front several times
// quicker to check than one at the back. It compares the shortest of many
// measurements, which load on the machine does not move, and gives a busy one
// several tries.
func TestSpendTakesAsLongWhereverTheCodeIs(t *testing.T) {
	set, digests := newSet(t, recovery.MaxCount)
	for _, i := range []int{0, recovery.MaxCount - 1} {
		if _, err := set.Spend(digests[i], noon); err != nil {
			t.Fatal(err)
		}
	}
	shortest := func(d recovery.Digest) time.Duration {
		best := time.Hour
		for range 100 {
			start := time.Now()
			for range 200 {
				set.Spend(d, noon) // used before: compares, and changes nothing
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	var ratio float64
	for range 5 {
		ratio = float64(shortest(digests[recovery.MaxCount-1])) / float64(shortest(digests[0]))
		if ratio < 1.5 && ratio > 1/1.5 {
			return
		}
	}
	t.Errorf("the last code takes %.2f times as long as the first", ratio)
}
