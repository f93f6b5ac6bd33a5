package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// contextCases test what happens when a context ends.
var contextCases = []testCase{
	{
		name:   "context-ended",
		clause: "If the context has ended before a call, the method returns an error that matches the context's error and no error of the contract, and changes nothing.",
		check:  checkContextEnded,
	},
	{
		name:   "context-ends",
		clause: "If the context ends during Save, the record is the old one or the new one, and never a mix. Save returns nil only if the write happened. The store works afterwards.",
		check:  checkContextEnds,
	},
	{
		name:   "context-ends-reading",
		clause: "If the context ends during Load, List or Erase, the method does what it was asked or returns an error that matches the context's error. It never takes a record for absent.",
		check:  checkContextEndsReading,
	},
}

// ended returns contexts that have ended, with the error of each.
func ended(ctx context.Context) map[error]context.Context {
	canceled, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("the caller's reason, which must not be reported instead"))
	late, cancelLate := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	cancelLate()
	return map[error]context.Context{context.Canceled: canceled, context.DeadlineExceeded: late}
}

func checkContextEnded(ctx context.Context, s store.Store) error {
	held := sample("alice", 1)
	if err := save(ctx, s, held, 0); err != nil {
		return err
	}
	for want, over := range ended(ctx) {
		for _, id := range []string{"alice", "bob"} { // one that is there, one that is not
			_, err := s.Load(over, id)
			if bad := only(err, want); bad != nil {
				return fmt.Errorf("Load(%q) = %w", id, bad)
			}
		}
		if err := first(
			refuses(over, s, sample("alice", 2), 1, want),
			refuses(over, s, sample("alice", 2), 7, want),
			refuses(over, s, sample("bob", 2), 0, want),
			holds(ctx, s, held),
			absent(ctx, s, "bob"),
		); err != nil {
			return fmt.Errorf("with a context that ended before the call: %w", err)
		}
		if l, ok := s.(store.Lister); ok {
			_, err := l.List(over, store.Query{})
			if bad := only(err, want); bad != nil {
				return fmt.Errorf("List = %w", bad)
			}
		}
		if e, ok := s.(store.Eraser); ok {
			if bad := only(e.Erase(over, "alice"), want); bad != nil {
				return fmt.Errorf("Erase = %w", bad)
			}
			if err := holds(ctx, s, held); err != nil {
				return fmt.Errorf("after an Erase whose context had ended: %w", err)
			}
		}
	}
	return save(ctx, s, sample("alice", 2), 1)
}

// Sizes of checkContextEnds.
const (
	endingUsers = 4
	endingSaves = 40 // per user
)

func checkContextEnds(ctx context.Context, s store.Store) error {
	// A first measure of how long a Save takes here.
	began := time.Now()
	if err := save(ctx, s, sample("alice", 1), 0); err != nil {
		return err
	}
	typical := time.Since(began)

	errs := make([]error, endingUsers)
	var users sync.WaitGroup
	for u := range endingUsers {
		users.Go(func() { errs[u] = saveEnding(ctx, s, fmt.Sprintf("user-%d", u), typical) })
	}
	users.Wait()
	return first(errs...)
}

// ending returns a context that ends after d, by a deadline or because it is
// cancelled, and the error that it then has.
func ending(ctx context.Context, deadline bool, d time.Duration) (context.Context, context.CancelFunc, error) {
	if deadline {
		ctx, cancel := context.WithTimeout(ctx, d)
		return ctx, cancel, context.DeadlineExceeded
	}
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(d, cancel)
	return ctx, func() { timer.Stop(); cancel() }, context.Canceled
}

// saveEnding saves records of one user with contexts that end at any moment of a
// Save. Window is a first guess of how long a Save takes.
func saveEnding(ctx context.Context, s store.Store, userID string, window time.Duration) error {
	cur := sample(userID, 1)
	if err := save(ctx, s, cur, 0); err != nil {
		return err
	}
	// What the record may be. A write that was given up may still happen a
	// little later, but then with the record as it was.
	tried := map[int64]store.Record{1: cur}
	for i := range endingSaves {
		next := sample(userID, int64(i)+2)
		tried[next.Version] = next
		short, cancel, reason := ending(ctx, i%2 == 0, rand.N(2*window+time.Microsecond))
		err := s.Save(short, clone(next), cur.Version)
		deadline, timed := short.Deadline()
		over := short.Err() != nil || timed && !time.Now().Before(deadline)
		cancel()
		// Adjust the window so that contexts go on ending in the middle of a
		// Save, whatever the load.
		if over {
			window += window/4 + time.Microsecond
		} else {
			window -= window / 4
		}
		got, loadErr := s.Load(ctx, userID)
		if loadErr != nil {
			return fmt.Errorf("Load after a Save that gave %v = %w, want a record", err, loadErr)
		}
		want, ok := tried[got.Version]
		if !ok {
			return fmt.Errorf("the record has version %d, which was never saved", got.Version)
		}
		if bad := diff(got, want); bad != nil {
			return fmt.Errorf("the record is mixed up: %w", bad)
		}
		switch {
		case err == nil && got.Version != next.Version:
			return fmt.Errorf("Save(version %d) = nil, but the store holds version %d", next.Version, got.Version)
		case errors.Is(err, store.ErrConflict):
			// This is right only if a write that was given up earlier has happened
			// since.
			if got.Version == cur.Version || got.Version == next.Version {
				return fmt.Errorf("Save(version %d, prev %d) = %w, although the store held version %d and holds %d",
					next.Version, cur.Version, err, cur.Version, got.Version)
			}
		case err != nil && !over:
			return fmt.Errorf("Save = %w, before its context had ended, want nil", err)
		case err != nil && !errors.Is(err, reason):
			return fmt.Errorf("Save = %w, want nil or an error that matches %q", err, reason)
		}
		cur = got
	}
	// The store works afterwards. The last write may still be on its way.
	var err error
	for range 3 {
		if cur, err = s.Load(ctx, userID); err != nil {
			return fmt.Errorf("Load at the end = %w, want a record", err)
		}
		last := sample(userID, endingSaves+100)
		err = s.Save(ctx, clone(last), cur.Version)
		if err == nil {
			return holds(ctx, s, last)
		}
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	return fmt.Errorf("Save at the end = %w, want nil", err)
}

// checkContextEndsReading calls the other methods with contexts that end at any
// moment. A store that takes every error of its driver for "no rows" would say
// that an account does not exist.
func checkContextEndsReading(ctx context.Context, s store.Store) error {
	held := sample("alice", 1)
	if err := save(ctx, s, held, 0); err != nil {
		return err
	}
	load := func(short context.Context, _ string) error {
		got, err := s.Load(short, "alice")
		if err != nil {
			return err
		}
		return diff(got, held)
	}
	if err := endAnywhere(ctx, "Load", load); err != nil {
		return err
	}
	if l, ok := s.(store.Lister); ok {
		list := func(short context.Context, _ string) error {
			page, err := l.List(short, store.Query{})
			if err == nil && len(page.Records) != 1 {
				err = fmt.Errorf("%d records and no error, want 1", len(page.Records))
			}
			return err
		}
		if err := endAnywhere(ctx, "List", list); err != nil {
			return err
		}
	}
	e, ok := s.(store.Eraser)
	if !ok {
		return nil
	}
	return endAnywhere(ctx, "Erase", func(short context.Context, user string) error {
		if err := save(ctx, s, sample(user, 1), 0); err != nil {
			return err
		}
		if err := e.Erase(short, user); err != nil {
			return err
		}
		return absent(ctx, s, user)
	})
}

// endAnywhere calls f, each time for another user, with contexts that end at any
// moment of the call. F must return nil, or the error of the context.
func endAnywhere(ctx context.Context, name string, f func(short context.Context, user string) error) error {
	began := time.Now()
	if err := f(ctx, "user"); err != nil {
		return fmt.Errorf("%s = %w", name, err)
	}
	window := time.Since(began)
	for i := range endingSaves {
		short, cancel, reason := ending(ctx, i%2 == 0, rand.N(2*window+time.Microsecond))
		err := f(short, fmt.Sprintf("user-%d", i))
		over := short.Err() != nil
		cancel()
		if err != nil {
			if bad := only(err, reason); bad != nil {
				return fmt.Errorf("%s with a context that ends meanwhile = %w", name, bad)
			}
		}
		// As in saveEnding.
		if over {
			window += window/4 + time.Microsecond
		} else {
			window -= window / 4
		}
	}
	return nil
}
