package storekit_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"sync"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
)

// A table stands for a database: a map, and a mutex that makes each call atomic.
type table struct {
	mu   sync.Mutex
	rows map[string]store.Record
}

func newTable() *table { return &table{rows: make(map[string]store.Record)} }

// Get and Put are all that a sign-in needs.
func (t *table) Get(_ context.Context, userID string) (store.Record, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.rows[userID]; ok {
		return r, nil
	}
	return store.Record{}, store.ErrNotFound
}

// In SQL, Put is an INSERT, or an UPDATE with the version in its WHERE.
func (t *table) Put(_ context.Context, r store.Record, prev int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows[r.UserID].Version != prev {
		return store.ErrConflict
	}
	t.rows[r.UserID] = r
	return nil
}

// With Scan, the store can list its accounts, which enrollment.Open demands.
func (t *table) Scan(_ context.Context, after string, limit int) ([]store.Record, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []store.Record
	for id, r := range t.rows {
		if id > after {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) })
	return all[:min(limit, len(all))], nil
}

// With Delete, the store can erase an account.
func (t *table) Delete(_ context.Context, userID string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, userID)
	return nil
}

// A database of your own becomes a store. Test yours with package storetest.
func ExampleNew() {
	ctx := context.Background()
	accounts := storekit.New("table", newTable())
	r := store.Record{UserID: "alice", Version: 7, State: store.Confirmed, Data: []byte("sealed")}
	if err := accounts.Save(ctx, r, 0); err != nil {
		log.Fatal(err)
	}
	again := accounts.Save(ctx, r, 0)
	fmt.Println("a second first record is a conflict:", errors.Is(again, store.ErrConflict))

	page, err := accounts.(store.Lister).List(ctx, store.Query{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accounts:", len(page.Records))
	// Output:
	// a second first record is a conflict: true
	// accounts: 1
}
