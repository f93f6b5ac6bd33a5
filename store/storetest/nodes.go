package storetest

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// RunNodes is like [Run] for a database that several processes use. It calls open once
// for each case. Open returns two stores or more on one database, which is fresh and
// empty, each with a pool of its own as a process has. Each call of a case goes to the
// next of them.
//
// It catches what Run can't: a store with a cache in front of the database or with a lock of
// its own, and a replica that is read. Applications run it beside Run, and not in place of it.
// [store.Lister] and [store.Eraser] are tested if all of the stores implement them.
func RunNodes(t *testing.T, open func(t *testing.T) []store.Store) {
	t.Helper()
	Run(t, func(t *testing.T) store.Store {
		nodes := open(t)
		if len(nodes) < 2 {
			t.Fatalf("open returned %d stores, want two or more", len(nodes))
		}
		for i, s := range nodes {
			if s == nil {
				t.Fatalf("store %d is nil", i)
			}
		}
		return takingTurns(nodes)
	})
}

// takingTurns returns a store whose calls go to one of the stores after another.
func takingTurns(nodes []store.Store) store.Store {
	all := &turns{nodes: nodes}
	lists, erases := true, true
	for _, s := range nodes {
		_, ok := s.(store.Lister)
		lists = lists && ok
		_, ok = s.(store.Eraser)
		erases = erases && ok
	}
	switch {
	case lists && erases:
		return struct {
			*turns
			store.Lister
			store.Eraser
		}{all, listTurns{all}, eraseTurns{all}}
	case lists:
		return struct {
			*turns
			store.Lister
		}{all, listTurns{all}}
	case erases:
		return struct {
			*turns
			store.Eraser
		}{all, eraseTurns{all}}
	}
	return all
}

// turns is a Store. The other two add what all of its nodes can do besides.
type (
	turns struct {
		nodes []store.Store
		calls atomic.Uint64
	}
	listTurns  struct{ *turns }
	eraseTurns struct{ *turns }
)

func (s *turns) node() store.Store {
	return s.nodes[s.calls.Add(1)%uint64(len(s.nodes))]
}

func (s *turns) Load(ctx context.Context, userID string) (store.Record, error) {
	return s.node().Load(ctx, userID)
}

func (s *turns) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.node().Save(ctx, r, prev)
}

func (s listTurns) List(ctx context.Context, q store.Query) (store.Page, error) {
	return s.node().(store.Lister).List(ctx, q)
}

func (s eraseTurns) Erase(ctx context.Context, userID string) error {
	return s.node().(store.Eraser).Erase(ctx, userID)
}
