//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

// What the documentation says that a user needs.
var (
	storeRights   = []string{"+eval", "+hget", "+hmget", "+hset", "+zadd", "+zscore", "+zrem", "+zrangebylex", "+set", "+del"}
	checkRights   = []string{"+config|get", "+info"}
	replicaRights = []string{"+wait"}
	clusterRights = []string{"+cluster|slots", "+asking", "+command"}
)

// limit gives the rights to a user of that server, for the keys of a prefix.
func limit(t *testing.T, c *redis.Client, prefix string, rights []string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "app", "reset", "on", ">secret", "~" + prefix + "*"}
	for _, right := range rights {
		args = append(args, right)
	}
	if err := c.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// everything does all that a store does, and returns the errors.
func everything(ctx context.Context, s *redisstore.Store) error {
	var errs []error
	for version := range int64(2) {
		errs = append(errs, s.Save(ctx, record("alice", version+1), version))
	}
	for _, id := range []string{"alice", "bob"} {
		if _, err := s.Load(ctx, id); !errors.Is(err, store.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	_, err := s.List(ctx, store.Query{})
	return errors.Join(append(errs, err, s.Erase(ctx, "alice"), s.Erase(ctx, "bob"), s.Check(ctx))...)
}

// TestRights has a user of Redis with the rights that the documentation names. Without any
// one of them, something fails.
func TestRights(t *testing.T) {
	t.Parallel()
	root := connect(t, own(t, ""))
	limit(t, root, "twofactor:", slices.Concat(storeRights, checkRights))
	o := *root.Options()
	o.Username, o.Password = "app", "secret"
	c := client(t, o)
	t.Run("contract", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store {
			return newStore(t, c, redisstore.Options{Prefix: "twofactor:" + freshPrefix()})
		})
	})
	s := newStore(t, c, redisstore.Options{})
	if err := everything(t.Context(), s); err != nil {
		t.Errorf("with all rights: %v", err)
	}
	for i, right := range slices.Concat(storeRights, checkRights) {
		limit(t, root, "twofactor:", slices.Delete(slices.Concat(storeRights, checkRights), i, i+1))
		if err := everything(t.Context(), s); err == nil {
			t.Errorf("%s is not needed", right)
		}
	}
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, rights := range [][]string{storeRights, checkRights, replicaRights, clusterRights} {
		if line := strings.Join(rights, " "); !strings.Contains(string(text), line) {
			t.Errorf("doc.go does not say %s", line)
		}
	}
}
