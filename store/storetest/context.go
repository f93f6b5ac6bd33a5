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

// contextCases hold what a context that ends does.
var contextCases = []testCase{
	{
		name:   "context-ended",
		clause: "A call whose context has already ended returns an error that matches the context's, and no sentinel, and changes nothing.",
		check:  checkContextEnded,
	},
	{
		name:   "context-ends",
		clause: "A context that ends during Save leaves the old record or the new one, whole; success is reported only for a write that happened; and the store can be used afterwards.",
		check:  checkContextEnds,
	},
	{
		name:   "context-ends-reading",
		clause: "A context that ends during Load, List or Erase never makes a record look absent: the call does what it was asked, or returns an error that matches the context's.",
		check:  checkContextEndsReading,
	},
}

// ended returns contexts that are over, by the error that they report.
func ended(ctx context.Context) map[error]context.Context {
	canceled, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("the caller's reason, which is not to be reported instead"))
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
	// How long a Save takes here, to begin with.
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

// ending returns a context that ends after d, by a deadline or by being
// cancelled, and the error that it then reports.
func ending(ctx context.Context, deadline bool, d time.Duration) (context.Context, context.CancelFunc, error) {
	if deadline {
		ctx, cancel := context.WithTimeout(ctx, d)
		return ctx, cancel, context.DeadlineExceeded
	}
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(d, cancel)
	return ctx, func() { timer.Stop(); cancel() }, context.Canceled
}

// saveEnding saves records of one user with contexts that end at any moment of
// a Save, which at first is taken to last as long as window.
func saveEnding(ctx context.Context, s store.Store, userID string, window time.Duration) error {
	cur := sample(userID, 1)
	if err := save(ctx, s, cur, 0); err != nil {
		return err
	}
	// What the record may be. A write that was given up may still happen a
	// little later, but then as it was meant.
	tried := map[int64]store.Record{1: cur}
	for i := range endingSaves {
		next := sample(userID, int64(i)+2)
		tried[next.Version] = next
		short, cancel, reason := ending(ctx, i%2 == 0, rand.N(2*window+time.Microsecond))
		err := s.Save(short, clone(next), cur.Version)
		deadline, timed := short.Deadline()
		over := short.Err() != nil || timed && !time.Now().Before(deadline)
		cancel()
		// Stay where contexts end in the middle, whatever the load.
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
			// Only if a write that was given up earlier has happened since.
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
	// Usable afterwards. The last write may still be on its way once.
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

// checkContextEndsReading calls what does not save with contexts that end at any
// moment. Who takes every error of a driver for "no rows" says that an account
// is not there.
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
// moment of it. It has to return nil, or the error of the context.
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
		// Stay where contexts end in the middle, whatever the load.
		if over {
			window += window/4 + time.Microsecond
		} else {
			window -= window / 4
		}
	}
	return nil
}
