package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// TestGivenUpSaveIsConfirmed gives a Save up. PostgreSQL has then stopped waiting for its
// standby and shows the write, whatever the driver says. A Load returns nothing until the
// standby has the write.
func TestGivenUpSaveIsConfirmed(t *testing.T) {
	t.Parallel()
	const confirm = `SELECT pg_logical_emit_message(true, 'twofactor', '')`
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
						return reply{rows: [][]driver.Value{{"alice", int64(7), "confirmed", nil, int64(0), []byte("data")}}}
					}
					cancel()
					return reply{changed: 1, err: says}
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

// TestGivenUpEraseIsConfirmed gives an Erase up. The standby may have the row yet, so the
// row is not gone for a Load until the standby has lost it, too.
func TestGivenUpEraseIsConfirmed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	away := errors.New("the standby is away")
	standby := away
	f := &fakeDB{answer: func(_ context.Context, statement string, _ []any) reply {
		switch {
		case strings.Contains(statement, "pg_logical_emit_message"):
			return reply{changed: 1, err: standby}
		case strings.HasPrefix(statement, "DELETE"):
			cancel()
			return reply{changed: 1}
		}
		return reply{}
	}}
	s := sqlstore.New(f.open(t), sqlstore.PostgreSQL)
	if err := s.Erase(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("Erase = %v", err)
	}
	for _, want := range []error{away, away, store.ErrNotFound, store.ErrNotFound} {
		if want == store.ErrNotFound {
			standby = nil
		}
		if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, want) {
			t.Errorf("Load = %v, want %v", err, want)
		}
	}
}
