package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// raceCases test what makes a code work only once.
var raceCases = []testCase{
	{
		name:   "race-replace",
		clause: "Comparing and writing are one atomic step: of many concurrent Saves that replace the same version, exactly one succeeds, all others return ErrConflict, and the record is the one of the Save that succeeded.",
		check: func(ctx context.Context, s store.Store) error {
			const rounds = 25
			prev := int64(1)
			if err := save(ctx, s, sample("alice", prev), 0); err != nil {
				return err
			}
			for round := range rounds {
				won, err := race(ctx, s, "alice", prev, int64(round+1)*1000)
				if err != nil {
					return fmt.Errorf("round %d: %w", round, err)
				}
				prev = won
			}
			return nil
		},
	},
	{
		name:   "race-create",
		clause: "Of many concurrent Saves that create the same record, exactly one succeeds, all others return ErrConflict, and the record is the one of the Save that succeeded.",
		check: func(ctx context.Context, s store.Store) error {
			const rounds = 12
			for round := range rounds {
				if _, err := race(ctx, s, fmt.Sprintf("user-%d", round), 0, 1000); err != nil {
					return fmt.Errorf("round %d: %w", round, err)
				}
			}
			return nil
		},
	},
	{
		name:   "race-close",
		clause: "Comparing and writing are one atomic step, however close two Saves come.",
		check:  checkRaceClose,
	},
	{
		name:   "race-users",
		clause: "Saves of different users do not conflict with each other, and no Save is lost.",
		check: func(ctx context.Context, s store.Store) error {
			const users, saves = 40, 6
			return together(users, func(u int) error {
				id := fmt.Sprintf("user-%d", u)
				for v := int64(1); v <= saves; v++ {
					if err := first(save(ctx, s, sample(id, v), v-1), holds(ctx, s, sample(id, v))); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
	{
		name:   "race-load",
		clause: "Load returns the latest committed record. It never returns ErrNotFound while there is a record, never a record that is half written, and never an older one than a Save has acknowledged or a Load has returned before.",
		check:  checkRaceLoad,
	},
}

// racers is how many goroutines compete for one record.
const racers = 50

// race lets all racers replace version prev of the user's record at once with
// versions from base on. It returns the version that was saved.
func race(ctx context.Context, s store.Store, userID string, prev, base int64) (int64, error) {
	results := make([]error, racers)
	_ = together(racers, func(i int) error {
		results[i] = s.Save(ctx, sample(userID, base+int64(i)), prev)
		return nil
	})
	var won []int64
	for i, err := range results {
		if err == nil {
			won = append(won, base+int64(i))
		} else if bad := only(err, store.ErrConflict); bad != nil {
			return 0, fmt.Errorf("a Save that lost = %w", bad)
		}
	}
	if len(won) != 1 {
		return 0, fmt.Errorf("of %d concurrent Saves with prev %d %d succeeded, want exactly 1", racers, prev, len(won))
	}
	return won[0], holds(ctx, s, sample(userID, won[0]))
}

// together runs f(0) to f(n-1) in goroutines that start at once, waits for all of
// them, and returns an error if one of them returned one.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	all.Wait()
	return first(errs...)
}

// Limits of checkRaceLoad. With a fast store, saving goes on until the readers have read
// enough; with a slow one, it ends soon.
const (
	minSaves, maxSaves = 60, 20_000
	minLoads           = 40 // per reader
)

func checkRaceLoad(ctx context.Context, s store.Store) error {
	const readers = 4
	if err := save(ctx, s, sample("alice", 1), 0); err != nil {
		return err
	}
	var acked atomic.Int64 // the highest version whose Save has returned
	acked.Store(1)
	var reading atomic.Int64 // readers that have not read enough
	reading.Store(readers)
	var done atomic.Bool
	return together(readers+1, func(i int) error {
		if i == 0 {
			defer done.Store(true)
			for v := int64(2); v <= minSaves || reading.Load() > 0 && v <= maxSaves; v++ {
				if err := save(ctx, s, sample("alice", v), v-1); err != nil {
					return err
				}
				acked.Store(v)
			}
			return nil
		}
		enough := sync.OnceFunc(func() { reading.Add(-1) })
		defer enough()
		seen := int64(0)
		for loads := 1; !done.Load(); loads++ {
			atLeast := max(seen, acked.Load())
			got, err := s.Load(ctx, "alice")
			if err != nil {
				return fmt.Errorf("Load while the record was being replaced = %w, want a record", err)
			}
			if got.Version < atLeast {
				return fmt.Errorf("Load returned version %d after version %d had been acknowledged", got.Version, atLeast)
			}
			if err := diff(got, sample("alice", got.Version)); err != nil {
				return fmt.Errorf("Load while the record was being replaced: %w", err)
			}
			seen = got.Version
			if loads == minLoads {
				enough()
			}
		}
		return nil
	})
}
