package redisstore

import (
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestDoubtsAreBounded adds more doubts than are remembered. The oldest are forgotten, in
// their order, and no other.
func TestDoubtsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDoubts()
	write := func(i int) store.Record {
		return store.Record{UserID: fmt.Sprint("user-", i), Version: 1}
	}
	for i := range maxDoubts - 1 {
		d.add(write(i))
	}
	d.add(write(0)) // the latest, again
	d.add(write(maxDoubts - 1))
	d.settle(write(1)) // leaves room for one
	d.settle(write(1)) // as if it was never in doubt
	const more = 500
	for i := range more {
		d.add(write(maxDoubts + i))
		for j := range more + 2 {
			// 1 is settled, and 2 is the oldest.
			if want := j == 0 || j > 1+i; d.about(write(j)) != want {
				t.Fatalf("%d more: doubt %d is remembered: %v, want %v", i+1, j, !want, want)
			}
		}
	}
	for i := more + 1; i < maxDoubts+more; i++ {
		if !d.about(write(i)) {
			t.Fatalf("doubt %d was forgotten", i)
		}
	}
	if len(d.at) != maxDoubts || d.order.Len() != maxDoubts {
		t.Errorf("%d doubts, and %d in order, want %d", len(d.at), d.order.Len(), maxDoubts)
	}
	if other := (store.Record{UserID: write(0).UserID, Version: 2}); d.about(other) {
		t.Error("another version is in doubt")
	}
	for x := range d.at {
		d.settle(store.Record{UserID: x.userID, Version: x.version})
	}
	if len(d.at) != 0 || d.order.Len() != 0 {
		t.Errorf("%d doubts, and %d in order, are left", len(d.at), d.order.Len())
	}
}
