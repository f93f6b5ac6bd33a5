package etcdstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/tally"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// TestLeaderKilled kills the leader in the middle of sign-ins, setups and guesses, again
// and again. Nothing that was acknowledged is lost.
func TestLeaderKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	prefix := newPrefix()
	stores := siege.Open(func() proving.Full {
		_, s := open(t, prefix, c.nodes...)
		return s
	})
	figures := siege.Run(t, stores.Start, func() {
		if err := c.failOver(t.Context()); err != nil {
			t.Error(err)
		}
	}, long.Siege(t, 2))
	long.Report(t, "etcd, the leader is killed", figures)
	if len(figures.Broken) > 0 {
		t.FailNow()
	}
	t.Run("acknowledged", func(t *testing.T) { acknowledged(t, c) })
	t.Run("histories", func(t *testing.T) { historiesOfKills(t, c) })
	t.Run("full", func(t *testing.T) { full(t, c, stores[0]) })
}

// A striking store calls strike at every so many-th call, from one of the callers.
type striking struct {
	proving.Full
	calls  *atomic.Int64
	every  int64
	strike func()
}

func (s striking) count() {
	if s.calls.Add(1)%s.every == 0 {
		s.strike()
	}
}

func (s striking) Load(ctx context.Context, user string) (store.Record, error) {
	s.count()
	return s.Full.Load(ctx, user)
}

func (s striking) Save(ctx context.Context, r store.Record, prev int64) error {
	s.count()
	return s.Full.Save(ctx, r, prev)
}

// historiesOfKills looks for an order of operations while leaders die, again until one of the
// writes has no answer: now and then none is under way at that moment.
func historiesOfKills(t *testing.T, c *cluster) {
	rounds := long.Histories(t, 25)
	for range 10 {
		if figures := historiesOfSomeKills(t, c, rounds); figures.Unknown > 0 {
			return
		}
	}
	t.Error("no operation was lost")
}

func historiesOfSomeKills(t *testing.T, c *cluster, rounds int) histories.Figures {
	_, stores := each(t, c)
	leader, err := c.leader(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	kills, began := 0, time.Now()
	var calls atomic.Int64
	for i, s := range stores {
		stores[i] = striking{s, &calls, 500, func() {
			next, err := c.replace(t.Context(), leader)
			if err != nil {
				t.Error(err)
				return
			}
			leader = next
			kills++
		}}
	}
	f, err := histories.Check(t.Context(), stores, histories.Options{Rounds: rounds, Faulty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d histories, %d kills, %v: %v", rounds, kills, time.Since(began).Round(time.Second), f)
	if kills == 0 || f.Saved == 0 || f.Conflicts == 0 {
		t.Error("something did not happen")
	}
	return f
}

// acknowledged kills the leader, or all nodes at once, while writers note what was
// acknowledged, and looks for that afterwards.
func acknowledged(t *testing.T, c *cluster) {
	for what, failOver := range map[string]func(ctx context.Context) error{
		"etcd, the leader is killed, eight writers": c.failOver,
		"etcd, all nodes are killed, eight writers": c.failAll,
	} {
		_, s := open(t, newPrefix(), c.nodes...)
		var y tally.Tally
		for began, l := time.Now(), long.Siege(t, 1); y.Failovers < l.Rounds || time.Since(began) < l.Time/8; {
			if err := y.Fail(t.Context(), s, failOver); err != nil {
				t.Fatal(err)
			}
		}
		long.Report(t, what, y)
		if y.Lost > 0 {
			t.Error("a write that was acknowledged is lost")
		}
	}
}

// full lets etcd reach its quota. It refuses writes then, and the store says neither that
// they were done nor that they were a conflict.
func full(t *testing.T, c *cluster, s store.Store) {
	replace(t, s, account("full", 1))
	n := c.nodes[0]
	alarm := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: n.id, Alarm: pb.AlarmType_NOSPACE}
	if _, err := pb.NewMaintenanceClient(n.client.ActiveConnection()).Alarm(t.Context(), alarm); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), account("full", 2), 1); !errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(err, store.ErrConflict) {
		t.Errorf("Save = %v", err)
	}
	shows(t, s, "full", 1)
}
