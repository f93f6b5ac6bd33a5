//go:build unix

package redisstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// TestReplacedMasterSaysNothing asks a server over a connection that it had as a master. What
// it has is old: it may not know a user who has enrolled at the new master.
func TestReplacedMasterSaysNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replace func(c *redis.Client) error
		says    string
	}{
		"it is a replica": {func(c *redis.Client) error {
			return c.Do(t.Context(), "REPLICAOF", "127.0.0.1", freePort(t)).Err() // nobody is there
		}, "READONLY"},
		"it has lost its replicas": {func(c *redis.Client) error {
			return c.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err()
		}, "NOREPLICAS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, own(t, ""))
			s := newStore(t, client, redisstore.Options{})
			if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
				t.Fatal(err)
			}
			offset := func() string {
				t.Helper()
				info, err := client.Info(t.Context(), "replication").Result()
				_, rest, found := strings.Cut(info, "master_repl_offset:")
				if err != nil || !found {
					t.Fatalf("%v\n%s", err, info)
				}
				rest, _, _ = strings.Cut(rest, "\r\n")
				return rest
			}
			before := offset()
			for _, id := range []string{"alice", "carol"} {
				if _, err := s.Load(t.Context(), id); err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Fatal(err)
				}
			}
			if after := offset(); after != before {
				t.Errorf("two Loads have written from %s to %s", before, after)
			}
			if err := c.replace(client); err != nil {
				t.Fatal(err)
			}
			refused := func(call string, err error) {
				t.Helper()
				if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s = %v, want %s", call, err, c.says)
				}
			}
			for _, id := range []string{"alice", "carol"} {
				_, err := s.Load(t.Context(), id)
				refused("Load of "+id, err)
			}
			_, err := s.List(t.Context(), store.Query{})
			refused("List", err)
			_, err = s.List(t.Context(), store.Query{UserIDs: []string{"alice", "carol"}})
			refused("List of ids", err)
			refused("Save", s.Save(t.Context(), record("alice", 2), 1))
			refused("Erase", s.Erase(t.Context(), "alice"))
		})
	}
}

// TestCreatesAllOrNothing has a user without one of the two rights that creating a record needs.
func TestCreatesAllOrNothing(t *testing.T) {
	t.Parallel()
	root := connect(t, own(t, ""))
	o := *root.Options()
	o.Username, o.Password = "app", "secret"
	for _, lacks := range []string{"+hset", "+zadd"} {
		var rights []string
		for _, right := range storeRights {
			if right != lacks {
				rights = append(rights, right)
			}
		}
		limit(t, root, "twofactor:", rights)
		s := newStore(t, client(t, o), redisstore.Options{})
		if err := s.Save(t.Context(), record("alice", 1), 0); err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, redisstore.ErrLost) {
			t.Errorf("Save without %s = %v, want an error of Redis", lacks, err)
		}
		if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load after a Save without %s = %v, want ErrNotFound", lacks, err)
		}
		if n, err := root.DBSize(t.Context()).Result(); n != 0 || err != nil {
			t.Errorf("a Save without %s has left %d keys, %v", lacks, n, err)
		}
	}
}
