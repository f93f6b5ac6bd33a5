package storetest_test

import (
	"context"
	"strings"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// eraseFaults are faults of Erase.
var eraseFaults = []fault{
	{"erasing nothing is an error", []string{"erase"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if _, ok := l.get(userID); !ok && l.id(userID) == nil {
				return store.ErrNotFound
			}
			return l.erase0(ctx, userID)
		}
	}},
	{"erases by prefix", []string{"erase"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			err := l.erase0(ctx, userID)
			l.mu.Lock()
			defer l.mu.Unlock()
			for id := range l.rows {
				if err == nil && strings.HasPrefix(id, userID) {
					delete(l.rows, id)
				}
			}
			return err
		}
	}},
	{"erasing leaves the version", []string{"erase", "erase-then-stale-save"}, func(l *lab) {
		l.erase = func(ctx context.Context, userID string) error {
			if r, ok := l.get(userID); ok && l.ended(ctx) == nil {
				r.Data, r.State = nil, store.None
				l.put(r)
				return nil
			}
			return l.erase0(ctx, userID)
		}
		l.load = func(ctx context.Context, userID string) (store.Record, error) {
			r, err := l.load0(ctx, userID)
			if err == nil && r.Data == nil && r.State == store.None {
				return store.Record{}, store.ErrNotFound
			}
			return r, err
		}
	}},
	{"erasing leaves the row of the index that lists", []string{"erase-list"}, func(l *lab) {
		index := make(map[string]store.Record)
		var mu sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			err := l.save0(ctx, r, prev)
			if err == nil {
				index[r.UserID] = copied(r)
			}
			return err
		}
		l.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			mu.Lock()
			defer mu.Unlock()
			listed := newLab()
			for id, r := range index {
				listed.rows[id] = copied(r)
			}
			return listed.list0(ctx, q)
		}
	}},
	{"numbers versions anew after erasing", []string{"erase-recreate-stale-save"}, func(l *lab) {
		// The store compares a counter of its own that it begins again.
		count := make(map[string]int)
		seen := make(map[string]map[int64]int)
		var mu sync.Mutex
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			old, ok := l.get(r.UserID)
			if n, known := seen[r.UserID][prev]; known && ok && prev != r.Version && n == count[r.UserID] {
				prev = old.Version
			}
			err := l.save0(ctx, r, prev)
			if err == nil {
				if seen[r.UserID] == nil {
					seen[r.UserID] = make(map[int64]int)
				}
				count[r.UserID]++
				seen[r.UserID][r.Version] = count[r.UserID]
			}
			return err
		}
		l.erase = func(ctx context.Context, userID string) error {
			mu.Lock()
			defer mu.Unlock()
			if err := l.erase0(ctx, userID); err != nil {
				return err
			}
			delete(count, userID)
			return nil
		}
	}},
	{"erasing does not wait for a replacement", []string{"race-erase"}, func(l *lab) {
		l.save = func(ctx context.Context, r store.Record, prev int64) error {
			if prev != 0 {
				return l.saveTorn(ctx, r, prev)
			}
			return l.save0(ctx, r, prev)
		}
	}},
}
