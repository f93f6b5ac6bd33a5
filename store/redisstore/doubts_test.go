package redisstore

import (
	"fmt"
	"testing"
)

// TestDoubtsAreBounded adds more doubts than are remembered. The oldest are forgotten, in
// their order, and no other.
func TestDoubtsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDoubts()
	write := func(i int) doubt { return doubt{fmt.Sprint("user-", i), 1} }
	for i := range maxDoubts - 1 {
		d.add(write(i))
	}
	d.add(write(0)) // the latest, again
	d.add(write(maxDoubts - 1))
	one := d.about(write(1))
	d.settle(one) // leaves room for one
	d.settle(one) // by another Load that has waited, too
	const more = 500
	for i := range more {
		d.add(write(maxDoubts + i))
		for j := range more + 2 {
			// 1 is settled, and 2 is the oldest.
			if want := j == 0 || j > 1+i; (d.about(write(j)) != nil) != want {
				t.Fatalf("%d more: doubt %d is remembered: %v, want %v", i+1, j, !want, want)
			}
		}
	}
	for i := more + 1; i < maxDoubts+more; i++ {
		if d.about(write(i)) == nil {
			t.Fatalf("doubt %d was forgotten", i)
		}
	}
	if len(d.at) != maxDoubts || d.order.Len() != maxDoubts {
		t.Errorf("%d doubts, and %d in order, want %d", len(d.at), d.order.Len(), maxDoubts)
	}
	if d.about(doubt{write(maxDoubts).userID, 2}) != nil {
		t.Error("another version is in doubt")
	}
	for _, at := range d.at {
		d.settle(at)
	}
	if len(d.at) != 0 || d.order.Len() != 0 {
		t.Errorf("%d doubts, and %d in order, are left", len(d.at), d.order.Len())
	}
}

// TestNewerDoubtStays erases a record, creates it and erases it once more, while a Load
// waits for the replicas to have the first erasure. The second one stays in doubt.
func TestNewerDoubtStays(t *testing.T) {
	t.Parallel()
	d, erased := newDoubts(), doubt{"alice", 0}
	before, first := d.add(erased)
	if _, again := d.add(erased); first || !again {
		t.Error("the second one is not known to be in doubt again")
	}
	if d.settle(before); d.about(erased) == nil {
		t.Error("the newer doubt was settled with the older one")
	}
}
