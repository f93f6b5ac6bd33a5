package memory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestIndexAgainstSortedSlice holds the index against the plainest thing that
// does the same, through splits, emptied blocks and every position between.
func TestIndexAgainstSortedSlice(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var x index
	var want []string
	all := func() (keys []string) {
		for k := ""; ; k = keys[len(keys)-1] {
			more := x.after(k)
			if len(more) == 0 {
				return keys
			}
			keys = append(keys, more...)
		}
	}
	check := func(what string) {
		t.Helper()
		if got := all(); !slices.Equal(got, want) {
			t.Fatalf("%s: the index holds %d keys, want %d, or in another order", what, len(got), len(want))
		}
	}
	for range 4 * maxBlock {
		key := fmt.Sprintf("%06d", rng.IntN(100_000))
		x.insert(key)
		x.insert(key) // a set: the second changes nothing
		if i, found := slices.BinarySearch(want, key); !found {
			want = slices.Insert(want, i, key)
		}
	}
	check("after inserting")
	if len(x.blocks) < 4 {
		t.Fatalf("%d blocks: nothing was split", len(x.blocks))
	}
	for range 200 { // from keys that are in it, and from keys that are not
		key := fmt.Sprintf("%06d", rng.IntN(100_000))
		i, found := slices.BinarySearch(want, key)
		if found {
			i++
		}
		got := x.after(key)
		if len(got) > len(want)-i || !slices.Equal(got, want[i:i+len(got)]) || len(got) == 0 && i < len(want) {
			t.Fatalf("after(%s) does not go on at position %d", key, i)
		}
	}
	rng.Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
	gone := want[:len(want)-10]
	want = slices.Clone(want[len(want)-10:])
	slices.Sort(want)
	for _, key := range gone {
		x.remove(key)
		x.remove(key)
	}
	check("after removing")
	for _, key := range want {
		x.remove(key)
	}
	want = nil
	check("after removing all")
	if x.remove("absent"); len(x.blocks) != 0 {
		t.Fatalf("%d blocks left, want none", len(x.blocks))
	}
}

// TestIndexCopiesOut changes what after returned.
func TestIndexCopiesOut(t *testing.T) {
	t.Parallel()
	var x index
	x.insert("a")
	x.insert("b")
	x.after("")[0] = "z"
	if got := x.after(""); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("after = %v: the index gave its own slice away", got)
	}
}

// TestEraseLeavesNothing looks for what a store keeps of users it forgot.
func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	s := New()
	for i := range 2 * maxBlock {
		id := fmt.Sprint(i)
		if err := s.Save(t.Context(), store.Record{UserID: id, Version: 1, State: store.None}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 * maxBlock {
		if err := s.Erase(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	records := 0
	for i := range s.shards {
		records += len(s.shards[i].records)
	}
	if records != 0 || len(s.order.blocks) != 0 {
		t.Errorf("%d records and %d blocks of ids are left, want none", records, len(s.order.blocks))
	}
}
