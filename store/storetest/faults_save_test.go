package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// saveFaults are faults of the conditional write.
var saveFaults = []fault{
	{"last write wins: looks, then writes", []string{"race-replace"}, func(l *lab) {
		l.save = l.saveTorn
	}},
	{"lost create race: looks, then inserts", []string{"race-create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev == 0 {
				return l.saveTorn(ctx, r, prev)
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"compares under one lock and writes under another", []string{"race-close"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := errors.Join(l.ended(ctx), l.valid(r, prev)); err != nil {
				return err
			}
			if old, _ := l.get(r.UserID); old.Version != prev {
				return store.ErrConflict
			}
			l.put(r)
			return nil
		}
	}},
	{"no unique key: inserts, and then finds that there are two rows", []string{"conflict-leaves-nothing"}, func(l *lab) {
		var mu sync.Mutex
		second := make(map[string]store.Record)
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			err := l.save0(ctx, r, prev)
			if errors.Is(err, store.ErrConflict) && prev == 0 {
				second[r.UserID] = r
			}
			if other, ok := second[r.UserID]; ok && errors.Is(err, store.ErrConflict) && other.Version == prev {
				delete(second, r.UserID)
				l.put(r) // the UPDATE has found the other row
				return nil
			}
			return err
		}
	}},
	{"no version in the WHERE clause", []string{"conflict-wrong-version", "erase-recreate-stale-save"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if old, ok := l.get(r.UserID); ok && prev != 0 {
				prev = old.Version
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"creating is an upsert", []string{"create-existing", "race-create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev == 0 && l.valid(r, prev) == nil && ctx.Err() == nil {
				l.put(r)
				return nil
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"creating what exists unchanged is a success", []string{"create-existing"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if old, _ := l.get(r.UserID); errors.Is(err, store.ErrConflict) && prev == 0 && old.Version == r.Version {
				return nil
			}
			return err
		}
	}},
	{"replacing is an upsert", []string{"conflict-absent", "erase-then-stale-save"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if _, ok := l.get(r.UserID); !ok {
				if prev == r.Version {
					return store.ErrInvalid
				}
				prev = min(prev, 0)
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"an update of no row is a success", []string{"conflict-wrong-version", "conflict-absent", "race-replace"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.save0(ctx, r, prev); !errors.Is(err, store.ErrConflict) || prev == 0 {
				return err
			}
			return nil
		}
	}},
	{"reports the conflict after writing", []string{"conflict-wrong-version"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if errors.Is(err, store.ErrConflict) && prev != 0 {
				l.put(r)
			}
			return err
		}
	}},
	{"versions must rise", []string{"versions"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.valid(r, prev); err == nil && r.Version < prev {
				return store.ErrConflict
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"one version for all users", []string{"replace"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			err := l.save0(ctx, r, prev)
			if err == nil && prev != 0 {
				l.mu.Lock()
				defer l.mu.Unlock()
				for id, other := range l.rows {
					other.Version = r.Version
					l.rows[id] = other
				}
			}
			return err
		}
	}},
	{"a try-lock over all users", []string{"race-users"}, func(l *lab) {
		var busy sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if !busy.TryLock() {
				return store.ErrConflict
			}
			defer busy.Unlock()
			pause()
			return l.save0(ctx, r, prev)
		}
	}},
	{"a busy database instead of a conflict", []string{"race-replace", "race-create"}, func(l *lab) {
		var busy sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if !busy.TryLock() {
				return errors.New("database is locked")
			}
			defer busy.Unlock()
			pause()
			return l.save0(ctx, r, prev)
		}
	}},
	{"takes every version for 1 at creation", []string{"create"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if err := l.valid(r, prev); err == nil && prev == 0 {
				r.Version = 1
			}
			return l.save0(ctx, r, prev)
		}
	}},
	{"validates nothing", []string{"invalid", "erase-invalid"}, func(l *lab) {
		l.valid = func(store.Record, int64) error { return nil }
		l.id = func(string) error { return nil }
	}},
	{"takes a version that replaces itself", []string{"invalid"}, func(l *lab) {
		l.valid = func(r store.Record, prev int64) error {
			if r.Version == prev {
				return nil
			}
			return store.ValidateSave(r, prev)
		}
	}},
	{"takes a negative prev for 0", []string{"invalid"}, func(l *lab) {
		l.valid = func(r store.Record, prev int64) error { return store.ValidateSave(r, max(prev, 0)) }
	}},
	{"an invalid id is not found", []string{"invalid"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrInvalid) {
				err = store.ErrNotFound
			}
			return r, err
		}
	}},
}

// loadFaults are faults of Load.
var loadFaults = []fault{
	{"nothing found is the zero record", []string{"absence"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return r, err
		}
	}},
	{"nothing found is the driver's error", []string{"absence"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if errors.Is(err, store.ErrNotFound) {
				err = errors.New("sql: no rows in result set")
			}
			return r, err
		}
	}},
	{"reads from a replica that lags", []string{"replace"}, func(l *lab) {
		var replica sync.Map
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			old, ok := l.get(r.UserID)
			err := l.save0(ctx, r, prev)
			if err == nil && ok {
				replica.Store(r.UserID, old)
			}
			return err
		}
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			if old, ok := replica.LoadAndDelete(userID); ok && ctx.Err() == nil {
				return l.read(old.(store.Record)), nil
			}
			return l.load0(ctx, userID)
		}
	}},
	{"reads the columns one by one", []string{"race-load"}, func(l *lab) {
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			pause()
			if again, ok := l.get(userID); ok && err == nil {
				r.Data = bytes.Clone(again.Data)
			}
			return r, err
		}
	}},
	{"replaces by deleting and inserting", []string{"race-load"}, func(l *lab) {
		var one sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			one.Lock()
			defer one.Unlock()
			if old, _ := l.get(r.UserID); prev == 0 || old.Version != prev || l.valid(r, prev) != nil || ctx.Err() != nil {
				return l.save0(ctx, r, prev)
			}
			if err := l.erase0(ctx, r.UserID); err != nil {
				return err
			}
			pause()
			l.put(r)
			return nil
		}
	}},
}
