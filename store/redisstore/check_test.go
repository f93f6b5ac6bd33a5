//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// TestCheck changes the settings of a server, and refuses what forgets.
func TestCheck(t *testing.T) {
	t.Parallel()
	c := connect(t, own(t, ""))
	s := newStore(t, c, redisstore.Options{})
	for _, step := range []struct{ name, value, says string }{
		{"maxmemory-policy", "noeviction", ""},
		{"maxmemory-policy", "volatile-lru", ""},
		{"maxmemory-policy", "allkeys-lru", "maxmemory-policy is allkeys-lru"},
		{"maxmemory-policy", "allkeys-random", "maxmemory-policy is allkeys-random"},
		{"maxmemory-policy", "noeviction", ""},
		{"appendfsync", "everysec", "appendfsync is everysec"},
		{"appendfsync", "no", "appendfsync is no"},
		{"appendfsync", "always", ""},
		{"no-appendfsync-on-rewrite", "yes", "no-appendfsync-on-rewrite is yes"},
		{"no-appendfsync-on-rewrite", "no", ""},
		{"appendonly", "no", "appendonly is no"},
		{"appendonly", "yes", ""},
	} {
		if err := c.ConfigSet(t.Context(), step.name, step.value).Err(); err != nil {
			t.Fatal(err)
		}
		err := s.Check(t.Context())
		if step.says == "" && err != nil || step.says != "" && (!errors.Is(err, redisstore.ErrSettings) || !strings.Contains(err.Error(), step.says)) {
			t.Errorf("%s %s: Check = %v, want %q", step.name, step.value, err, step.says)
		}
	}
	if err := c.Do(t.Context(), "ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	o := *c.Options()
	o.Username, o.Password = "app", "any"
	limited := newStore(t, client(t, o), redisstore.Options{})
	if err := limited.Check(t.Context()); err == nil || errors.Is(err, redisstore.ErrSettings) || !strings.HasPrefix(err.Error(), "redisstore: checking the settings: NOPERM") {
		t.Errorf("Check without the right to ask = %v, want the client's error", err)
	}
	c.Close()
	if err := s.Check(t.Context()); err == nil || errors.Is(err, redisstore.ErrSettings) {
		t.Errorf("Check without a connection = %v, want the client's error", err)
	}
}

// An ender ends a context before each command.
type ender struct{ end context.CancelFunc }

func (ender) DialHook(next redis.DialHook) redis.DialHook { return next }
func (e ender) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		e.end()
		return next(ctx, cmd)
	}
}
func (ender) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// TestCheckOfCluster changes the settings of a replica and of a master of a cluster.
func TestCheckOfCluster(t *testing.T) {
	t.Parallel()
	port, bus := freePort(t), freePort(t)
	node := func(port, bus string) *redis.Client {
		return connect(t, own(t, "--port "+port+" --bind 127.0.0.1 --repl-diskless-sync-delay 0 --cluster-enabled yes --cluster-port "+bus))
	}
	master, replica := node(port, bus), node(freePort(t), freePort(t))
	if err := master.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	id, err := master.ClusterMyID(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := replica.Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", port, bus).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, func() error { return replica.ClusterReplicate(t.Context(), id).Err() })
	until(t, func() error {
		if err := master.Incr(t.Context(), "written").Err(); err != nil { // one that has nothing to replicate is not shown
			return err
		}
		slots, err := master.Do(t.Context(), "CLUSTER", "SLOTS").Slice() // as clients ask
		if text := fmt.Sprint(slots); err == nil && strings.Count(text, "127.0.0.1") != 2 {
			err = fmt.Errorf("the master has no replica: %s", text)
		}
		return err
	})
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}})
	t.Cleanup(func() { c.Close() })
	s := newStore(t, c, redisstore.Options{})
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check = %v, want nil", err)
	}
	for _, n := range []*redis.Client{master, replica} {
		limit(t, n, "twofactor:", slices.Concat(storeRights, checkRights, replicaRights, clusterRights))
	}
	limited := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}, Username: "app", Password: "secret"})
	t.Cleanup(func() { limited.Close() })
	if err := everything(t.Context(), newStore(t, limited, redisstore.Options{Replicas: 1})); err != nil {
		t.Errorf("with the rights for a cluster: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	asked := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}})
	t.Cleanup(func() { asked.Close() })
	asked.OnNewNode(func(node *redis.Client) {
		if !strings.HasSuffix(node.Options().Addr, ":"+port) {
			node.AddHook(ender{end})
		}
	})
	if err := newStore(t, asked, redisstore.Options{}).Check(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Check whose context ends while it asks a replica = %v, want context.Canceled", err)
	}
	if err := replica.ConfigSet(t.Context(), "appendonly", "no").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, redisstore.ErrSettings) || !strings.Contains(err.Error(), "of a replica") || !strings.Contains(err.Error(), "appendonly is no") {
		t.Errorf("Check beside a careless replica = %v, want ErrSettings", err)
	}
	if err := replica.Do(t.Context(), "ACL", "SETUSER", "default", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "redisstore: checking the settings: NOPERM") {
		t.Errorf("Check without the right to ask a replica = %v, want the client's error", err)
	}
	replica.ShutdownNoSave(t.Context()) // without an answer
	until(t, func() error {
		if replica.Ping(t.Context()).Err() == nil {
			return errors.New("the replica is still there")
		}
		return nil
	})
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check beside a dead replica = %v, want nil", err)
	}
	if err := master.ConfigSet(t.Context(), "appendfsync", "no").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, redisstore.ErrSettings) || strings.Count(err.Error(), "redisstore: ") != 1 {
		t.Errorf("Check = %v, want ErrSettings", err)
	}
	c.Close()
	if err := s.Check(t.Context()); err == nil || errors.Is(err, redisstore.ErrSettings) || !strings.HasPrefix(err.Error(), "redisstore: checking the settings: ") {
		t.Errorf("Check without a connection = %v, want the client's error", err)
	}
}

// TestReplicas has a master with a replica.
func TestReplicas(t *testing.T) {
	t.Parallel()
	// The replica finds its master by a port of the loopback.
	port := freePort(t)
	master := connect(t, own(t, "--port "+port+" --bind 127.0.0.1 --repl-diskless-sync-delay 0"))
	replica := connect(t, own(t, "--replicaof 127.0.0.1 "+port))
	one := newStore(t, master, redisstore.Options{Replicas: 1, WaitTimeout: 2 * time.Second})
	for i := int64(0); ; i++ { // until the replica has come
		err := one.Save(t.Context(), record("alice", i+1), i)
		if err == nil {
			break
		}
		if !errors.Is(err, redisstore.ErrReplicas) || i > 30 {
			t.Fatalf("Save with a replica = %v, want nil in the end", err)
		}
	}
	if version, err := replica.HGet(t.Context(), "twofactor:{39}:user:alice", "version").Int64(); err != nil || version < 1 {
		t.Errorf("the replica has version %d, %v", version, err)
	}
	if err := newStore(t, replica, redisstore.Options{}).Check(t.Context()); !errors.Is(err, redisstore.ErrSettings) || !strings.Contains(err.Error(), "replica") {
		t.Errorf("Check of the replica = %v, want ErrSettings", err)
	}
	if err := newStore(t, replica, redisstore.Options{}).Save(t.Context(), record("bob", 1), 0); err == nil || errors.Is(err, store.ErrConflict) {
		t.Errorf("Save to the replica = %v, want an error", err)
	}
	if err := one.Save(t.Context(), record("alice", 500), 400); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Save over another version = %v, want ErrConflict", err)
	}

	// Two have not: the error says so, and the master has the write.
	two := newStore(t, master, redisstore.Options{Replicas: 2, WaitTimeout: 10 * time.Millisecond})
	if err := two.Save(t.Context(), record("bob", 1), 0); !errors.Is(err, redisstore.ErrReplicas) || errors.Is(err, store.ErrConflict) {
		t.Errorf("Save for two replicas = %v, want ErrReplicas", err)
	}
	if r, err := one.Load(t.Context(), "bob"); err != nil || r.Version != 1 {
		t.Errorf("Load of another = version %d, %v, want 1", r.Version, err)
	}
	if err := two.Erase(t.Context(), "bob"); !errors.Is(err, redisstore.ErrReplicas) {
		t.Errorf("Erase for two replicas = %v, want ErrReplicas", err)
	}
}
