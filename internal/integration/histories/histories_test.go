package histories_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// A cheat is a store with a defect.
type cheat struct {
	proving.Full
	load func(ctx context.Context, user string) (store.Record, error)
	save func(ctx context.Context, r store.Record, prev int64) error
}

func (c cheat) Load(ctx context.Context, user string) (store.Record, error) {
	runtime.Gosched() // as a call over a network does
	if c.load != nil {
		return c.load(ctx, user)
	}
	return c.Full.Load(ctx, user)
}

func (c cheat) Save(ctx context.Context, r store.Record, prev int64) error {
	runtime.Gosched()
	if c.save != nil {
		return c.save(ctx, r, prev)
	}
	return c.Full.Save(ctx, r, prev)
}

// overwrite saves the record over whatever is there.
func overwrite(ctx context.Context, s proving.Full, r store.Record) error {
	for {
		now, err := s.Load(ctx, r.UserID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := s.Save(ctx, r, now.Version); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// cheats are stores that histories find, each with the rule that it breaks.
var cheats = map[string]func() proving.Full{
	"compares in one step and writes in another": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			now, err := s.Load(ctx, r.UserID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if now.Version != prev {
				return store.ErrConflict
			}
			runtime.Gosched()
			return overwrite(ctx, s, r)
		}}
	},
	"reads what was there before": func() proving.Full {
		s := memory.New()
		var mu sync.Mutex
		old := map[string]store.Record{}
		return cheat{
			Full: s,
			load: func(_ context.Context, user string) (store.Record, error) {
				mu.Lock()
				defer mu.Unlock()
				if r, ok := old[user]; ok && r.Version != 0 {
					return r, nil
				}
				return store.Record{}, store.ErrNotFound
			},
			save: func(ctx context.Context, r store.Record, prev int64) error {
				mu.Lock()
				defer mu.Unlock()
				now, err := s.Load(ctx, r.UserID)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				err = s.Save(ctx, r, prev)
				if err == nil {
					old[r.UserID] = now
				}
				return err
			},
		}
	},
	"acknowledges what it does not write": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			if r.Version%4 == 0 {
				return nil
			}
			return s.Save(ctx, r, prev)
		}}
	},
	"writes and says that there is a conflict": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			if err := s.Save(ctx, r, prev); err != nil || r.Version%4 == 0 {
				return store.ErrConflict
			}
			return nil
		}}
	},
	"creates over a record": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			if prev == 0 {
				return overwrite(ctx, s, r)
			}
			return s.Save(ctx, r, prev)
		}}
	},
	"replaces what was erased": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			if _, err := s.Load(ctx, r.UserID); errors.Is(err, store.ErrNotFound) {
				prev = 0
			}
			return s.Save(ctx, r, prev)
		}}
	},
	"returns the data of another version": func() proving.Full {
		s := memory.New()
		return cheat{Full: s, load: func(ctx context.Context, user string) (store.Record, error) {
			r, err := s.Load(ctx, user)
			if r.Version%4 == 0 && len(r.Data) > 0 {
				r.Data[0]++
			}
			return r, err
		}}
	},
	"says that there is a conflict for no reason": func() proving.Full {
		s := memory.New()
		var mu sync.Mutex // no two calls are at once, so deadlocks do not explain it
		return cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			mu.Lock()
			defer mu.Unlock()
			if r.Version%4 == 0 {
				return store.ErrConflict
			}
			return s.Save(ctx, r, prev)
		}}
	},
}

// enough is more rounds than any cheat has needed by far. The first few find it.
const enough = 2000

func TestCheatsAreCaught(t *testing.T) {
	t.Parallel()
	for name, open := range cheats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := histories.Check(t.Context(), []proving.Full{open()}, histories.Options{Rounds: enough, Deadlock: func(error) bool { return false }})
			if !errors.Is(err, histories.ErrWrong) {
				t.Fatalf("a store that %s was not caught in %v: %v", name, f, err)
			}
			t.Logf("after %v: %v", f, err)
		})
	}
}

// TestLastLookIsRepeated has a store that is away when all is over, and has lost the record when
// it is back.
func TestLastLookIsRepeated(t *testing.T) {
	t.Parallel()
	const all = 4 * 6 // calls in a history, but for the last one
	s := memory.New()
	var mu sync.Mutex
	calls := make(map[string]int)
	count := func(user string) int {
		mu.Lock()
		defer mu.Unlock()
		calls[user]++
		return calls[user]
	}
	counted := counting{cheat{Full: s}, count}
	counted.load = func(ctx context.Context, user string) (store.Record, error) {
		if count(user) == all+1 {
			return store.Record{}, errors.Join(errors.New("away"), s.Erase(ctx, user))
		}
		return s.Load(ctx, user)
	}
	f, err := histories.Check(t.Context(), []proving.Full{counted}, histories.Options{Rounds: 100, Faulty: true})
	if !errors.Is(err, histories.ErrWrong) {
		t.Errorf("%v, %v", f, err)
	}
}

// A counting store counts its writes.
type counting struct {
	cheat
	count func(user string) int
}

func (c counting) Save(ctx context.Context, r store.Record, prev int64) error {
	c.count(r.UserID)
	return c.cheat.Save(ctx, r, prev)
}

func (c counting) Erase(ctx context.Context, user string) error {
	c.count(user)
	return c.cheat.Erase(ctx, user)
}

// TestMemory has a store without a defect.
func TestMemory(t *testing.T) {
	t.Parallel()
	f, err := histories.Check(t.Context(), []proving.Full{cheat{Full: memory.New()}}, histories.Options{Rounds: 500})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(f)
	if f.Saved == 0 || f.Conflicts == 0 {
		t.Error("nothing was saved, or nothing was a conflict")
	}
}

// TestCancelledIsNotLost has a store that is slow, so that its callers give up, and one that
// loses the replies to some of its writes as well.
func TestCancelledIsNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, cancelledIsNotLost) // so that a caller who gives up always comes first
}

func cancelledIsNotLost(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		s := memory.New()
		f, err := histories.Check(t.Context(), []proving.Full{cheat{Full: s, save: func(ctx context.Context, r store.Record, prev int64) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond): // longer than any caller waits who gives up
			}
			err := s.Save(ctx, r, prev)
			if lossy && r.Version%8 == 0 {
				err = errors.New("no reply")
			}
			return err
		}}}, histories.Options{Rounds: 30, Faulty: true})
		t.Log(f)
		if err != nil || f.Cancelled == 0 || (f.Unknown > 0) != lossy {
			t.Errorf("replies are lost: %v: %v, %v", lossy, f, err)
		}
	}
}
