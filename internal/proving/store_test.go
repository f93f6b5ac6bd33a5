package proving_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// A store that bends nothing keeps the contract.
func TestStraight(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return proving.NewStore(memory.New()) })
}

// stocked returns a store with a record of alice.
func stocked(t *testing.T) (*proving.Store, store.Record) {
	t.Helper()
	s := proving.NewStore(memory.New())
	rec := store.Record{
		UserID: "alice", Version: 7, State: store.Confirmed, Data: []byte("data"),
		Updated: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
	if err := s.Straight.Save(t.Context(), rec, 0); err != nil {
		t.Fatal(err)
	}
	return s, rec
}

var errBent = errors.New("bent")

// Every call can be bent on either side.
func TestBends(t *testing.T) {
	t.Parallel()
	for op, call := range map[proving.Op]func(s *proving.Store, rec store.Record) (store.Page, store.Record, error){
		proving.Load: func(s *proving.Store, _ store.Record) (p store.Page, r store.Record, err error) {
			r, err = s.Load(t.Context(), "alice")
			return p, r, err
		},
		proving.Save: func(s *proving.Store, rec store.Record) (store.Page, store.Record, error) {
			prev := rec.Version
			rec.Version++
			return store.Page{}, rec, s.Save(t.Context(), rec, prev)
		},
		proving.List: func(s *proving.Store, _ store.Record) (p store.Page, r store.Record, err error) {
			p, err = s.List(t.Context(), store.Query{})
			return p, r, err
		},
		proving.Erase: func(s *proving.Store, _ store.Record) (store.Page, store.Record, error) {
			return store.Page{}, store.Record{}, s.Erase(t.Context(), "alice")
		},
	} {
		changed := func(s *proving.Store) bool {
			rec, err := s.Straight.Load(t.Context(), "alice")
			return err != nil || rec.Version != 7
		}
		writes := op == proving.Save || op == proving.Erase

		s, rec := stocked(t)
		s.Fail(op, errBent)
		for range 2 {
			if _, _, err := call(s, rec); err != errBent || changed(s) {
				t.Errorf("%s that fails: %v, changed %v", op, err, changed(s))
			}
		}
		s.Straighten()
		s.LoseReply(op)
		if _, _, err := call(s, rec); !errors.Is(err, proving.ErrLost) || changed(s) != writes {
			t.Errorf("%s whose reply is lost: %v, changed %v", op, err, changed(s))
		}

		s, rec = stocked(t)
		s.Nth(op, 2, proving.Fails(errBent))
		s.NthAfter(op, 3, proving.Fails(errBent))
		for i, want := range []error{nil, errBent, errBent, nil} {
			if rec, _ = s.Straight.Load(t.Context(), "alice"); rec.Version == 0 {
				_, rec = stocked(t)
				if err := s.Straight.Save(t.Context(), rec, 0); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := call(s, rec); err != want {
				t.Errorf("%s, call %d: %v, want %v", op, i+1, err, want)
			}
		}
		if n := s.Calls(op); n != 4 || s.Calls() != 4 {
			t.Errorf("%d calls of %s, %d in all", n, op, s.Calls())
		}
		s.Reset()
		if s.Calls() != 0 {
			t.Errorf("%d calls after Reset", s.Calls())
		}

		// What is asked, and what is answered, can be replaced.
		s, rec = stocked(t)
		s.Before(op, func(_ context.Context, c *proving.Call) {
			if c.Op != op || c.Number != 1 {
				t.Errorf("%s: %+v", op, c)
			}
			c.Answered, c.Record.UserID, c.Page.Next = true, "bob", "next"
		})
		page, got, err := call(s, rec)
		if err != nil || changed(s) || op == proving.Load && got.UserID != "bob" || op == proving.List && page.Next != "next" {
			t.Errorf("%s that is answered: %+v, %+v, %v", op, got, page, err)
		}
		s, rec = stocked(t)
		s.After(op, func(_ context.Context, c *proving.Call) { c.Record.UserID, c.Page.Next = "bob", "next" })
		page, got, err = call(s, rec)
		if err != nil || changed(s) != writes || op == proving.Load && got.UserID != "bob" || op == proving.List && page.Next != "next" {
			t.Errorf("%s that is changed: %+v, %+v, %v", op, got, page, err)
		}
	}
}

// A bend may call the store, and bend it anew.
func TestBendCallsTheStore(t *testing.T) {
	t.Parallel()
	s, _ := stocked(t)
	s.Nth(proving.Load, 1, func(ctx context.Context, _ *proving.Call) {
		s.Fail(proving.Erase, errBent)
		if _, err := s.Load(ctx, "alice"); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Load(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	if err := s.Erase(t.Context(), "alice"); err != errBent {
		t.Errorf("Erase: %v", err)
	}
}

// Nobody's Load returns before all have loaded, and later ones are not held.
func TestGather(t *testing.T) {
	t.Parallel()
	s, _ := stocked(t)
	const n = 5
	s.Gather(n)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if _, err := s.Load(t.Context(), "alice"); err != nil {
				t.Error(err)
			}
			if c := s.Calls(proving.Load); c != n {
				t.Errorf("went on after %d loads", c)
			}
		})
	}
	all.Wait()
	if _, err := s.Load(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
}

// A call that is held up goes on when it is let go, or ends with its context.
func TestStall(t *testing.T) {
	t.Parallel()
	s, rec := stocked(t)
	save := func(ctx context.Context) <-chan error {
		done := make(chan error, 1)
		go func() {
			next := rec
			next.Version++
			done <- s.Save(ctx, next, rec.Version)
		}()
		return done
	}
	entered, _ := s.Stall(proving.Save)
	ctx, cancel := context.WithCancel(t.Context())
	done := save(ctx)
	<-entered
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	entered, release := s.Stall(proving.Save)
	done = save(t.Context())
	<-entered
	if now, err := s.Load(t.Context(), "alice"); err != nil || now.Version != rec.Version {
		t.Errorf("meanwhile: version %d, %v", now.Version, err)
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if now, err := s.Load(t.Context(), "alice"); err != nil || now.Version != rec.Version+1 {
		t.Errorf("afterwards: version %d, %v", now.Version, err)
	}
}
