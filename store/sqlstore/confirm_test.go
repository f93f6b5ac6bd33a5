package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// confirm is what makes a Load wait for a standby of PostgreSQL.
const confirm = `SELECT pg_logical_emit_message(true, 'twofactor', '')`

// TestGivenUpSaveIsConfirmed gives a Save up. PostgreSQL has then stopped waiting for its
// standby and shows the write, whatever the driver says. A Load returns nothing until the
// standby has the write.
func TestGivenUpSaveIsConfirmed(t *testing.T) {
	t.Parallel()
	interrupted, away := errors.New("interrupted"), errors.New("the standby is away")
	for _, d := range dialects {
		for what, says := range map[string]error{"the driver fails": interrupted, "the driver takes it for success": nil} {
			t.Run(d.String()+"/"+what, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				standby := away
				f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
					switch {
					case statement == confirm:
						return reply{changed: 1, err: standby}
					case strings.HasPrefix(statement, "SELECT"):
						return reply{rows: rowOfAlice(7)}
					case strings.HasPrefix(statement, "UPDATE"):
						cancel()
						return reply{changed: 1, err: says}
					}
					return reply{}
				}}
				s := sqlstore.New(f.open(t), d)
				confirms := d == sqlstore.PostgreSQL
				if err := s.Save(ctx, alice, 6); (err != nil) != (confirms || says != nil) || err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("Save = %v", err)
				}
				load := func(want error, sends bool) {
					t.Helper()
					before := len(f.statements())
					r, err := s.Load(t.Context(), "alice")
					if !errors.Is(err, want) || (err == nil) != (r.Version == 7) {
						t.Errorf("Load = version %d, %v, want %v", r.Version, err, want)
					}
					if slices.Contains(f.statements()[before:], confirm) != sends {
						t.Errorf("Load has sent %q, want to confirm: %v", f.statements()[before:], sends)
					}
				}
				if confirms {
					load(away, true)
					load(away, true)
					standby = nil
					load(nil, true)
				}
				load(nil, false)
			})
		}
	}
}

func rowOfAlice(version int64) [][]driver.Value {
	return [][]driver.Value{{"alice", version, "confirmed", nil, int64(0), []byte("data")}}
}

// TestConfirmedByOneServer fails over while a Load that is in doubt waits for a connection.
// The new primary lacks what the old one has shown, and its word is not about that.
func TestConfirmedByOneServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	promoted := false
	row := map[bool][][]driver.Value{false: rowOfAlice(7), true: rowOfAlice(6)}
	f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
		switch {
		case strings.HasPrefix(statement, "UPDATE"):
			cancel()
		case strings.HasPrefix(statement, "SELECT user_id"):
			return reply{rows: row[promoted]}
		case strings.HasPrefix(statement, "DELETE"):
			defer func() { row[promoted] = nil }()
			return reply{changed: int64(len(row[promoted]))}
		case statement == "BEGIN":
			promoted = true
		}
		return reply{changed: 1}
	}}
	s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
	if err := s.Save(ctx, alice, 6); !errors.Is(err, context.Canceled) {
		t.Fatalf("Save = %v", err)
	}
	if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != 6 {
		t.Errorf("Load = version %d, %v, want 6, which the server that confirms it has", r.Version, err)
	}
	promoted, row = false, map[bool][][]driver.Value{true: rowOfAlice(6)}
	if err := s.Erase(t.Context(), "alice"); err != nil || row[true] != nil {
		t.Errorf("Erase = %v, and the server that confirms it has %v", err, row[true])
	}
}

// TestGivenUpEraseIsConfirmed gives an Erase up. The standby may have the row yet, so the
// row is not gone for a Load, nor for another process that erases it, until the standby has
// lost it, too.
func TestGivenUpEraseIsConfirmed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	away := errors.New("the standby is away")
	standby, rows := away, int64(1)
	f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
		switch {
		case statement == confirm:
			return reply{changed: 1, err: standby}
		case strings.HasPrefix(statement, "DELETE"):
			cancel()
			defer func() { rows = 0 }()
			return reply{changed: rows}
		}
		return reply{}
	}}
	db := f.open(t)
	s := sqlstore.New(db, sqlstore.PostgreSQL)
	if err := s.Erase(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("Erase = %v", err)
	}
	another := sqlstore.New(db, sqlstore.PostgreSQL)
	for _, want := range []error{away, away, nil, nil} {
		if want == nil {
			standby = nil
		}
		if err := another.Erase(t.Context(), "alice"); !errors.Is(err, want) {
			t.Errorf("Erase by another process = %v, want %v", err, want)
		}
		if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, cmp.Or(want, store.ErrNotFound)) {
			t.Errorf("Load = %v, want %v", err, cmp.Or(want, store.ErrNotFound))
		}
	}
}

// TestGivenUpConfirmIsConfirmed gives an Erase up while it waits for the standby to lack the
// row, which a transaction of its own has deleted. The next Load waits as well.
func TestGivenUpConfirmIsConfirmed(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]error{"the driver fails": errors.New("interrupted"), "the driver takes it for success": nil} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
				if statement == "COMMIT" && ctx.Err() == nil {
					cancel()
					return reply{err: says}
				}
				return reply{} // no row
			}}
			s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
			if err := s.Erase(ctx, "alice"); !errors.Is(err, context.Canceled) {
				t.Errorf("Erase = %v", err)
			}
			for _, confirms := range []bool{true, false} {
				before := len(f.statements())
				if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Load = %v", err)
				}
				if sent := f.statements()[before:]; slices.Contains(sent, confirm) != confirms {
					t.Errorf("Load has sent %q, want to confirm: %v", sent, confirms)
				}
			}
		})
	}
}

// TestUnconfirmedIsNotAbsent lets each step of a Load fail that is in doubt. None is absence.
func TestUnconfirmedIsNotAbsent(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, step := range []string{"BEGIN", "SELECT user_id", confirm, "COMMIT", "a bad row"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
				switch {
				case strings.HasPrefix(statement, step), strings.HasPrefix(statement, "UPDATE"):
					return reply{err: broken}
				case step == "a bad row" && strings.HasPrefix(statement, "SELECT user_id"):
					return reply{rows: rowOfAlice(-1)}
				}
				return reply{}
			}}
			db := f.open(t)
			s := sqlstore.New(db, sqlstore.PostgreSQL)
			if err := s.Save(t.Context(), alice, 6); !errors.Is(err, broken) {
				t.Fatalf("Save = %v", err)
			}
			r, err := s.Load(t.Context(), "alice")
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, broken) == (step == "a bad row") || r.Version != 0 {
				t.Errorf("Load = version %d, %v", r.Version, err)
			}
			if !strings.HasPrefix(err.Error(), "sqlstore: loading a record: ") || strings.Count(err.Error(), "sqlstore") != 1 {
				t.Errorf("the error is %q", err)
			}
			if n := db.Stats().InUse; n != 0 {
				t.Errorf("%d connections are still in use", n)
			}
		})
	}
}

// sqlState is an error with the code of PostgreSQL.
type sqlState string

func (e sqlState) Error() string    { return string(e) }
func (e sqlState) SQLState() string { return string(e) }

// TestDoubts holds after which errors of a Save a Load confirms: where the write may have
// been committed, and a standby may lack it.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for err, doubts := range map[error]bool{
		nil:                       false,
		io.ErrUnexpectedEOF:       true, // an operator has ended the session, or the server died
		driver.ErrBadConn:         true, // the same, from lib/pq
		sqlState("57P01"):         true, // an operator has ended the session
		sqlState("57014"):         true, // somebody has cancelled the statement
		sqlState("08P01"):         true, // PgBouncer has lost the server
		sqlState("XX000"):         true,
		sqlState("HY"):            true, // no code of PostgreSQL
		sqlState("40001"):         false,
		sqlState("55P03"):         false,
		sqlState("25006"):         false, // read only: to confirm would fail for everybody
		errors.New("unspecified"): true,
	} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
				if strings.HasPrefix(statement, "UPDATE") {
					return reply{changed: 1, err: err}
				}
				return reply{}
			}}
			s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
			if got := s.Save(t.Context(), alice, 6); !errors.Is(got, err) {
				t.Errorf("Save = %v", got)
			}
			if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Load = %v", err)
			}
			if sent := f.statements(); slices.Contains(sent, confirm) != doubts || len(sent) != map[bool]int{false: 2, true: 5}[doubts] {
				t.Errorf("%q was sent, want to confirm: %v", sent, doubts)
			}
		})
	}
}

// TestDoubtDuringConfirm gives a Save up while two Loads confirm an earlier one. What they
// confirm came before that Save, so they must not take its doubt away.
func TestDoubtDuringConfirm(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1} { // how many of the two have come to their end before
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer func() { cancel() }()
			waiting, finish, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			var confirms atomic.Int32
			f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
				switch {
				case strings.HasPrefix(statement, "UPDATE"):
					cancel()
				case statement == confirm && confirms.Add(1) <= 2:
					waiting <- struct{}{}
					<-finish
				}
				return reply{changed: 1}
			}}
			s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
			giveUp := func() {
				t.Helper()
				if err := s.Save(ctx, alice, 6); !errors.Is(err, context.Canceled) {
					t.Fatalf("Save = %v", err)
				}
				ctx, cancel = context.WithCancel(t.Context())
			}
			load := func() {
				if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Load = %v", err)
				}
			}
			giveUp()
			for range 2 {
				go func() { load(); done <- struct{}{} }()
				<-waiting
			}
			for i := range 2 {
				if i == after {
					giveUp()
				}
				finish <- struct{}{}
				<-done
			}
			for _, confirmed := range []bool{true, false} {
				before := len(f.statements())
				load()
				if slices.Contains(f.statements()[before:], confirm) != confirmed {
					t.Errorf("Load has sent %q, want to confirm: %v", f.statements()[before:], confirmed)
				}
			}
		})
	}
}

// A Load without a deadline does not wait for ever for a standby that is away.
func TestConfirmEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f := &fakeDB{answer: func(asked context.Context, statement string, _ []any) reply {
			switch {
			case strings.HasPrefix(statement, "UPDATE"):
				cancel()
			case statement == confirm:
				<-asked.Done()
				return reply{err: asked.Err()}
			}
			return reply{changed: 1}
		}}
		s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
		if err := s.Save(ctx, alice, 6); !errors.Is(err, context.Canceled) {
			t.Fatalf("Save = %v", err)
		}
		start := time.Now()
		_, err := s.Load(t.Context(), "alice")
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "standby") {
			t.Errorf("Load = %v, want an error about the standby", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("Load took %v", took)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Load(short, "alice"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Load = %v, want that its context has ended", err)
		}
	})
}

// TestSentOnce has a driver call its connection bad after it has sent a write. The pool
// would send it again, and an Erase could delete what somebody has created since.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		f := &fakeDB{answer: func(context.Context, string, []any) reply { return reply{err: driver.ErrBadConn} }}
		s := sqlstore.New(f.open(t), d)
		for what, err := range map[string]error{"Save": s.Save(t.Context(), alice, 6), "Erase": s.Erase(t.Context(), "alice")} {
			if !errors.Is(err, driver.ErrBadConn) {
				t.Errorf("%v: %s = %v, want the driver's error", d, what, err)
			}
		}
		if sent := f.statements(); len(sent) != 2 {
			t.Errorf("%v: %q was sent, want each once", d, sent)
		}
	}
}
