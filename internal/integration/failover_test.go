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

// String is for the log of a test.
func (y tally) String() string {
	return fmt.Sprintf("%d failovers, %d writes acknowledged, %d of them lost on %d accounts", y.failovers, y.acknowledged, y.lost, y.accounts)
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
	var group sync.WaitGroup
	user := func(w int) string { return fmt.Sprintf("failover-%d-%d", y.failovers, w) }
	for w := range tallyWriters {
		group.Go(func() {
			for next := int64(1); !stop.Load(); next++ {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				err := s.Save(ctx, record(user(w), next), next-1)
				cancel()
				if err != nil {
					return // what it was to replace may be gone
				}
				acked[w] = next
				writes.Add(1)
			}
		})
	}
	for writes.Load() < 30*tallyWriters && t.Context().Err() == nil {
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

// TestFailover kills the primary of PostgreSQL and promotes its standby, in the middle of
// sign-ins, setups and guesses. A synchronous standby has all that was acknowledged; what
// an asynchronous one lacks is measured.
func TestFailover(t *testing.T) {
	t.Parallel()
	for name, synchronous := range map[string]bool{"synchronous": true, "asynchronous": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !synchronous && os.Getenv(siegeRounds) == "" {
				t.Skipf("what it loses is measured with %s", siegeRounds)
			}
			pair := testenv.PostgresPair(t, synchronous)
			s := migrated(t, sqlstore.New(testenv.OpenPostgres(t, pair.DSN()), sqlstore.PostgreSQL))
			failovers := 0
			found := siege.Find(t, s, func() {
				if err := pair.FailOver(t.Context()); err != nil {
					t.Error(err)
				}
				failovers++
			}, besieged(t, 2))
			t.Logf("%d failovers, found: %d\n%s", failovers, len(found), strings.Join(found, "\n"))
			if synchronous && len(found) > 0 {
				t.Error("a synchronous standby has lost what was acknowledged")
			}
			var y tally
			for range besieged(t, 0) / 2 {
				y.fail(t, s, pair.FailOver)
			}
			if y.failovers > 0 {
				t.Log(y)
			}
			if synchronous && y.lost > 0 {
				t.Error("a synchronous standby has lost what was acknowledged")
			}
		})
	}
}
