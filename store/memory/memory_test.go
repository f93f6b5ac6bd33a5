package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

// TestTimesAsInADatabase sees that a host's tests on memory meet the same
// precision as its database later: microseconds, no location, no monotonic
// reading.
func TestTimesAsInADatabase(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	at := time.Now().In(time.FixedZone("", 3600))
	if err := s.Save(ctx, store.Record{UserID: "a", Version: 1, State: store.None, Due: at, Updated: at}, 0); err != nil {
		t.Fatal(err)
	}
	r, err := s.Load(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	want := time.UnixMicro(at.UnixMicro()).UTC()
	if r.Due != want || r.Updated != want {
		t.Errorf("Due, Updated = %v, %v, want exactly %v", r.Due, r.Updated, want)
	}
}

// endless is a context that ends after a number of looks at it.
type endless struct {
	context.Context
	left int
}

func (c *endless) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestListNoticesCancellation ends the context while a listing is on its way
// through many records that do not match.
func TestListNoticesCancellation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	for i := range 2000 {
		if err := s.Save(ctx, store.Record{UserID: fmt.Sprint(i), Version: 1, State: store.None}, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.List(&endless{Context: ctx, left: 3}, store.Query{States: []store.State{store.Confirmed}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("List = %v, want an error that matches context.Canceled", err)
	}
}

func BenchmarkSave(b *testing.B) {
	s := memory.New()
	ctx := b.Context()
	r := store.Record{UserID: "alice", Version: 1, State: store.Confirmed, Data: make([]byte, 600)}
	for prev := int64(0); b.Loop(); prev++ {
		r.Version = prev + 1
		if err := s.Save(ctx, r, prev); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkListAll walks all pages of a store of a hundred thousand records.
func BenchmarkListAll(b *testing.B) {
	s := memory.New()
	ctx := b.Context()
	for i := range 100_000 {
		if err := s.Save(ctx, store.Record{UserID: fmt.Sprint(i), Version: 1, State: store.None}, 0); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		for q := (store.Query{}); ; {
			page, err := s.List(ctx, q)
			if err != nil {
				b.Fatal(err)
			}
			n += len(page.Records)
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if n != 100_000 {
			b.Fatalf("%d records", n)
		}
	}
}
