package storekit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
)

// finding is a table that can also be asked for several rows at once. It answers in the
// wrong order, and spoils the ids that it got.
type finding struct {
	*table
	mu    sync.Mutex
	gets  int
	asked [][]string // by each Find
	bend  func(rows []store.Record) ([]store.Record, error)
	last  []store.Record // what Find has returned
}

func (f *finding) Get(ctx context.Context, id string) (store.Record, error) {
	f.mu.Lock()
	f.gets++
	f.mu.Unlock()
	return f.table.Get(ctx, id)
}

func (f *finding) Find(ctx context.Context, ids []string) (rows []store.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, slices.Clone(ids))
	slices.Reverse(ids)
	for _, id := range ids {
		r, err := f.table.Get(ctx, id)
		switch {
		case err == nil:
			rows = append(rows, r)
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	clear(ids)
	if f.bend != nil {
		rows, err = f.bend(rows)
	}
	f.last = rows
	return rows, err
}

// filled returns a store of users, and their ids.
func filled(t *testing.T, rows storekit.Rows, users int) (everything, []string) {
	t.Helper()
	s := storekit.New("finding", rows).(everything)
	var ids []string
	for i := range users {
		r := alice
		r.UserID = fmt.Sprintf("user-%04d", i)
		if err := s.Save(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.UserID)
	}
	return s, ids
}

// TestRoundTrips counts what a page costs with a Finder and without.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	f := &finding{table: newTable()}
	s, ids := filled(t, f, 250)
	slow := &finding{table: f.table}
	one := storekit.New("one by one", struct {
		storekit.Rows
		storekit.Scanner
	}{slow, slow}).(store.Lister)
	unknown := make([]string, 0, 2*len(ids))
	for _, id := range ids {
		unknown = append(unknown, id, id+" and nobody")
	}
	cursor := func(limit int) string {
		page, err := s.List(t.Context(), store.Query{UserIDs: ids, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		return page.Next
	}
	for name, c := range map[string]struct {
		q     store.Query
		want  int   // records
		finds []int // ids of each Find
		gets  int   // without a Finder
	}{
		"all":           {store.Query{UserIDs: ids, Limit: store.MaxPage}, 250, []int{100, 100, 50}, 250},
		"the first":     {store.Query{UserIDs: ids, Limit: 1}, 1, []int{100}, 2},
		"to the bound":  {store.Query{UserIDs: ids, Limit: 99}, 99, []int{100}, 100},
		"one behind it": {store.Query{UserIDs: ids, Limit: 100}, 100, []int{100, 100}, 101},
		"the rest":      {store.Query{UserIDs: ids, Limit: 100, Cursor: cursor(200)}, 50, []int{50}, 50},
		"of a state":    {store.Query{UserIDs: ids, States: []store.State{store.Disabled}}, 0, []int{100, 100, 50}, 250},
		"half unknown":  {store.Query{UserIDs: unknown, Limit: 20}, 20, []int{100}, 41},
		"twice":         {store.Query{UserIDs: slices.Concat(ids, ids), Limit: store.MaxPage}, 250, []int{100, 100, 50}, 250},
		"unknown":       {store.Query{UserIDs: []string{"nobody"}}, 0, []int{1}, 1},
		"none":          {store.Query{UserIDs: []string{}}, 0, nil, 0},
	} {
		f.asked, f.gets, slow.gets = nil, 0, 0
		page, err := s.List(t.Context(), c.q)
		if err != nil || len(page.Records) != c.want {
			t.Errorf("%s: %d records, %v, want %d", name, len(page.Records), err, c.want)
		}
		var finds []int
		for _, asked := range f.asked {
			finds = append(finds, len(asked))
			if !slices.IsSorted(asked) || len(slices.Compact(asked)) < finds[len(finds)-1] {
				t.Errorf("%s: Find got ids twice, or not in order", name)
			}
		}
		if !slices.Equal(finds, c.finds) || f.gets != 0 {
			t.Errorf("%s: Finds of %v ids and %d Gets, want %v and none", name, finds, f.gets, c.finds)
		}
		other, err := one.List(t.Context(), c.q)
		if err != nil || slow.gets != c.gets || slow.asked != nil {
			t.Errorf("%s: %d Gets without a Finder, %v, want %d", name, slow.gets, err, c.gets)
		}
		if page.Next != other.Next || !slices.EqualFunc(page.Records, other.Records, func(a, b store.Record) bool { return a.UserID == b.UserID }) {
			t.Errorf("%s: the pages differ", name)
		}
	}
}

// TestFoundRowsAreChecked finds rows that nobody has asked for, and one that is not valid.
func TestFoundRowsAreChecked(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(rows []store.Record) ([]store.Record, error){
		"another user": func(rows []store.Record) ([]store.Record, error) { rows[1].UserID = "User-0001"; return rows, nil },
		"one more": func(rows []store.Record) ([]store.Record, error) {
			r := rows[0]
			r.UserID = "user-0003"
			return append(rows, r), nil
		},
		"a user twice":  func(rows []store.Record) ([]store.Record, error) { return append(rows, rows[0]), nil },
		"not found":     func(rows []store.Record) ([]store.Record, error) { return rows, store.ErrNotFound },
		"a conflict":    func(rows []store.Record) ([]store.Record, error) { return rows, store.ErrConflict },
		"an invalid id": func(rows []store.Record) ([]store.Record, error) { return rows, store.ErrInvalid },
		"down":          func(rows []store.Record) ([]store.Record, error) { return rows, errors.New("the server is down") },
	} {
		f := &finding{table: newTable(), bend: bend}
		s, ids := filled(t, f, 5)
		page, err := s.List(t.Context(), store.Query{UserIDs: ids[:3]})
		if err == nil || !strings.HasPrefix(err.Error(), "finding: listing records: ") || len(page.Records) != 0 {
			t.Errorf("%s: List = %d records, %v, want an error with a name", name, len(page.Records), err)
		}
		for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
			if errors.Is(err, answer) {
				t.Errorf("%s: List = %v, which matches %q", name, err, answer)
			}
		}
	}
	f := &finding{table: newTable(), bend: func(rows []store.Record) ([]store.Record, error) { rows[1].Version = 0; return rows, nil }}
	s, ids := filled(t, f, 5)
	page, err := s.List(t.Context(), store.Query{UserIDs: ids[:3]})
	if want := (store.Record{UserID: ids[1], Data: []byte{}}); err != nil || len(page.Records) != 3 || !reflect.DeepEqual(page.Records[1], want) {
		t.Errorf("not valid: List = %+v, %v, want three, the second without more than its user id", page.Records, err)
	}
}

// TestFoundRowsAreCopied changes what Find has returned, and sees what List has done to it.
func TestFoundRowsAreCopied(t *testing.T) {
	t.Parallel()
	f := &finding{table: newTable()}
	s, ids := filled(t, f, 3)
	page, err := s.List(t.Context(), store.Query{UserIDs: ids})
	if err != nil || len(page.Records) != 3 {
		t.Fatalf("List = %d records, %v", len(page.Records), err)
	}
	for i, r := range f.last {
		if r.UserID != ids[2-i] {
			t.Errorf("row %d of the rows is %q now", i, r.UserID)
		}
		clear(r.Data)
	}
	for _, r := range page.Records {
		if string(r.Data) != string(alice.Data) {
			t.Errorf("%s has %q", r.UserID, r.Data)
		}
	}
}

// TestFindOfEndedContext ends the context while the first Find runs. There is no second.
func TestFindOfEndedContext(t *testing.T) {
	t.Parallel()
	f := &finding{table: newTable()}
	s, ids := filled(t, f, 250)
	ctx, cancel := context.WithCancel(t.Context())
	f.bend = func(rows []store.Record) ([]store.Record, error) { cancel(); return rows, nil }
	page, err := s.List(ctx, store.Query{UserIDs: ids, Limit: store.MaxPage})
	if !errors.Is(err, context.Canceled) || len(page.Records) != 0 || len(f.asked) != 1 {
		t.Errorf("List = %d records, %v, after %d Finds, want Canceled after one", len(page.Records), err, len(f.asked))
	}
}
