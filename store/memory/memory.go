// Package memory keeps two-factor records in the memory of the process. It is
// a complete [store.Store], with [store.Lister] and [store.Eraser], for tests
// and for tools of a single process.
//
// It is durable only while the process lives. After a restart nobody is
// enrolled any more, used codes work again and every lock is gone; and two
// processes do not share it. A service in production uses package sqlstore, or
// a store of its own that package storetest has proved.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/cursor"
)

// shards is how many locks the records are spread over. A power of two well
// above the processors of one machine, so that different users rarely meet.
const shards = 64

// A Store keeps records in memory. Make one with [New]; the zero Store can't
// be used. It is safe for concurrent use by several goroutines.
type Store struct {
	seed   maphash.Seed
	shards [shards]shard

	// order holds the ids of all records. A key is added and removed while its
	// shard is locked, so that the two agree; List takes neither lock inside
	// the other.
	order index
}

// shard is the part of the records whose ids hash alike.
type shard struct {
	mu      sync.RWMutex
	records map[string]store.Record
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Lister = (*Store)(nil)
	_ store.Eraser = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].records = make(map[string]store.Record)
	}
	return s
}

// Load returns a copy of the user's record as of the last Save that returned.
// It returns [store.ErrNotFound] if there is none, [store.ErrInvalid] for an
// id that no user can have, and the context's error if that has ended.
func (s *Store) Load(ctx context.Context, userID string) (store.Record, error) {
	if err := ctx.Err(); err != nil {
		return store.Record{}, fmt.Errorf("memory: loading: %w", err)
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

// Save keeps a copy of the record if the store holds version prev of it, or,
// for prev 0, none. It returns [store.ErrConflict] if not, [store.ErrInvalid]
// for arguments outside the contract, and the context's error if that has
// ended; in each case nothing has changed.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: saving: %w", err)
	}
	if err := store.ValidateSave(r, prev); err != nil {
		return err
	}
	// Copied before the lock is taken: what follows is two look-ups in a map.
	r = clone(r)
	sh := s.shard(r.UserID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	// The zero Record of an absent key has version 0, which is what prev is
	// for a creation.
	if sh.records[r.UserID].Version != prev {
		return store.ErrConflict
	}
	sh.records[r.UserID] = r
	if prev == 0 {
		s.order.insert(r.UserID)
	}
	return nil
}

// List returns a page of copies of the records that match the query, ordered
// by the bytes of their ids. A page is not a snapshot: each record is as it
// was when the page was made. It returns [store.ErrInvalid] for a query or a
// cursor outside the contract.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, fmt.Errorf("memory: listing: %w", err)
	}
	if err := q.Validate(); err != nil {
		return store.Page{}, err
	}
	after, err := cursor.Parse(q.Cursor)
	if err != nil {
		return store.Page{}, err
	}
	limit := q.Limit
	if limit == 0 {
		limit = store.DefaultPage
	}
	next := s.order.after
	if q.UserIDs != nil {
		ids := slices.Clone(q.UserIDs)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		next = func(after string) []string {
			i, found := slices.BinarySearch(ids, after)
			if found {
				i++
			}
			return ids[i:]
		}
	}

	var page store.Page
	for {
		if err := ctx.Err(); err != nil {
			return store.Page{}, fmt.Errorf("memory: listing: %w", err)
		}
		ids := next(after)
		if len(ids) == 0 {
			return page, nil
		}
		for _, id := range ids {
			after = id
			r, ok := s.get(id)
			if !ok || !matches(q, r) {
				continue
			}
			if len(page.Records) == limit {
				page.Next = cursor.After(page.Records[limit-1].UserID)
				return page, nil
			}
			page.Records = append(page.Records, r)
		}
	}
}

// Erase forgets the user's record. It returns nil if there is none,
// [store.ErrInvalid] for an id that no user can have, and the context's error,
// having erased nothing, if that has ended.
func (s *Store) Erase(ctx context.Context, userID string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: erasing: %w", err)
	}
	if err := store.ValidateUserID(userID); err != nil {
		return err
	}
	sh := s.shard(userID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, ok := sh.records[userID]; ok {
		delete(sh.records, userID)
		s.order.remove(userID)
	}
	return nil
}

// shard returns the shard that holds the user, if anything does.
func (s *Store) shard(userID string) *shard {
	return &s.shards[maphash.String(s.seed, userID)%shards]
}

// get returns a copy of the user's record.
func (s *Store) get(userID string) (store.Record, bool) {
	sh := s.shard(userID)
	sh.mu.RLock()
	r, ok := sh.records[userID]
	sh.mu.RUnlock()
	if !ok {
		return store.Record{}, false
	}
	// Safe without the lock: Save replaces Data, and never writes into it.
	r.Data = bytes.Clone(r.Data)
	return r, true
}

// clone returns the record as the store keeps it: bytes of its own, and times
// in UTC to the microsecond, as databases keep them.
func clone(r store.Record) store.Record {
	r.Due = time.UnixMicro(r.Due.UnixMicro()).UTC()
	r.Updated = time.UnixMicro(r.Updated.UnixMicro()).UTC()
	r.Data = bytes.Clone(r.Data)
	return r
}

// matches reports whether the record meets the conditions of the query other
// than UserIDs.
func matches(q store.Query, r store.Record) bool {
	if len(q.States) > 0 && !slices.Contains(q.States, r.State) {
		return false
	}
	return q.DueBy.IsZero() || !r.Due.IsZero() && !r.Due.After(q.DueBy)
}
