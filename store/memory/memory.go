// Package memory keeps two-factor records in the memory of the process. It is
// a complete [store.Store], with [store.Lister] and [store.Eraser], for tests
// and for tools that run as a single process.
//
// The records are gone when the process ends: after a restart no user is
// enrolled, used codes work again, and every lock is gone. Two processes do not
// share a store. A service in production uses package sqlstore, redisstore or
// boltstore, or a store of its own that passes package storetest.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

// A Store keeps records in memory. Make one with [New]; the zero Store can't
// be used. It is safe for concurrent use by several goroutines.
type Store struct {
	mu      sync.Mutex
	records map[string]store.Record

	// order holds the ids of all records in ascending order, or is nil after a
	// user was added or erased. The slice is replaced and never changed, so
	// that a listing can go on reading it without the lock.
	order []string
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Lister = (*Store)(nil)
	_ store.Eraser = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	return &Store{records: make(map[string]store.Record)}
}

// Load returns a copy of the user's record as of the last Save that returned.
// It returns [store.ErrNotFound] if the user has no record, [store.ErrInvalid]
// for an invalid user id, and the context's error if the context has ended.
func (s *Store) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, fmt.Errorf("memory: loading a record: %w", err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return store.Record{}, err
	}
	r, ok := s.get(userID)
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return r, nil
}

// Save keeps a copy of the record if the store holds version prev of it, or, if
// prev is 0, if the user has no record. Otherwise it returns
// [store.ErrConflict]. It returns [store.ErrInvalid] for arguments that the
// contract of [store.Store] does not allow, and the context's error if the
// context has ended. After an error nothing has changed.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: saving a record: %w", err)
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	// What the store keeps has bytes of its own, and times in UTC to the
	// microsecond, as databases keep them.
	r.Due = time.UnixMicro(r.Due.UnixMicro()).UTC()
	r.Updated = time.UnixMicro(r.Updated.UnixMicro()).UTC()
	r.Data = bytes.Clone(r.Data)

	s.mu.Lock()
	defer s.mu.Unlock()
	// A user without a record has the zero Record, whose version is 0. That is
	// what prev is when a record is created.
	if s.records[r.UserID].Version != prev {
		return store.ErrConflict
	}
	s.records[r.UserID] = r
	if prev == 0 {
		s.order = nil
	}
	return nil
}

// List returns a page with copies of the records that match the query, ordered
// by the bytes of their user ids. A page is not a snapshot: each record is as it
// was when List reached it. List returns [store.ErrInvalid] for an invalid query
// or a cursor that no List returned, and the context's error if the context
// ends.
//
// The first page after a user was added or erased sorts the ids of all users.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	const doing = "memory: listing records: %w"
	if err := ctx.Err(); err != nil {
		return store.Page{}, fmt.Errorf(doing, err)
	}
	if err := q.Validate(); err != nil {
		return store.Page{}, err
	}
	after, err := listing.Parse(q.Cursor)
	if err != nil {
		return store.Page{}, err
	}
	limit := q.Limit
	if limit == 0 {
		limit = store.DefaultPage
	}
	var ids []string
	if q.UserIDs == nil {
		ids = s.after(after)
	} else {
		ids = listing.Remaining(q.UserIDs, after)
	}

	var page store.Page
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return store.Page{}, fmt.Errorf(doing, err)
		}
		r, ok := s.get(id)
		if !ok || !listing.Matches(q, r) {
			continue
		}
		if len(page.Records) == limit {
			page.Next = listing.After(page.Records[limit-1].UserID)
			break
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// Erase deletes the user's record. It returns nil if there is none,
// [store.ErrInvalid] for an invalid user id, and the context's error if the
// context has ended. After an error nothing has changed.
func (s *Store) Erase(ctx context.Context, userID string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: erasing a record: %w", err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.records[userID]; ok {
		delete(s.records, userID)
		s.order = nil
	}
	return nil
}

// get returns a copy of the user's record.
func (s *Store) get(userID string) (store.Record, bool) {
	s.mu.Lock()
	r, ok := s.records[userID]
	s.mu.Unlock()
	// Safe without the lock: Save replaces Data, and never writes into it.
	r.Data = bytes.Clone(r.Data)
	return r, ok
}

// after returns the ids of all records after that one, in ascending order.
func (s *Store) after(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order == nil {
		s.order = slices.Sorted(maps.Keys(s.records))
	}
	i, _ := slices.BinarySearch(s.order, id+"\x00")
	return s.order[i:]
}
