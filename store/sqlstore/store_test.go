package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// at is a time, and atMicros what it is in a row.
var at = time.Date(2026, 5, 17, 11, 42, 3, 123456000, time.UTC)

const atMicros = int64(1779018123123456)

var alice = store.Record{UserID: "alice", Version: 7, State: store.Confirmed, Due: at, Updated: at, Data: []byte("CANARY")}

// row is alice as the database has it.
func row() []driver.Value {
	return []driver.Value{"alice", int64(7), "confirmed", atMicros, atMicros, []byte("CANARY")}
}

// TestStatements holds every statement and its arguments, per dialect.
func TestStatements(t *testing.T) {
	t.Parallel()
	const columns = "user_id, version, state, due, updated, data"
	type op struct {
		name string
		do   func(ctx context.Context, s *sqlstore.Store) error
		want string // for PostgreSQL
		args []any
	}
	list := func(q store.Query) func(context.Context, *sqlstore.Store) error {
		return func(ctx context.Context, s *sqlstore.Store) error { _, err := s.List(ctx, q); return err }
	}
	cursor := "1.Ym9i" // bob
	ops := []op{
		{"load", func(ctx context.Context, s *sqlstore.Store) error {
			if _, err := s.Load(ctx, "alice"); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("Load = %v, want ErrNotFound", err)
			}
			return nil
		}, `SELECT ` + columns + ` FROM "twofactor_accounts" WHERE user_id = $1`, []any{"alice"}},
		{"create", func(ctx context.Context, s *sqlstore.Store) error { return s.Save(ctx, alice, 0) },
			`INSERT INTO "twofactor_accounts" (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO NOTHING`,
			[]any{"alice", int64(7), "confirmed", atMicros, atMicros, []byte("CANARY")}},
		{"create with nothing", func(ctx context.Context, s *sqlstore.Store) error {
			return s.Save(ctx, store.Record{UserID: "bob", Version: 1, State: store.None}, 0)
		},
			`INSERT INTO "twofactor_accounts" (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO NOTHING`,
			[]any{"bob", int64(1), "none", nil, int64(-62135596800000000), []byte{}}},
		{"replace", func(ctx context.Context, s *sqlstore.Store) error { return s.Save(ctx, alice, 6) },
			`UPDATE "twofactor_accounts" SET version = $1, state = $2, due = $3, updated = $4, data = $5 WHERE user_id = $6 AND version = $7`,
			[]any{int64(7), "confirmed", atMicros, atMicros, []byte("CANARY"), "alice", int64(6)}},
		{"erase", func(ctx context.Context, s *sqlstore.Store) error { return s.Erase(ctx, "alice") },
			`DELETE FROM "twofactor_accounts" WHERE user_id = $1`, []any{"alice"}},
		{"list", list(store.Query{}),
			`SELECT ` + columns + ` FROM "twofactor_accounts" ORDER BY user_id LIMIT 101`, []any{}},
		{"list page", list(store.Query{Cursor: cursor, Limit: 7}),
			`SELECT ` + columns + ` FROM "twofactor_accounts" WHERE user_id > $1 ORDER BY user_id LIMIT 8`, []any{"bob"}},
		{"list with conditions", list(store.Query{Cursor: cursor, States: []store.State{store.Confirmed, store.Pending, store.Confirmed}, DueBy: at}),
			`SELECT ` + columns + ` FROM "twofactor_accounts" WHERE user_id > $1 AND state IN ($2, $3) AND due IS NOT NULL AND due <= $4 ORDER BY user_id LIMIT 101`,
			[]any{"bob", "pending", "confirmed", atMicros}},
		{"list by ids", list(store.Query{Cursor: cursor, UserIDs: []string{"dora", "carl", "bob", "alice", "carl"}, States: []store.State{store.None}}),
			`SELECT ` + columns + ` FROM "twofactor_accounts" WHERE user_id IN ($1, $2) AND state IN ($3) ORDER BY user_id LIMIT 101`,
			[]any{"carl", "dora", "none"}},
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dialects {
		for _, o := range ops {
			t.Run(d.String()+"/"+o.name, func(t *testing.T) {
				t.Parallel()
				f := new(fakeDB)
				if err := o.do(t.Context(), sqlstore.New(f.open(t), d)); err != nil {
					t.Fatal(err)
				}
				want := o.want
				if d == sqlstore.SQLite {
					want = strings.ReplaceAll(want, "$", "?")
				} else if d == sqlstore.MySQL {
					if want = inMySQL(want); o.name == "load" {
						want += ` UNION ALL SELECT '', 0, '', NULL, 0, '' FROM DUAL WHERE CONCAT(@@global.read_only) NOT IN ('0', 'OFF')`
						if !strings.Contains(string(doc), "//\t"+want+"\n") {
							t.Errorf("doc.go does not show %s", want)
						}
					}
				} else if !strings.HasPrefix(o.name, "list") || o.name == "list with conditions" {
					if !strings.Contains(string(doc), "//\t"+want+"\n") {
						t.Errorf("doc.go does not show %s", want)
					}
				}
				if len(f.sent) != 1 {
					t.Fatalf("%d statements, want 1: %q", len(f.sent), f.statements())
				}
				if got := f.sent[0]; got.statement != want || !reflect.DeepEqual(got.args, o.args) {
					t.Errorf("sent\n%s %v\nwant\n%s %v", got.statement, got.args, want, o.args)
				}
			})
		}
	}
}

// TestNothingIsSentForInvalidArguments, nor when the context has ended.
func TestNothingIsSentForInvalidArguments(t *testing.T) {
	t.Parallel()
	f := new(fakeDB)
	s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, loadEnded := s.Load(ended, "alice")
	_, listEnded := s.List(ended, store.Query{})
	_, load := s.Load(t.Context(), "")
	_, list := s.List(t.Context(), store.Query{Limit: -1})
	_, cursor := s.List(t.Context(), store.Query{Cursor: "offset=10"})
	for name, c := range map[string]struct{ err, want error }{
		"Load ended":  {loadEnded, context.Canceled},
		"Save ended":  {s.Save(ended, alice, 0), context.Canceled},
		"Erase ended": {s.Erase(ended, "alice"), context.Canceled},
		"List ended":  {listEnded, context.Canceled},
		"Load":        {load, store.ErrInvalid},
		"Save":        {s.Save(t.Context(), alice, 7), store.ErrInvalid},
		"Erase":       {s.Erase(t.Context(), "a\x00"), store.ErrInvalid},
		"List":        {list, store.ErrInvalid},
		"List cursor": {cursor, store.ErrInvalid},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s = %v, want %v", name, c.err, c.want)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("sent %q, want nothing", f.statements())
	}
}

// TestRoundTrip reads a row.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{rows: [][]driver.Value{row()}} }}
	s := sqlstore.New(f.open(t), sqlstore.SQLite)
	got, err := s.Load(t.Context(), "alice")
	if err != nil || !reflect.DeepEqual(got, alice) {
		t.Errorf("Load = %+v, %v, want %+v", got, err, alice)
	}
	page, err := s.List(t.Context(), store.Query{})
	if err != nil || !reflect.DeepEqual(page, store.Page{Records: []store.Record{alice}}) {
		t.Errorf("List = %+v, %v, want alice on one page", page, err)
	}
}

// TestBadRows reads rows that no Save has written. None may look like absence, and none may
// quote the row. In a list, one hides no others, unless its user id can't be read.
func TestBadRows(t *testing.T) {
	t.Parallel()
	edit := func(column int, v driver.Value) [][]driver.Value {
		r := row()
		r[column] = v
		return [][]driver.Value{r}
	}
	for name, rows := range map[string][][]driver.Value{
		"user_id null":      edit(0, nil),
		"another user":      edit(0, "Alice"),
		"user_id too long":  edit(0, strings.Repeat("x", 256)),
		"version null":      edit(1, nil),
		"version 0":         edit(1, int64(0)),
		"version text":      edit(1, "CANARY"),
		"version too large": edit(1, int64(1<<53)),
		"state null":        edit(2, nil),
		"state unknown":     edit(2, "CANARY"),
		"state empty":       edit(2, ""),
		"state capital":     edit(2, "Confirmed"),
		"due text":          edit(3, "CANARY"),
		"due too large":     edit(3, int64(1)<<62),
		"updated null":      edit(4, nil),
		"updated too small": edit(4, int64(-1)<<62),
		"data null":         edit(5, nil),
		"data too long":     edit(5, []byte(strings.Repeat("CANARY", store.MaxData/5))),
		"two rows":          {row(), row()},
		"fewer columns":     {row()[:5]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{rows: rows} }}
			s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
			_, err := s.Load(t.Context(), "alice")
			if err == nil {
				t.Fatal("Load = nil, want an error")
			}
			errs := []error{err}
			switch page, err := s.List(t.Context(), store.Query{}); {
			case name == "another user", name == "two rows": // fine in a list, or for the database to prevent
			case name == "user_id too long":
				if err != nil || len(page.Records) > 0 {
					t.Errorf("List = %+v, %v, want no records", page, err)
				}
			case name == "user_id null", name == "fewer columns":
				if err == nil {
					t.Fatalf("List = %+v, want an error", page)
				}
				errs = append(errs, err)
			case err != nil || !reflect.DeepEqual(page, store.Page{Records: []store.Record{{UserID: "alice"}}}):
				t.Errorf("List = %+v, %v, want the user id alone", page, err)
			}
			for _, err := range errs {
				for _, sentinel := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid} {
					if errors.Is(err, sentinel) {
						t.Errorf("%v matches %q", err, sentinel)
					}
				}
				if strings.Contains(err.Error(), "CANARY") {
					t.Errorf("%v quotes the row", err)
				}
			}
		})
	}
}

// everyMethod calls every method that sends something.
func everyMethod(ctx context.Context, s *sqlstore.Store) map[string]error {
	_, load := s.Load(ctx, "alice")
	_, list := s.List(ctx, store.Query{})
	_, ids := s.List(ctx, store.Query{UserIDs: []string{"alice"}})
	return map[string]error{
		"Load":        load,
		"Save create": s.Save(ctx, alice, 0),
		"Save":        s.Save(ctx, alice, 6),
		"Erase":       s.Erase(ctx, "alice"),
		"List":        list,
		"List by ids": ids,
		"Migrate":     s.Migrate(ctx),
		"Check":       s.Check(ctx),
	}
}

// TestDriverErrors sees that the driver's errors arrive, and match no
// sentinel.
func TestDriverErrors(t *testing.T) {
	t.Parallel()
	down := errors.New("the server is down")
	for name, f := range map[string]*fakeDB{
		"execute": {answer: func(context.Context, string, []any) reply { return reply{err: down} }},
		"prepare": {prepares: true, prepareErr: down},
		"rows":    {answer: func(context.Context, string, []any) reply { return reply{nextErr: down, countErr: down} }},
	} {
		for _, d := range dialects {
			t.Run(fmt.Sprintf("%s/%v", name, d), func(t *testing.T) {
				f := &fakeDB{answer: f.answer, prepares: f.prepares, prepareErr: f.prepareErr}
				for method, err := range everyMethod(t.Context(), sqlstore.New(f.open(t), d)) {
					if !errors.Is(err, down) {
						t.Errorf("%s = %v, want the driver's error", method, err)
					}
					if strings.Contains(fmt.Sprint(err), "%!") {
						t.Errorf("%s = %v", method, err)
					}
					for _, sentinel := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid, sqlstore.ErrSchema, sqlstore.ErrSettings} {
						if errors.Is(err, sentinel) {
							t.Errorf("%s = %v, which matches %q", method, err, sentinel)
						}
					}
				}
			})
		}
	}
}

// TestPreparedStatements uses a driver that knows nothing else.
func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	f := &fakeDB{prepares: true}
	if err := sqlstore.New(f.open(t), sqlstore.SQLite).Save(t.Context(), alice, 0); err != nil || len(f.sent) != 1 {
		t.Errorf("Save = %v with %d statements, want nil with 1", err, len(f.sent))
	}
}

// TestContextErrors sees that whatever a driver says when the context ends,
// the error matches the context's, and the driver's as well.
func TestContextErrors(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted (9)")
	for _, d := range dialects {
		for _, method := range []string{"Load", "Save create", "Save", "Erase", "List", "List by ids", "Migrate", "Check"} {
			t.Run(d.String()+"/"+method, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				f := &fakeDB{answer: func(context.Context, string, []any) reply {
					cancel()
					return reply{err: interrupted}
				}}
				s := sqlstore.New(f.open(t), d)
				var err error
				switch method {
				case "Load":
					_, err = s.Load(ctx, "alice")
				case "Save create":
					err = s.Save(ctx, alice, 0)
				case "Save":
					err = s.Save(ctx, alice, 6)
				case "Erase":
					err = s.Erase(ctx, "alice")
				case "List":
					_, err = s.List(ctx, store.Query{})
				case "List by ids":
					_, err = s.List(ctx, store.Query{UserIDs: []string{"alice"}})
				case "Migrate":
					err = s.Migrate(ctx)
				case "Check":
					err = s.Check(ctx)
				}
				if !errors.Is(err, context.Canceled) || !errors.Is(err, interrupted) {
					t.Errorf("%v, want an error that matches context.Canceled and the driver's", err)
				}
			})
		}
	}
}

// overdue is a context whose deadline has passed and that has not noticed.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// TestDeadlineSeenByTheDriver sees that a driver that is faster than the
// context's timer makes no other error of it.
func TestDeadlineSeenByTheDriver(t *testing.T) {
	t.Parallel()
	timeout := errors.New("i/o timeout")
	f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{err: timeout} }}
	err := sqlstore.New(f.open(t), sqlstore.PostgreSQL).Save(overdue{t.Context()}, alice, 0)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, timeout) {
		t.Errorf("Save = %v, want an error that matches DeadlineExceeded and the driver's", err)
	}
}

// TestRowsChanged holds what the number of changed rows means.
func TestRowsChanged(t *testing.T) {
	t.Parallel()
	unknown := errors.New("no RowsAffected available")
	for name, c := range map[string]struct {
		reply reply
		want  error // nil for success, errAny for one that matches no sentinel
	}{
		"one":      {reply{changed: 1}, nil},
		"none":     {reply{changed: 0}, store.ErrConflict},
		"two":      {reply{changed: 2}, errAny},
		"negative": {reply{changed: -1}, errAny},
		"unknown":  {reply{changed: 1, countErr: unknown}, unknown},
		"error":    {reply{err: errors.New("deadlock detected")}, errAny},
	} {
		for _, prev := range []int64{0, 6} {
			t.Run(fmt.Sprintf("%s/prev %d", name, prev), func(t *testing.T) {
				t.Parallel()
				f := &fakeDB{answer: func(context.Context, string, []any) reply { return c.reply }}
				err := sqlstore.New(f.open(t), sqlstore.PostgreSQL).Save(t.Context(), alice, prev)
				switch {
				case c.want == nil && err != nil:
					t.Errorf("Save = %v, want nil", err)
				case c.want == errAny && (err == nil || errors.Is(err, store.ErrConflict)):
					t.Errorf("Save = %v, want an error that is no conflict", err)
				case c.want != nil && c.want != errAny && !errors.Is(err, c.want):
					t.Errorf("Save = %v, want %v", err, c.want)
				}
				if err != nil && strings.Contains(err.Error(), "CANARY") {
					t.Errorf("%v holds Data", err)
				}
			})
		}
	}
	// Erase does not care.
	f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{} }}
	if err := sqlstore.New(f.open(t), sqlstore.PostgreSQL).Erase(t.Context(), "alice"); err != nil {
		t.Errorf("Erase of nobody = %v, want nil", err)
	}
}

var errAny = errors.New("any")

// TestOneWriter sees that a Store on SQLite sends one write at a time, that
// one that waits heeds its context, and that reading does not wait.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	for d, want := range map[sqlstore.Dialect]int32{sqlstore.SQLite: 1, sqlstore.PostgreSQL: 3, sqlstore.MySQL: 3} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var writing atomic.Int32
				release := make(chan struct{})
				f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
					if strings.HasPrefix(statement, "SELECT") {
						return reply{}
					}
					writing.Add(1)
					<-release
					writing.Add(-1)
					return reply{changed: 1}
				}}
				s := sqlstore.New(f.open(t), d)
				results := make(chan error, 3)
				for _, write := range []func() error{
					func() error { return s.Save(t.Context(), alice, 0) },
					func() error { return s.Save(t.Context(), alice, 6) },
					func() error { return s.Erase(t.Context(), "alice") },
				} {
					go func() { results <- write() }()
				}
				synctest.Wait()
				if n := writing.Load(); n != want {
					t.Errorf("%d writes at a time, want %d", n, want)
				}
				if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Load beside a write = %v, want ErrNotFound at once", err)
				}
				if d == sqlstore.SQLite {
					soon, cancel := context.WithTimeout(t.Context(), time.Second)
					if err := s.Save(soon, alice, 6); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Save that waits = %v, want DeadlineExceeded", err)
					}
					cancel()
				}
				close(release)
				for range 3 {
					if err := <-results; err != nil {
						t.Errorf("a write = %v, want nil", err)
					}
				}
			})
		})
	}
}

// TestListChunks looks at how many ids go into one statement, and that no
// more statements are sent than the page needs.
func TestListChunks(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("u%03d", i))
	}
	slices.Reverse(ids)
	f := &fakeDB{answer: func(_ context.Context, _ string, args []any) reply {
		var r reply
		for _, id := range args {
			v := row()
			v[0] = id
			r.rows = append(r.rows, v)
		}
		return r
	}}
	s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
	page, err := s.List(t.Context(), store.Query{UserIDs: ids, Limit: 1000})
	if err != nil || len(page.Records) != 250 || page.Next != "" || len(f.sent) != 3 {
		t.Fatalf("List = %d records, next %q, %v in %d statements; want all 250 in 3", len(page.Records), page.Next, err, len(f.sent))
	}
	if !slices.IsSortedFunc(page.Records, func(a, b store.Record) int { return strings.Compare(a.UserID, b.UserID) }) {
		t.Error("the records are not sorted")
	}
	if !strings.HasSuffix(f.sent[2].statement, "LIMIT 801") || len(f.sent[2].args) != 50 {
		t.Errorf("the last statement has %d ids and ends with %q", len(f.sent[2].args), f.sent[2].statement[len(f.sent[2].statement)-9:])
	}
	f.sent = nil
	if page, err = s.List(t.Context(), store.Query{UserIDs: ids, Limit: 99}); err != nil || len(page.Records) != 99 || page.Next == "" || len(f.sent) != 1 {
		t.Errorf("List = %d records, next %q, %v in %d statements; want 99 and more in 1", len(page.Records), page.Next, err, len(f.sent))
	}
	f.sent = nil
	if page, err = s.List(t.Context(), store.Query{UserIDs: []string{}}); err != nil || len(page.Records) != 0 || len(f.sent) != 0 {
		t.Errorf("List of no ids = %d records, %v in %d statements; want none", len(page.Records), err, len(f.sent))
	}
}
