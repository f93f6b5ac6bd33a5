package proving_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A remote has a server: a goroutine outside of every bubble.
type remote struct {
	proving.Full
	requests chan chan<- struct{}
	waits    chan struct{} // gets a value when a Load begins to wait for its context; may be nil
}

func dial(t *testing.T) *remote {
	r := &remote{Full: memory.New(), requests: make(chan chan<- struct{})}
	t.Cleanup(func() { close(r.requests) })
	go func() {
		for reply := range r.requests {
			reply <- struct{}{}
		}
	}()
	return r
}

func (r *remote) Load(ctx context.Context, user string) (store.Record, error) {
	reply := make(chan struct{}, 1)
	r.requests <- reply
	<-reply
	if r.waits != nil {
		r.waits <- struct{}{}
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return store.Record{}, err
	}
	return r.Full.Load(ctx, user)
}

// A store that stays outside of a bubble keeps the contract from inside, contexts end for
// it as they do for its caller, and the clock of the bubble stands still meanwhile.
func TestInBubble(t *testing.T) {
	t.Parallel()
	r := dial(t)
	waits := make(chan struct{})
	proving.InBubble(t, func(*testing.T) store.Store { return r }, func(t *testing.T, open proving.Open) {
		s := open(t)
		rec := store.Record{UserID: "alice", Version: 1, State: store.None}
		if err := s.Save(t.Context(), rec, 0); err != nil {
			t.Error(err)
		}
		before := time.Now()
		var all sync.WaitGroup
		for range 9 {
			all.Go(func() {
				if got, err := s.Load(t.Context(), "alice"); err != nil || got.Version != 1 {
					t.Errorf("Load = version %d, %v", got.Version, err)
				}
			})
		}
		synctest.Wait()
		all.Wait()
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
			if _, err := s.Load(ctx, "alice"); !errors.Is(err, want) {
				t.Errorf("Load after the end of its context = %v, want %v", err, want)
			}
		}
		r.waits = waits
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Load(ctx, "alice")
			ended <- err
		}()
		<-waits
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Load while its context ends = %v", err)
		}
		r.waits = nil
		if !time.Now().Equal(before) {
			t.Error("the clock went on")
		}
		open(t)
		if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load from a store that was emptied = %v", err)
		}
	})
}

// A store is used again, and empty, when the test before is over.
func TestEmptied(t *testing.T) {
	t.Parallel()
	opened := 0
	open := proving.Emptied(t, func(t *testing.T) store.Store { opened++; return proving.Memory(t) })
	for range 3 {
		t.Run("", func(t *testing.T) {
			a, b := open(t), open(t)
			for _, s := range []store.Store{a, b} {
				for _, id := range []string{"alice", "bob"} {
					if err := s.Save(t.Context(), store.Record{UserID: id, Version: 1, State: store.None}, 0); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	if opened != 2 {
		t.Errorf("%d stores were opened, want 2", opened)
	}
}
