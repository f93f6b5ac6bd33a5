package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// Limits of checkRaceClose. With a fast store there are many rounds; with a slow one,
// whose Saves overlap anyway, there are few.
const (
	minClose, maxClose = 50, 20_000
	closeTime          = 300 * time.Millisecond
	closeCreates       = 8 // each of that many rounds creates a record, the others replace one
)

// checkRaceClose lets two goroutines save at the same moment, again and again. They
// meet by spinning, so that not even a switch of goroutines lies between their Saves.
func checkRaceClose(ctx context.Context, s store.Store) error {
	if err := save(ctx, s, sample("alice", 1), 0); err != nil {
		return err
	}
	var meet meeting
	var results [2]error
	var over atomic.Bool
	began := time.Now()
	return together(len(results), func(i int) error {
		prev := int64(1)
		for round := int64(1); ; round++ {
			userID, replaces := "alice", prev
			if round%closeCreates == 0 {
				userID, replaces = fmt.Sprintf("user-%d", round), 0
			}
			r := sample(userID, 2*round+int64(i))
			meet.join()
			results[i] = s.Save(ctx, r, replaces)
			meet.join()
			won, err := winner(results)
			if err == nil {
				if replaces != 0 {
					prev = 2*round + int64(won)
				}
				err = holds(ctx, s, sample(userID, 2*round+int64(won)))
			}
			if err != nil || i == 0 && (round >= maxClose || round >= minClose && time.Since(began) > closeTime) {
				over.Store(true)
			}
			meet.join() // both have looked, and agree on whether to go on
			switch {
			case err != nil:
				return fmt.Errorf("round %d: %w", round, err)
			case over.Load():
				return nil
			}
		}
	})
}

// winner returns which of two Saves succeeded.
func winner(results [2]error) (int, error) {
	won := 0
	if results[0] != nil {
		won = 1
	}
	if results[won] != nil || results[1-won] == nil {
		return 0, fmt.Errorf("two Saves at the same moment returned %v and %v, want one success", results[0], results[1])
	}
	if bad := only(results[1-won], store.ErrConflict); bad != nil {
		return 0, fmt.Errorf("a Save that lost = %w", bad)
	}
	return won, nil
}

// A meeting lets two goroutines go on at the same moment.
type meeting struct{ arrived atomic.Int64 }

// join returns when both have called it.
func (m *meeting) join() {
	until := (m.arrived.Add(1) + 1) / 2 * 2
	for spins := 1; m.arrived.Load() < until; spins++ {
		if spins%1000 == 0 {
			runtime.Gosched() // there may be one processor
		}
	}
}
