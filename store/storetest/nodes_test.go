package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// TestRightNodesPass runs the suite on two nodes of one database, with all that they can
// do and with less.
func TestRightNodesPass(t *testing.T) {
	t.Parallel()
	for name, node := range map[string]func(l *lab) store.Store{
		"all": func(l *lab) store.Store { return l },
		"lister": func(l *lab) store.Store {
			return struct {
				store.Store
				store.Lister
			}{l, l}
		},
		"eraser": func(l *lab) store.Store {
			return struct {
				store.Store
				store.Eraser
			}{l, l}
		},
		"two methods": func(l *lab) store.Store { return struct{ store.Store }{l} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.TakingTurns([]store.Store{node(newLab()), node(newLab())})
			_, lists := s.(store.Lister)
			_, erases := s.(store.Eraser)
			if lists != (name == "all" || name == "lister") || erases != (name == "all" || name == "eraser") {
				t.Errorf("it is a Lister: %v, an Eraser: %v", lists, erases)
			}
			storetest.RunNodes(t, func(*testing.T) []store.Store {
				l := newLab()
				return []store.Store{node(l), node(l), node(l)}
			})
		})
	}
	s := storetest.TakingTurns([]store.Store{newLab(), struct{ store.Store }{newLab()}})
	if _, lists := s.(store.Lister); lists {
		t.Error("a node that can't list is asked to")
	}
}

// cached keeps what it has seen, as a node with a cache does.
type cached struct {
	*lab
	mu   sync.Mutex
	seen map[string]store.Record
}

func (c *cached) Load(ctx context.Context, userID string) (store.Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.seen[userID]; ok && ctx.Err() == nil {
		return copied(r), nil
	}
	r, err := c.lab.Load(ctx, userID)
	if err == nil {
		c.seen[userID] = copied(r)
	}
	return r, err
}

func (c *cached) Save(ctx context.Context, r store.Record, prev int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.lab.Save(ctx, r, prev)
	if err == nil {
		c.seen[r.UserID] = copied(r)
	}
	return err
}

func (c *cached) Erase(ctx context.Context, userID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, userID)
	return c.lab.Erase(ctx, userID)
}

// locked compares and writes under a lock of the process, and not of the database.
type locked struct {
	*lab
	mu sync.Mutex
}

func (l *locked) Save(ctx context.Context, r store.Record, prev int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.saveTorn(ctx, r, prev)
}

func (l *locked) Erase(ctx context.Context, userID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lab.Erase(ctx, userID)
}

// late acknowledges a write when it has it in memory, and writes it with the next one.
type late struct {
	*lab
	mu      sync.Mutex
	pending *store.Record
	prev    int64
}

// commit writes what was acknowledged.
func (l *late) commit() {
	if l.pending != nil {
		_ = l.lab.Save(context.Background(), *l.pending, l.prev)
		l.pending = nil
	}
}

func (l *late) Load(ctx context.Context, userID string) (store.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending != nil && l.pending.UserID == userID && ctx.Err() == nil {
		return copied(*l.pending), nil
	}
	return l.lab.Load(ctx, userID)
}

func (l *late) Save(ctx context.Context, r store.Record, prev int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commit()
	if err := errors.Join(ctx.Err(), store.ValidateSave(r, prev)); err != nil {
		return err
	}
	if old, _ := l.get(r.UserID); old.Version != prev {
		return store.ErrConflict
	}
	r = copied(r)
	l.pending, l.prev = &r, prev
	return nil
}

func (l *late) List(ctx context.Context, q store.Query) (store.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commit()
	return l.lab.List(ctx, q)
}

func (l *late) Erase(ctx context.Context, userID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commit()
	return l.lab.Erase(ctx, userID)
}

// brokenNodes are stores that are right as long as there is one of them.
var brokenNodes = map[string]func(l *lab) store.Store{
	"a cache": func(l *lab) store.Store { return &cached{lab: l, seen: make(map[string]store.Record)} },
	"a lock":  func(l *lab) store.Store { return &locked{lab: l} },
	"a lie":   func(l *lab) store.Store { return &late{lab: l} }, // that it has committed
}

// TestOnlyNodesCatch sees that Run passes a store that RunNodes catches.
func TestOnlyNodesCatch(t *testing.T) {
	if name := os.Getenv("STORETEST_BROKEN_NODES"); name != "" {
		storetest.RunNodes(t, func(*testing.T) []store.Store {
			l := newLab()
			return []store.Store{brokenNodes[name](l), brokenNodes[name](l)}
		})
		return
	}
	t.Parallel()
	for name, node := range brokenNodes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("one", func(t *testing.T) {
				storetest.Run(t, func(*testing.T) store.Store { return node(newLab()) })
			})
			want := map[string]string{"a cache": "/replace", "a lock": "/race-replace", "a lie": "/create"}[name]
			for tries := 10; ; tries-- { // a race can be missed
				cmd := exec.Command(os.Args[0], "-test.run=^TestOnlyNodesCatch$")
				cmd.Env = append(os.Environ(), "STORETEST_BROKEN_NODES="+name)
				out, err := cmd.CombinedOutput()
				if err != nil && strings.Contains(string(out), "--- FAIL: TestOnlyNodesCatch"+want) {
					break
				}
				if name != "a lock" || tries == 1 {
					t.Fatalf("RunNodes = %v, want that %s fails:\n%s", err, want, out)
				}
			}
		})
	}
}
