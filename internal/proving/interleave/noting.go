package interleave

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// put makes this record all that the store has of the user; nothing if it is zero.
func put(t *testing.T, s proving.Full, user string, rec store.Record) {
	t.Helper()
	if err := s.Erase(t.Context(), user); err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	if rec.Version == 0 {
		return
	}
	if err := s.Save(t.Context(), rec, 0); err != nil {
		t.Fatal(err)
	}
}

// A noting store notes whose records may have been written. It is called by one at a
// time.
type noting struct {
	proving.Full
	written map[string]bool
}

// Save is [store.Store].Save.
func (s *noting) Save(ctx context.Context, r store.Record, prev int64) error {
	s.written[r.UserID] = true
	return s.Full.Save(ctx, r, prev)
}

// Erase is [store.Eraser].Erase.
func (s *noting) Erase(ctx context.Context, user string) error {
	s.written[user] = true
	return s.Full.Erase(ctx, user)
}
