package storetest_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// lab is a store that is right until something in it is replaced. It is
// another implementation than package memory, so that a mistake of both the
// suite and that package would have to be made twice.
type lab struct {
	mu   sync.Mutex
	rows map[string]store.Record // by key(UserID)

	key   func(userID string) string      // what a database takes for the key
	write func(store.Record) store.Record // what it keeps of a record
	read  func(store.Record) store.Record // what it makes of a row
	order func(a, b string) int           // how it sorts
	match func(store.Query, store.Record) bool
	valid func(store.Record, int64) error // what Save refuses
	id    func(string) error              // what Load and Erase refuse
	ended func(ctx context.Context) error // how a call notices its context

	load  func(ctx context.Context, userID string) (store.Record, error)
	save  func(ctx context.Context, r store.Record, prev int64) error
	list  func(ctx context.Context, q store.Query) (store.Page, error)
	erase func(ctx context.Context, userID string) error
}

func (l *lab) Load(ctx context.Context, userID string) (store.Record, error) {
	return l.load(ctx, userID)
}
func (l *lab) Save(ctx context.Context, r store.Record, prev int64) error {
	return l.save(ctx, r, prev)
}
func (l *lab) List(ctx context.Context, q store.Query) (store.Page, error) { return l.list(ctx, q) }
func (l *lab) Erase(ctx context.Context, userID string) error              { return l.erase(ctx, userID) }

// newLab returns an empty store without a fault.
func newLab() *lab {
	l := &lab{
		rows:  make(map[string]store.Record),
		key:   func(id string) string { return id },
		write: copied,
		read:  copied,
		order: strings.Compare,
		match: matches,
		valid: store.ValidateSave,
		id:    store.ValidateUserID,
		ended: func(ctx context.Context) error { return ctx.Err() },
	}
	l.load, l.save, l.list, l.erase = l.load0, l.save0, l.list0, l.erase0
	return l
}

// copied returns a copy of the record with its times as a database keeps them.
func copied(r store.Record) store.Record {
	r.Due, r.Updated = r.Due.UTC().Truncate(time.Microsecond), r.Updated.UTC().Truncate(time.Microsecond)
	r.Data = bytes.Clone(r.Data)
	return r
}

func matches(q store.Query, r store.Record) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
		(q.DueBy.IsZero() || !r.Due.IsZero() && !r.Due.After(q.DueBy))
}

// get and put are one access to the database each, atomic for themselves.
func (l *lab) get(userID string) (store.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.rows[l.key(userID)]
	return r, ok
}

func (l *lab) put(r store.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows[l.key(r.UserID)] = l.write(r)
}

func (l *lab) load0(ctx context.Context, userID string) (store.Record, error) {
	if err := l.ended(ctx); err != nil {
		return store.Record{}, err
	}
	if err := l.id(userID); err != nil {
		return store.Record{}, err
	}
	r, ok := l.get(userID)
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return l.read(r), nil
}

func (l *lab) save0(ctx context.Context, r store.Record, prev int64) error {
	if err := l.ended(ctx); err != nil {
		return err
	}
	if err := l.valid(r, prev); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.rows[l.key(r.UserID)]
	if prev != 0 {
		old = l.read(old)
	}
	if old.Version != prev {
		return store.ErrConflict
	}
	l.rows[l.key(r.UserID)] = l.write(r)
	return nil
}

// saveTorn is save0 with a gap between looking and writing.
func (l *lab) saveTorn(ctx context.Context, r store.Record, prev int64) error {
	if err := l.ended(ctx); err != nil {
		return err
	}
	if err := l.valid(r, prev); err != nil {
		return err
	}
	if old, _ := l.get(r.UserID); old.Version != prev {
		return store.ErrConflict
	}
	pause()
	l.put(r)
	return nil
}

func (l *lab) erase0(ctx context.Context, userID string) error {
	if err := l.ended(ctx); err != nil {
		return err
	}
	if err := l.id(userID); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, l.key(userID))
	return nil
}

func (l *lab) list0(ctx context.Context, q store.Query) (store.Page, error) {
	if err := l.ended(ctx); err != nil {
		return store.Page{}, err
	}
	if err := q.Validate(); err != nil {
		return store.Page{}, err
	}
	after, err := hex.DecodeString(q.Cursor)
	if err != nil || q.Cursor != "" && store.ValidateUserID(string(after)) != nil {
		return store.Page{}, fmt.Errorf("%w: cursor", store.ErrInvalid)
	}
	var page store.Page
	for _, r := range l.all(q) {
		if q.Cursor != "" && l.order(r.UserID, string(after)) <= 0 {
			continue
		}
		if len(page.Records) == limit(q) {
			page.Next = hex.EncodeToString([]byte(page.Records[len(page.Records)-1].UserID))
			break
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// all returns the records that match the query, sorted.
func (l *lab) all(q store.Query) []store.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []store.Record
	for _, r := range l.rows {
		if (q.UserIDs == nil || slices.Contains(q.UserIDs, r.UserID)) && l.match(q, r) {
			all = append(all, l.read(r))
		}
	}
	slices.SortFunc(all, func(a, b store.Record) int { return l.order(a.UserID, b.UserID) })
	return all
}

func limit(q store.Query) int {
	if q.Limit == 0 {
		return store.DefaultPage
	}
	return q.Limit
}

// pause lets the others run for about as long as a database takes.
func pause() {
	for began := time.Now(); time.Since(began) < 20*time.Microsecond; {
		runtime.Gosched()
	}
}
