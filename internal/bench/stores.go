package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	bolt "go.etcd.io/bbolt"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/redis"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// OpenBolt makes a file in the folder and returns the store over it.
func OpenBolt(dir string) (accounts Accounts, end func() error, err error) {
	db, err := bolt.Open(filepath.Join(dir, "accounts.bolt"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, nil, err
	}
	s, err := boltstore.New(db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return s, db.Close, nil
}

// A Redis is a server with accounts.
type Redis struct {
	Accounts
	Name   string // of the server, with its version
	client *goredis.Client
}

// OpenRedis returns the store on the server, with that many connections.
func OpenRedis(ctx context.Context, s *redis.Server, pool int) (*Redis, error) {
	c := goredis.NewClient(&goredis.Options{Network: "unix", Addr: s.Socket(), ContextTimeoutEnabled: true, PoolSize: pool})
	accounts, err := redisstore.New(c, redisstore.Options{})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	r := &Redis{Accounts: accounts, client: c}
	version, err := r.info(ctx, "server", "redis_version")
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	r.Name = "Redis " + version + ", AOF, always"
	return r, nil
}

// OpenRedisCluster returns a store on the cluster, with that many connections for each node.
// Its writes wait for so many replicas. Each number of replicas has keys of its own.
func OpenRedisCluster(c *redis.Cluster, pool, replicas int) (accounts Accounts, end func() error, err error) {
	client := c.Client(goredis.ClusterOptions{ContextTimeoutEnabled: true, PoolSize: pool})
	s, err := redisstore.New(client, redisstore.Options{Prefix: fmt.Sprint("replicas", replicas, ":"), Replicas: replicas})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return s, client.Close, nil
}

// Close closes the connections.
func (r *Redis) Close() error { return r.client.Close() }

// Memory returns the bytes that the server has allocated.
func (r *Redis) Memory(ctx context.Context) (int64, error) {
	text, err := r.info(ctx, "memory", "used_memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

func (r *Redis) info(ctx context.Context, section, name string) (string, error) {
	text, err := r.client.Info(ctx, section).Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value, nil
		}
	}
	return "", errors.New("INFO does not say " + name)
}
