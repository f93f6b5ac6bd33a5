package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// contextFaults are faults of contexts that end.
var contextFaults = []fault{
	{"ignores contexts", []string{"context-ended"}, func(l *lab) {
		l.ended = func(context.Context) error { return nil }
	}},
	{"ignores contexts in Save", []string{"context-ended"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			return l.save0(context.WithoutCancel(ctx), r, prev)
		}
	}},
	{"ignores contexts in Erase", []string{"context-ended"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error { return l.erase0(context.WithoutCancel(ctx), userID) }
	}},
	{"ignores contexts in List", []string{"context-ended"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			return l.list0(context.WithoutCancel(ctx), q)
		}
	}},
	{"any failure to load is not found", []string{"context-ended"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if err != nil && !errors.Is(err, store.ErrInvalid) {
				err = store.ErrNotFound
			}
			return r, err
		}
	}},
	{"returns the cause of a context", []string{"context-ended"}, func(l *lab) { l.ended = context.Cause }},
	{"returns the driver's word for it", []string{"context-ended"}, func(l *lab) {
		l.ended = func(ctx context.Context) error {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return nil
		}
	}},
	{"wraps the context's error as text", []string{"context-ended"}, func(l *lab) {
		l.ended = func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("saving: %v", err)
			}
			return nil
		}
	}},
	{"stops half-way when the context ends", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			old, _ := l.get(r.UserID)
			if err := l.save0(ctx, r, prev); err != nil {
				return err
			}
			half := copied(r)
			half.Data = bytes.Clone(old.Data)
			l.put(half)
			pause()
			if err := ctx.Err(); err != nil {
				return err
			}
			l.put(r)
			return nil
		}
	}},
	{"gives up silently when the context ends", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			pause()
			if ctx.Err() != nil {
				return nil
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"a late end of the context is a conflict", []string{"context-ends"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			pause()
			if ctx.Err() != nil {
				return store.ErrConflict
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"takes the end of the context for absence", []string{"context-ends-reading"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if pause(); err == nil && ctx.Err() != nil {
				return store.Record{}, store.ErrNotFound
			}
			return r, err
		}
	}},
	{"lists what it had when the context ended", []string{"context-ends-reading"}, func(l *lab) {
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			page, err := l.list0(ctx, q)
			if pause(); err == nil && ctx.Err() != nil {
				return store.Page{}, nil
			}
			return page, err
		}
	}},
	{"gives up erasing silently", []string{"context-ends-reading"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if err := l.ended(ctx); err != nil {
				return err
			}
			if pause(); ctx.Err() != nil {
				return nil
			}
			return l.erase0(ctx, userID)
		}
	}},
	{"is broken once a context has ended", []string{"context-ends"}, func(l *lab) {
		var mu sync.Mutex
		broken := false
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			pause()
			if broken && ctx.Err() == nil {
				return errors.New("the connection is in a failed transaction")
			}
			if err := ctx.Err(); err != nil {
				broken = true
				return err
			}
			return l.save0(ctx, r, prev)
		}
	}},
}
