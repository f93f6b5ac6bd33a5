package proving

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// InBubble runs f in a bubble of testing/synctest. The Open that f is given empties one
// store from open and returns it. That store stays outside of the bubble, and so do its
// connections: a bubble in which a client waits for its server never comes to rest, so
// that its clock would stand still. The clock also stands still during a call.
func InBubble(t *testing.T, open Open, f func(t *testing.T, open Open)) {
	t.Helper()
	s := &outside{behind: full(t, open(t)), lanes: make(chan lane, 4)}
	for range cap(s.lanes) {
		l := lane{make(chan func()), make(chan struct{})}
		defer close(l.calls)
		go func() {
			for call := range l.calls {
				call()
				l.done <- struct{}{}
			}
		}()
		s.lanes <- l
	}
	synctest.Test(t, func(t *testing.T) { f(t, emptied(s)) })
}

// An outside is a store whose calls leave the bubble. What the two sides share is made
// outside: nobody there may touch a channel of the bubble.
type outside struct {
	behind Full
	lanes  chan lane // that are free
}

// A lane is a goroutine outside, which makes one call at a time.
type lane struct {
	calls chan func()
	done  chan struct{}
}

// call has f called outside, with a context that ends with ctx.
func (s *outside) call(ctx context.Context, f func(ctx context.Context) error) (err error) {
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended := ctx.Err()
	switch {
	case errors.Is(ended, context.DeadlineExceeded):
		over, cancel = context.WithDeadline(over, time.Unix(0, 0))
		defer cancel()
	case ended != nil:
		cancel()
	}
	defer context.AfterFunc(ctx, cancel)()
	l := <-s.lanes
	l.calls <- func() { err = f(over) }
	<-l.done
	s.lanes <- l
	return err
}

func (s *outside) Load(ctx context.Context, user string) (r store.Record, err error) {
	err = s.call(ctx, func(ctx context.Context) error { r, err = s.behind.Load(ctx, user); return err })
	return r, err
}

func (s *outside) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.call(ctx, func(ctx context.Context) error { return s.behind.Save(ctx, r, prev) })
}

func (s *outside) List(ctx context.Context, q store.Query) (p store.Page, err error) {
	err = s.call(ctx, func(ctx context.Context) error { p, err = s.behind.List(ctx, q); return err })
	return p, err
}

func (s *outside) Erase(ctx context.Context, user string) error {
	return s.call(ctx, func(ctx context.Context) error { return s.behind.Erase(ctx, user) })
}
