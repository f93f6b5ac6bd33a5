package integration_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A tally is what writers were told, and what was there after a failover.
type tally struct{ failovers, acknowledged, lost, accounts int }

// String returns the figures as the cells of a table.
func (y tally) String() string {
	return fmt.Sprintf("%d | %d | %d | %d", y.failovers, y.acknowledged, y.lost, y.accounts)
}

// tallyWriters is how many accounts are written at once.
const tallyWriters = 8

// fail lets writers replace the records of their users, fails over in the middle, and adds
// to the tally what they were told that is not there.
func (y *tally) fail(t *testing.T, s proving.Full, failOver func(ctx context.Context) error) {
	t.Helper()
	ctx := t.Context()
	var acked [tallyWriters]int64
	var stop atomic.Bool
	var writes atomic.Int64
	failed := make(chan error, tallyWriters)
	var group sync.WaitGroup
	user := func(w int) string { return fmt.Sprintf("failover-%d-%d", y.failovers, w) }
	for w := range tallyWriters {
		group.Go(func() {
			for next := int64(1); !stop.Load(); next++ {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				err := s.Save(ctx, record(user(w), next), next-1)
				cancel()
				if err != nil {
					failed <- err
					return // what it was to replace may be gone
				}
				acked[w] = next
				writes.Add(1)
			}
		})
	}
	for writes.Load() < 30*tallyWriters && t.Context().Err() == nil {
		if len(failed) == tallyWriters {
			t.Fatalf("no writer is left: %v", <-failed)
		}
		time.Sleep(time.Millisecond) // in the middle
	}
	if err := failOver(ctx); err != nil {
		t.Fatal(err)
	}
	stop.Store(true)
	group.Wait()
	for w := range tallyWriters {
		var r store.Record
		for { // the client may still look for the new primary
			var err error
			if r, err = s.Load(ctx, user(w)); err == nil || errors.Is(err, store.ErrNotFound) {
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		y.acknowledged += int(acked[w])
		if gone := acked[w] - r.Version; gone > 0 {
			y.lost += int(gone)
			y.accounts++
		}
	}
	y.failovers++
}

// tallied fails over some times, or, for long runs, for a quarter of the time of a siege.
func tallied(t *testing.T, what string, s proving.Full, failOver func(ctx context.Context) error, short int) tally {
	t.Helper()
	l := besieged(t, short)
	var y tally
	for began := time.Now(); y.failovers < l.Rounds || time.Since(began) < l.Time/4; {
		y.fail(t, s, failOver)
	}
	if y.failovers > 0 {
		report(t, what+", eight writers", y)
	}
	return y
}

// beaten besieges a store and lets it fail over in every other round. It returns what
// came out that must not be.
func beaten(t *testing.T, what string, s proving.Full, failOver func(ctx context.Context) error) []string {
	t.Helper()
	figures := siege.Find(t, s, func() {
		if err := failOver(t.Context()); err != nil {
			t.Error(err)
		}
	}, besieged(t, 2))
	report(t, what, figures)
	t.Log(strings.Join(figures.Wrong, "\n"))
	return figures.Wrong
}

// TestFailover kills the primary of PostgreSQL and promotes its standby, in the middle of
// sign-ins, setups and guesses. A synchronous standby has all that was acknowledged; what
// an asynchronous one lacks is measured.
func TestFailover(t *testing.T) {
	t.Parallel()
	for name, synchronous := range map[string]bool{"synchronous": true, "asynchronous": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !synchronous && os.Getenv(siegeFor) == "" {
				t.Skipf("what it loses is measured with %s", siegeFor)
			}
			what := "PostgreSQL, " + name + " standby"
			pair := testenv.PostgresPair(t, synchronous)
			s := migrated(t, sqlstore.New(testenv.OpenPostgres(t, pair.DSN()), sqlstore.PostgreSQL))
			wrong := beaten(t, what, s, pair.FailOver)
			y := tallied(t, what, s, pair.FailOver, 0)
			if synchronous && (len(wrong) > 0 || y.lost > 0) {
				t.Error("a synchronous standby has lost what was acknowledged")
			}
		})
	}
}
