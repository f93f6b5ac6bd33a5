package redisstore

import (
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// TestDoubtsAreBounded adds more doubts than are remembered. The latest, which the Guard
// looks for, is always among them.
func TestDoubtsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDoubts()
	for i := range maxDoubts + 500 {
		r := store.Record{UserID: fmt.Sprint("user-", i), Version: 1}
		d.add(r)
		if !d.about(r) {
			t.Fatalf("doubt %d was forgotten at once", i)
		}
		if other := (store.Record{UserID: r.UserID, Version: 2}); d.about(other) {
			t.Fatalf("another version is in doubt")
		}
	}
	if len(d.all) != maxDoubts {
		t.Errorf("%d doubts, want %d", len(d.all), maxDoubts)
	}
	for doubted := range d.all {
		d.settle(store.Record{UserID: doubted.userID, Version: doubted.version})
	}
	if len(d.all) != 0 {
		t.Errorf("%d doubts are left", len(d.all))
	}
}
