package tally_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/tally"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A busy store refuses each fifth write, although nobody else writes.
type busy struct {
	*memory.Store
	writes atomic.Int64
}

func (b *busy) Save(ctx context.Context, r store.Record, prev int64) error {
	if b.writes.Add(1)%5 == 0 {
		return store.ErrConflict
	}
	return b.Store.Save(ctx, r, prev)
}

// Writers go on after such a refusal, and nothing is lost.
func TestTallyOfBusyStore(t *testing.T) {
	t.Parallel()
	var y tally.Tally
	if err := y.Fail(t.Context(), &busy{Store: memory.New()}, func(context.Context) error { return nil }); err != nil || y.Acknowledged < 240 || y.Lost != 0 {
		t.Errorf("%v, %v", y, err)
	}
}

// TestTally has a database that loses the records of two users, one that loses nothing, and
// one that does not come back.
func TestTally(t *testing.T) {
	t.Parallel()
	s := memory.New()
	var y tally.Tally
	if err := y.Fail(t.Context(), s, func(context.Context) error { return nil }); err != nil || y.Failovers != 1 || y.Acknowledged == 0 || y.Lost != 0 {
		t.Errorf("a database that loses nothing: %v, %v", y, err)
	}
	if err := y.Fail(t.Context(), s, func(ctx context.Context) error {
		var errs []error
		for _, user := range []string{"failover-1-0", "failover-1-7"} {
			begun := func() error { _, err := s.Load(ctx, user); return err }
			errs = append(errs, server.Until(ctx, begun), s.Erase(ctx, user))
		}
		return errors.Join(errs...)
	}); err != nil || y.Failovers != 2 || y.Lost == 0 || y.Accounts != 2 {
		t.Errorf("a database that loses the records of two users: %v, %v", y, err)
	}
	if cells := y.String(); !strings.HasPrefix(cells, "2 | ") || !strings.HasSuffix(cells, " | 2") {
		t.Errorf("the cells are %q", cells)
	}
	down := errors.New("it does not come back")
	if err := y.Fail(t.Context(), s, func(context.Context) error { return down }); !errors.Is(err, down) || y.Failovers != 2 {
		t.Errorf("a database that does not come back: %v, %v", y, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := y.Fail(ended, s, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("no writer can write: %v", err)
	}
}

// A silent store does not answer a Load.
type silent struct{ *memory.Store }

func (silent) Load(ctx context.Context, _ string) (store.Record, error) {
	<-ctx.Done()
	return store.Record{}, ctx.Err()
}

func (s silent) Save(ctx context.Context, r store.Record, prev int64) error {
	time.Sleep(time.Millisecond) // the clock of a bubble stands still while something runs
	return s.Store.Save(ctx, r, prev)
}

// Nobody waits for such a store without end.
func TestTallyOfSilentStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var y tally.Tally
		began := time.Now()
		err := y.Fail(t.Context(), silent{memory.New()}, func(context.Context) error { return nil })
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 10*time.Minute {
			t.Errorf("after %v: %v, %v", took, y, err)
		}
	})
}
