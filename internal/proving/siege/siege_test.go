package siege

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A forgetful store goes back, when it dies, to what it was some writes ago.
type forgetful struct {
	proving.Full
	mu  sync.Mutex
	log []store.Record // what each write has replaced
}

func (f *forgetful) Save(ctx context.Context, r store.Record, prev int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, err := f.Full.Load(ctx, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := f.Full.Save(ctx, r, prev); err != nil {
		return err
	}
	old.UserID = r.UserID
	f.log = append(f.log, old)
	return nil
}

// die takes the latest writes back.
func (f *forgetful) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx := context.Background()
	for range min(20, len(f.log)) {
		old := f.log[len(f.log)-1]
		f.log = f.log[:len(f.log)-1]
		now, err := f.Full.Load(ctx, old.UserID)
		if err == nil && old.Version != 0 {
			err = f.Full.Save(ctx, old, now.Version)
		} else if err == nil {
			err = f.Full.Erase(ctx, old.UserID)
		}
		if err != nil {
			panic(err)
		}
	}
}

// TestSiegeCatchesForgetfulStore holds the siege against a store that loses writes
// which it has acknowledged, and against one that loses nothing.
func TestSiegeCatchesForgetfulStore(t *testing.T) {
	t.Parallel()
	if wrong := newSiege(t, proving.Memory(t).(proving.Full), nil).besiege(t, 60); len(wrong) > 0 {
		t.Errorf("a store that loses nothing:\n%s", strings.Join(wrong, "\n"))
	}
	f := &forgetful{Full: proving.Memory(t).(proving.Full)}
	if wrong := newSiege(t, f, f.die).besiege(t, 8); len(wrong) == 0 {
		t.Error("a store that loses writes was not caught")
	} else {
		t.Logf("caught by:\n%s", strings.Join(wrong, "\n"))
	}
}
