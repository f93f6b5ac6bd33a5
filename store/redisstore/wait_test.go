//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// waits counts how often a client asks for the replicas.
type waits struct{ n atomic.Int64 }

func (*waits) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*waits) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (w *waits) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if cmd.Name() == "wait" {
				w.n.Add(1)
			}
		}
		return next(ctx, cmds)
	}
}

// alone returns a store whose writes wait for a replica, which is away: the server is a master
// without one. The other store does not wait. The client of the first loses replies by the
// cutter and counts its WAITs.
func alone(t *testing.T) (s, other *redisstore.Store, c *redis.Client, port string, cut *cutter, asked *waits) {
	t.Helper()
	port, cut, asked = freePort(t), new(cutter), new(waits)
	o := *options(own(t, "--port "+port+" --bind 127.0.0.1 --repl-diskless-sync-delay 0"))
	other = newStore(t, client(t, o), redisstore.Options{})
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &lossy{Conn: conn, c: cut}, err
	}
	c = client(t, o)
	c.AddHook(asked)
	s = newStore(t, c, redisstore.Options{Replicas: 1, WaitTimeout: 200 * time.Millisecond})
	return s, other, c, port, cut, asked
}

// TestUnconfirmed saves while the replica is away, and also loses the reply. Until the
// replica is back, the store that has saved does not show the record, and so its Guard does
// not take it for stored.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	s, other, c, port, cut, asked := alone(t)

	if err := s.Save(t.Context(), record("alice", 1), 0); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Save without a replica = %v, want ErrReplicas", err)
	}
	cut.cut(1)
	if err := s.Save(t.Context(), record("bob", 1), 0); err == nil || errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Save without a reply = %v, want the client's error", err)
	}
	if err := s.Save(t.Context(), record("carol", 1), 0); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Save without a replica = %v, want ErrReplicas", err)
	}
	if err := other.Save(t.Context(), record("carol", 2), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), record("carol", 3), 1); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Save over another version = %v, want ErrConflict", err)
	}
	for _, id := range []string{"alice", "bob"} {
		if r, err := s.Load(t.Context(), id); !errors.Is(err, redisstore.ErrReplicas) || r.Version != 0 {
			t.Errorf("Load(%s) = version %d, %v, want ErrReplicas", id, r.Version, err)
		}
		if r, err := other.Load(t.Context(), id); err != nil || r.Version != 1 {
			t.Errorf("Load(%s) of another process = version %d, %v, want 1", id, r.Version, err)
		}
	}
	// WAIT is about the writes of its connection. So each of the two Loads writes as well,
	// beside the four Saves.
	if stats, err := c.Info(t.Context(), "commandstats").Result(); err != nil || !strings.Contains(stats, "cmdstat_hset:calls=6,") {
		t.Errorf("%v, want 6 calls of HSET in\n%s", err, stats)
	}
	// What somebody else has replaced can't be taken for one's own.
	if r, err := s.Load(t.Context(), "carol"); err != nil || r.Version != 2 {
		t.Errorf("Load(carol) = version %d, %v, want 2", r.Version, err)
	}
	if _, err := s.Load(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load(nobody) = %v, want ErrNotFound", err)
	}

	own(t, "--replicaof 127.0.0.1 "+port)
	for _, id := range []string{"alice", "bob"} {
		for tries := 0; ; tries++ {
			r, err := s.Load(t.Context(), id)
			if err == nil && r.Version == 1 && string(r.Data) == "CANARY" {
				break
			}
			if !errors.Is(err, redisstore.ErrReplicas) || tries > 300 {
				t.Fatalf("Load(%s) with a replica = version %d, %v, want 1 in the end", id, r.Version, err)
			}
		}
	}
	before := asked.n.Load()
	for _, id := range []string{"alice", "bob"} {
		if r, err := s.Load(t.Context(), id); err != nil || r.Version != 1 {
			t.Errorf("Load(%s) once more = version %d, %v, want 1", id, r.Version, err)
		}
	}
	if n := asked.n.Load(); n != before {
		t.Errorf("the replicas were asked for %d more times, want none", n-before)
	}
}

// TestUnconfirmedErase erases while the replica is away, and also loses the reply. Until the
// replica is back, nobody who asks this store hears that the record is gone: after a failover
// it would be there again.
func TestUnconfirmedErase(t *testing.T) {
	t.Parallel()
	s, other, c, port, cut, asked := alone(t)

	erased := []string{"alice", "CANARY"}
	for _, id := range append(erased, "carol") {
		if err := other.Save(t.Context(), record(id, 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Erase(t.Context(), "alice"); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase without a replica = %v, want ErrReplicas", err)
	}
	cut.cut(1)
	if err := s.Erase(t.Context(), "CANARY"); err == nil || errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase without a reply = %v, want the client's error", err)
	}
	if err := s.Erase(t.Context(), "carol"); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase without a replica = %v, want ErrReplicas", err)
	}
	if err := other.Save(t.Context(), record("carol", 2), 0); err != nil {
		t.Fatal(err)
	}
	for _, id := range erased {
		if _, err := s.Load(t.Context(), id); !errors.Is(err, redisstore.ErrReplicas) {
			t.Errorf("Load(%s) = %v, want ErrReplicas", id, err)
		}
		if err := s.Erase(t.Context(), id); !errors.Is(err, redisstore.ErrReplicas) {
			t.Errorf("Erase(%s) once more = %v, want ErrReplicas", id, err)
		}
		if _, err := other.Load(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load(%s) of another process = %v, want ErrNotFound", id, err)
		}
	}
	// WAIT is about the writes of its connection. So each of these two Loads and two Erases
	// writes as well, although there is nothing to delete.
	if stats, err := c.Info(t.Context(), "commandstats").Result(); err != nil || !strings.Contains(stats, "cmdstat_set:calls=4,") {
		t.Errorf("%v, want 4 calls of SET in\n%s", err, stats)
	}
	before := asked.n.Load()
	if r, err := s.Load(t.Context(), "carol"); err != nil || r.Version != 2 {
		t.Errorf("Load(carol) = version %d, %v, want 2", r.Version, err)
	}
	if _, err := s.Load(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load(nobody) = %v, want ErrNotFound", err)
	}
	if n := asked.n.Load(); n != before {
		t.Errorf("the replicas were asked for %d more times, want none", n-before)
	}

	own(t, "--replicaof 127.0.0.1 "+port)
	for _, id := range erased {
		for tries := 0; ; tries++ {
			_, err := s.Load(t.Context(), id)
			if errors.Is(err, store.ErrNotFound) {
				break
			}
			if !errors.Is(err, redisstore.ErrReplicas) || tries > 300 {
				t.Fatalf("Load(%s) with a replica = %v, want ErrNotFound in the end", id, err)
			}
		}
	}
	before = asked.n.Load()
	for _, id := range erased {
		if _, err := s.Load(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load(%s) once more = %v, want ErrNotFound", id, err)
		}
	}
	if n := asked.n.Load(); n != before {
		t.Errorf("the replicas were asked for %d more times, want none", n-before)
	}
}

// TestUnconfirmedMeanwhile looks while a Save and an Erase wait for the replica, which is
// away: nobody hears from this store what the replica may lack.
func TestUnconfirmedMeanwhile(t *testing.T) {
	t.Parallel()
	s, other, _, _, _, _ := alone(t)
	if err := other.Save(t.Context(), record("bob", 1), 0); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 2)
	go func() { written <- s.Save(t.Context(), record("alice", 1), 0) }()
	go func() { written <- s.Erase(t.Context(), "bob") }()
	until(t, func() error {
		_, there := other.Load(t.Context(), "alice")
		if _, gone := other.Load(t.Context(), "bob"); there != nil || !errors.Is(gone, store.ErrNotFound) {
			return errors.New("the master has not written yet")
		}
		return nil
	})
	for _, id := range []string{"alice", "bob"} {
		if r, err := s.Load(t.Context(), id); !errors.Is(err, redisstore.ErrReplicas) || r.Version != 0 {
			t.Errorf("Load(%s) = version %d, %v, want ErrReplicas", id, r.Version, err)
		}
	}
	for range 2 {
		if err := <-written; !errors.Is(err, redisstore.ErrReplicas) {
			t.Errorf("without a replica = %v, want ErrReplicas", err)
		}
	}
}

// TestConflictKeepsDoubt saves once more what the replica may lack. That this is a conflict
// says nothing about the replica.
func TestConflictKeepsDoubt(t *testing.T) {
	t.Parallel()
	s, _, _, _, _, _ := alone(t)
	for i, want := range []error{redisstore.ErrReplicas, store.ErrConflict} {
		if err := s.Save(t.Context(), record("alice", 1), 0); !errors.Is(err, want) {
			t.Fatalf("Save %d = %v, want %v", i+1, err, want)
		}
	}
	if r, err := s.Load(t.Context(), "alice"); !errors.Is(err, redisstore.ErrReplicas) || r.Version != 0 {
		t.Errorf("Load = version %d, %v, want ErrReplicas", r.Version, err)
	}
}
