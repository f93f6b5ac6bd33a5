package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Check returns an error that matches [ErrSettings], and says what to change, if Redis
// can lose acknowledged writes or accounts with its settings: a maxmemory-policy that
// evicts keys without a time to live, appendonly other than yes, appendfsync other than
// always, no-appendfsync-on-rewrite other than no, or a server that is a replica. In a
// cluster it asks each master and each replica that answers. Applications call it at start.
// It writes nothing.
//
// Outside of a cluster, Check sees the server that serves now. Give its replicas the same
// settings, and call Check again after a failover, for example every few minutes.
//
// Check can't tell what a failover loses. If the user may not call CONFIG GET and INFO, as
// with many hosted services, Check returns the client's error. Look the settings up in the
// service's own pages then. Open of package enrollment fails as well: call its New,
// NewDirectory and Directory.CheckKeys instead.
func (s *Store) Check(ctx context.Context) error {
	var err error
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return check(ctx, master, true) })
		if err == nil {
			err = cluster.ForEachSlave(ctx, func(ctx context.Context, replica *redis.Client) error {
				err := check(ctx, replica, false)
				var answer redis.Error
				if errors.Is(err, ErrSettings) || errors.As(err, &answer) {
					return err
				}
				return ctx.Err() // else it is down
			})
		}
	} else {
		err = check(ctx, s.client, true)
	}
	if err != nil && !errors.Is(err, ErrSettings) {
		return fmt.Errorf("redisstore: checking the settings: %w", err)
	}
	return err
}

// check checks one server, which may have to be a master.
func check(ctx context.Context, c redis.Cmdable, master bool) error {
	settings := make(map[string]string)
	for _, name := range []string{"maxmemory-policy", "appendonly", "appendfsync", "no-appendfsync-on-rewrite"} {
		some, err := c.ConfigGet(ctx, name).Result()
		if err != nil {
			return err
		}
		settings[name] = some[name]
	}
	info, err := c.Info(ctx, "replication").Result()
	if err != nil {
		return err
	}
	of := ""
	if !master {
		of = "of a replica, which may take over: "
	}
	var wrong []string
	if master && !strings.Contains(info, "role:master") {
		wrong = append(wrong, "the server is a replica: it holds old records, and used codes work again")
	}
	// The volatile policies evict keys with a time to live only, which accounts have not.
	if policy := settings["maxmemory-policy"]; policy != "noeviction" && !strings.HasPrefix(policy, "volatile-") {
		wrong = append(wrong, "maxmemory-policy is "+policy+": when memory is short, Redis deletes accounts; use noeviction")
	}
	if appendonly := settings["appendonly"]; appendonly != "yes" {
		wrong = append(wrong, "appendonly is "+appendonly+" and not yes: a restart loses acknowledged writes, and used codes work again")
	}
	if fsync := settings["appendfsync"]; fsync != "always" {
		wrong = append(wrong, "appendfsync is "+fsync+" and not always: a crash of the machine loses acknowledged writes, and used codes work again")
	}
	// Redis returns before the flush then, even with appendfsync always.
	if rewrite := settings["no-appendfsync-on-rewrite"]; rewrite != "no" {
		wrong = append(wrong, "no-appendfsync-on-rewrite is "+rewrite+" and not no: a crash of the machine while Redis saves in the background loses acknowledged writes, and used codes work again")
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s%s", ErrSettings, of, strings.Join(wrong, "; "))
	}
	return nil
}
