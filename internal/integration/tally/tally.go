// Package tally lets writers note what a store has acknowledged while its database fails
// over, and counts what is gone afterwards.
package tally

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// A Tally is what writers were told, and what was there after each failover.
type Tally struct{ Failovers, Acknowledged, Lost, Accounts int }

// String returns the figures as the cells of a table.
func (y Tally) String() string {
	return fmt.Sprintf("%d | %d | %d | %d", y.Failovers, y.Acknowledged, y.Lost, y.Accounts)
}

// writers is how many accounts are written at once. Each has so many versions, about, when
// the database fails.
const (
	writers  = 8
	versions = 30
)

// patience is how often in a row a writer fails before anything was done to the database.
const patience = 10

// within is how long a call may take.
const within = 2 * time.Second

// Fail lets writers replace the records of their users, fails over in the middle, and adds
// to the tally what they were told that is not there.
func (y *Tally) Fail(ctx context.Context, s store.Store, failOver func(ctx context.Context) error) error {
	var acked [writers]int64
	var failing, stop atomic.Bool
	var writes atomic.Int64
	failed := make(chan error, writers)
	var group sync.WaitGroup
	user := func(w int) string { return fmt.Sprintf("failover-%d-%d", y.Failovers, w) }
	for w := range writers {
		group.Go(func() {
			for next, tries := int64(1), 0; !stop.Load(); next++ {
				limited, cancel := context.WithTimeout(ctx, within)
				err := s.Save(limited, record(user(w), next), next-1)
				cancel()
				switch {
				case err == nil:
					acked[w], tries = next, 0
					writes.Add(1)
					continue
				case failing.Load(): // what it was to replace may be gone
					return
				}
				// The database is busy, or has refused a write for another one's sake.
				version, gone := settled(ctx, s, user(w))
				if tries++; tries == patience || gone != nil || version < acked[w] {
					failed <- err
					return
				}
				next = version
			}
		})
	}
	for writes.Load() < versions*writers {
		if len(failed) == writers {
			return fmt.Errorf("no writer is left: %w", <-failed)
		}
		time.Sleep(time.Millisecond) // in the middle
	}
	failing.Store(true)
	err := failOver(ctx)
	stop.Store(true)
	group.Wait()
	if err != nil {
		return err
	}
	for w := range writers {
		version, err := settled(ctx, s, user(w))
		if err != nil {
			return err
		}
		y.Acknowledged += int(acked[w])
		if gone := acked[w] - version; gone > 0 {
			y.Lost += int(gone)
			y.Accounts++
		}
	}
	y.Failovers++
	return nil
}

// record is as large as one with a phone and recovery codes.
func record(user string, version int64) store.Record {
	return store.Record{UserID: user, Version: version, State: store.Confirmed, Data: bytes.Repeat([]byte{byte(version)}, 700)}
}

// settled returns the version of the user's record, or 0 if there is none. The client may
// still look for the new primary.
func settled(ctx context.Context, s store.Store, user string) (version int64, err error) {
	err = server.Until(ctx, func() error {
		limited, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		r, err := s.Load(limited, user)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		version = r.Version
		return err
	})
	return version, err
}
