package storekit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestTwoMethods holds what New makes of two methods, and of more, against the
// contract.
func TestTwoMethods(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open           func() storekit.Rows
		lister, eraser bool
	}{
		"two methods": {func() storekit.Rows { return struct{ storekit.Rows }{newTable()} }, false, false},
		"scanner": {func() storekit.Rows {
			t := newTable()
			return struct {
				storekit.Rows
				storekit.Scanner
			}{t, t}
		}, true, false},
		"deleter": {func() storekit.Rows {
			t := newTable()
			return struct {
				storekit.Rows
				storekit.Deleter
			}{t, t}
		}, false, true},
		"both":   {func() storekit.Rows { return newTable() }, true, true},
		"finder": {func() storekit.Rows { return &finding{table: newTable()} }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storekit.New("table", c.open())
			_, lists := s.(store.Lister)
			_, erases := s.(store.Eraser)
			if lists != c.lister || erases != c.eraser {
				t.Errorf("it is a Lister: %v, an Eraser: %v, want %v, %v", lists, erases, c.lister, c.eraser)
			}
			storetest.Run(t, func(*testing.T) store.Store { return storekit.New("table", c.open()) })
		})
	}
}

// bent is a table that answers what the test tells it to.
type bent struct {
	*table
	row   func(r *store.Record)
	err   error
	calls int
}

func (b *bent) Get(ctx context.Context, id string) (store.Record, error) {
	b.calls++
	if b.err != nil {
		return store.Record{}, b.err
	}
	r, err := b.table.Get(ctx, id)
	if b.row != nil {
		b.row(&r)
	}
	return r, err
}
func (b *bent) Put(ctx context.Context, r store.Record, prev int64) error {
	b.calls++
	return errors.Join(b.table.Put(ctx, r, prev), b.err)
}
func (b *bent) Delete(context.Context, string) error { b.calls++; return b.err }
func (b *bent) Scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	b.calls++
	rows, err := b.table.Scan(ctx, after, limit)
	for i := range rows {
		if b.row != nil {
			b.row(&rows[i])
		}
	}
	return rows, errors.Join(err, b.err)
}

type everything interface {
	store.Store
	store.Lister
	store.Eraser
}

var alice = store.Record{UserID: "alice", Version: 7, State: store.Confirmed, Data: []byte("CANARY")}

// TestRowsAreChecked sees that a row that no Save has written is an error, and
// neither absence nor anybody's argument. In a list, it is a user id alone.
func TestRowsAreChecked(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]func(r *store.Record){
		"another user":  func(r *store.Record) { r.UserID = "Alice" },
		"no id":         func(r *store.Record) { r.UserID = "" },
		"no user":       func(r *store.Record) { r.UserID = strings.Repeat("x", store.MaxUserID+1) },
		"version 0":     func(r *store.Record) { r.Version = 0 },
		"no state":      func(r *store.Record) { r.State = 0 },
		"late":          func(r *store.Record) { r.Due = time.UnixMicro(1 << 62) },
		"data too long": func(r *store.Record) { r.Data = bytes.Repeat([]byte("CANARY"), store.MaxData) },
	} {
		b := &bent{table: newTable()}
		s := storekit.New("bent", b).(everything)
		if err := s.Save(t.Context(), alice, 0); err != nil {
			t.Fatal(err)
		}
		b.row = row
		_, load := s.Load(t.Context(), "alice")
		byID, ids := s.List(t.Context(), store.Query{UserIDs: []string{"alice"}})
		all, list := s.List(t.Context(), store.Query{})
		errs := map[string]error{"Load": load}
		switch name {
		case "no id", "no user", "another user": // fine in a list, or nobody's
			errs["List by ids"] = ids
			if list != nil || len(all.Records) != map[string]int{"another user": 1}[name] {
				t.Errorf("%s: List = %+v, %v", name, all, list)
			}
		default:
			want := store.Page{Records: []store.Record{{UserID: "alice", Data: []byte{}}}}
			if list != nil || ids != nil || !reflect.DeepEqual(all, want) || !reflect.DeepEqual(byID, want) {
				t.Errorf("%s: List = %+v, %v, and by ids %+v, %v, want the user id alone", name, all, list, byID, ids)
			}
		}
		for method, err := range errs {
			if err == nil || strings.Contains(err.Error(), "CANARY") || !strings.HasPrefix(err.Error(), "bent: ") || strings.Count(err.Error(), "bent: ") > 1 {
				t.Errorf("%s: %s = %v, want an error with one name and no data", name, method, err)
			}
			for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
				if errors.Is(err, answer) {
					t.Errorf("%s: %s = %v, which matches %q", name, method, err, answer)
				}
			}
		}
	}
}

// TestRowsOfNobody has more rows than a page looks at, of ids that no user can have.
func TestRowsOfNobody(t *testing.T) {
	t.Parallel()
	b := &bent{table: newTable()}
	s := storekit.New("bent", b).(everything)
	for _, id := range []string{"a", "c"} {
		r := alice
		r.UserID = id
		if err := s.Save(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
	}
	b.table.rows[""] = store.Record{}
	for i := range 4*store.MaxPage + 1 {
		id := fmt.Sprintf("b\n%04d", i)
		b.table.rows[id] = store.Record{UserID: id}
	}
	for _, limit := range []int{0, 1, store.MaxPage} {
		var ids []string
		q := store.Query{Limit: limit}
		for before := b.calls; ; {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatalf("a page of %d: %v", limit, err)
			}
			for _, r := range page.Records {
				ids = append(ids, r.UserID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				if scans := b.calls - before; scans > 100 {
					t.Errorf("pages of %d cost %d scans", limit, scans)
				}
				break
			}
		}
		if !slices.Equal(ids, []string{"a", "c"}) {
			t.Errorf("pages of %d have %q, want a and c", limit, ids)
		}
	}
	b.row = func(r *store.Record) { r.UserID = "" }
	if page, err := s.List(t.Context(), store.Query{}); err == nil {
		t.Errorf("List of many rows without a user id = %v, want an error", page)
	}
}

// TestErrorsOfRows sees which errors of the rows are answers.
func TestErrorsOfRows(t *testing.T) {
	t.Parallel()
	down := errors.New("the server is down")
	for _, c := range []struct{ err, load, save, other error }{
		{down, down, down, down},
		{store.ErrNotFound, store.ErrNotFound, nil, nil},
		{store.ErrConflict, nil, store.ErrConflict, nil},
		{store.ErrInvalid, nil, nil, nil},
	} {
		s := storekit.New("bent", &bent{table: newTable(), err: c.err}).(everything)
		_, load := s.Load(t.Context(), "alice")
		_, list := s.List(t.Context(), store.Query{})
		for method, r := range map[string]struct{ got, want error }{
			"Load":  {load, c.load},
			"Save":  {s.Save(t.Context(), alice, 0), c.save},
			"List":  {list, c.other},
			"Erase": {s.Erase(t.Context(), "alice"), c.other},
		} {
			if r.got == nil || r.want != nil && !errors.Is(r.got, r.want) {
				t.Errorf("%v: %s = %v, want %v", c.err, method, r.got, r.want)
			}
			for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
				if errors.Is(r.got, answer) && answer != r.want {
					t.Errorf("%v: %s = %v, which matches %q", c.err, method, r.got, answer)
				}
			}
		}
	}
}

// TestContexts sees that an ended context asks for nothing, and that one that ends
// during a call is what the error matches.
func TestContexts(t *testing.T) {
	t.Parallel()
	b := &bent{table: newTable()}
	s := storekit.New("bent", b).(everything)
	all := func(ctx context.Context) map[string]error {
		_, load := s.Load(ctx, "alice")
		_, list := s.List(ctx, store.Query{})
		return map[string]error{"Load": load, "Save": s.Save(ctx, alice, 0), "List": list, "Erase": s.Erase(ctx, "alice")}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for method, err := range all(ended) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want Canceled", method, err)
		}
	}
	if b.calls != 0 {
		t.Errorf("%d calls of the rows, want none", b.calls)
	}
	b.err = errors.New("interrupted (9)")
	for method, err := range all(overdue{t.Context()}) {
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, b.err) {
			t.Errorf("%s = %v, want DeadlineExceeded and the error of the rows", method, err)
		}
	}
}

// TestAbsentAtTheEnd ends the context while the rows look for a user, and say that there is
// none. They may have looked at nothing.
func TestAbsentAtTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, load := storekit.New("hasty", hasty{newTable(), cancel}).Load(ctx, "alice")
	if !errors.Is(load, context.Canceled) || errors.Is(load, store.ErrNotFound) {
		t.Errorf("Load = %v, want Canceled", load)
	}
	ctx, cancel = context.WithCancel(t.Context())
	_, list := storekit.New("hasty", hasty{newTable(), cancel}).(everything).List(ctx, store.Query{UserIDs: []string{"alice"}})
	if !errors.Is(list, context.Canceled) || errors.Is(list, store.ErrNotFound) {
		t.Errorf("List = %v, want Canceled", list)
	}
}

// hasty is a table whose Get ends the context.
type hasty struct {
	*table
	end func()
}

func (h hasty) Get(context.Context, string) (store.Record, error) {
	h.end()
	return store.Record{}, store.ErrNotFound
}

// overdue is a context whose deadline has passed and that has not noticed.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// TestShortPages lists rows of which few match. No call looks at all of them.
func TestShortPages(t *testing.T) {
	t.Parallel()
	b := &bent{table: newTable()}
	s := storekit.New("bent", b).(everything)
	const users = 5000
	for i := range users {
		r := alice
		r.UserID = string(rune('a'+i/1000)) + string(rune('a'+i/100%10)) + string(rune('a'+i/10%10)) + string(rune('a'+i%10))
		if i%2500 == 2499 {
			r.State = store.Disabled
		}
		if err := s.Save(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
	}
	q := store.Query{States: []store.State{store.Disabled}, Limit: 1}
	var found, pages int
	for {
		b.calls = 0
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if b.calls > 25 {
			t.Errorf("a page takes %d scans", b.calls)
		}
		found += len(page.Records)
		pages++
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if found != 2 || pages < 3 {
		t.Errorf("%d records on %d pages, want 2 on some that are empty too", found, pages)
	}
}

func TestNewPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("New without rows did not panic")
		}
	}()
	storekit.New("nothing", nil)
}
