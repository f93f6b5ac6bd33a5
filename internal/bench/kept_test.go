package bench

import (
	"context"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A counting store counts what is loaded.
type counting struct {
	store.Store
	loads int
}

func (c *counting) Load(ctx context.Context, userID string) (store.Record, error) {
	c.loads++
	return c.Store.Load(ctx, userID)
}

// Every second Load is answered from memory, with bytes of its own.
func TestKeeping(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	behind := &counting{Store: memory.New()}
	k := &keeping{Store: behind, kept: make(map[string]store.Record)}
	for _, id := range []string{"alice", "bob"} {
		if err := k.Save(ctx, store.Record{UserID: id, Version: 1, State: store.Confirmed, Data: []byte(id)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 4 {
		for _, id := range []string{"alice", "bob"} {
			r, err := k.Load(ctx, id)
			if err != nil || string(r.Data) != id {
				t.Errorf("Load %d of %s: %q, %v", n, id, r.Data, err)
			}
			clear(r.Data)
		}
		if want := 2 * (n/2 + 1); behind.loads != want {
			t.Errorf("after Load %d of both, %d were loaded, want %d", n, behind.loads, want)
		}
	}
	if _, err := k.Load(ctx, "carol"); err == nil {
		t.Error("carol was loaded")
	}
}
