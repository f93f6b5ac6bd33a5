package testenv

import (
	"context"
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/redis"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// Redis returns a store whose keys have a prefix of their own.
func Redis(t testing.TB) store.Store {
	t.Helper()
	return OpenRedis(t, RedisClient(t, RedisSocket(t)), RedisPrefix())
}

// theRedis starts the server of this test binary.
var theRedis = shared(func(ctx context.Context) (*redis.Server, error) { return redis.Start(ctx) })

// RedisSocket returns the socket of the server, and starts it at the first call.
func RedisSocket(t testing.TB) string {
	t.Helper()
	s, err := theRedis()
	needServer(t, "Redis", err)
	return s.Socket()
}

// RedisPrefix returns a prefix of keys that no other test of this process uses.
func RedisPrefix() string { return fmt.Sprintf("test%d:", databases.Add(1)) }

// RedisClient returns a client of the server behind the socket. It is closed with the
// test.
func RedisClient(t testing.TB, socket string) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket, ContextTimeoutEnabled: true, PoolSize: poolSize})
	t.Cleanup(func() { c.Close() })
	return c
}

// OpenRedis returns a store.
func OpenRedis(t testing.TB, c goredis.UniversalClient, prefix string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(c, redisstore.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RedisReviving starts a server for this test alone, with more options. It returns its
// socket, and what kills the server, which then comes back.
func RedisReviving(t testing.TB, options ...string) (socket string, kill func() error) {
	t.Helper()
	s, err := redis.StartReviving(t.Context(), options...)
	needServer(t, "Redis", err)
	stopped(t, s.Stop, s.Log)
	return s.Socket(), s.Kill
}

// RedisCluster starts a cluster for this test alone, which soon takes a silent node for dead.
// The function that it returns opens a store with a client of its own, whose writes wait for
// this number of replicas.
func RedisCluster(t testing.TB, replicas int) (*redis.Cluster, func() proving.Full) {
	t.Helper()
	return redisCluster(t, replicas, time.Second)
}

// CalmRedisCluster is RedisCluster for a test in which no failover may come by itself, also on a
// busy machine.
func CalmRedisCluster(t testing.TB, replicas int) (*redis.Cluster, func() proving.Full) {
	t.Helper()
	return redisCluster(t, replicas, calm)
}

const calm = 10 * time.Second

func redisCluster(t testing.TB, replicas int, patience time.Duration) (*redis.Cluster, func() proving.Full) {
	t.Helper()
	c, err := redis.StartCluster(t.Context(), patience)
	needServer(t, "Redis", err)
	stopped(t, c.Stop, c.Log)
	c.Delay()
	return c, func() proving.Full {
		t.Helper()
		s, err := redisstore.New(clusterClient(t, c), redisstore.Options{Replicas: replicas})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// theCluster starts the cluster of this test binary.
var theCluster = shared(func(ctx context.Context) (*redis.Cluster, error) { return redis.StartCluster(ctx, calm) })

// RedisInCluster returns what opens a store on a cluster, with a client of its own. The keys
// have a prefix that no other test has.
func RedisInCluster(t testing.TB) func() proving.Full {
	t.Helper()
	c, err := theCluster()
	needServer(t, "Redis", err)
	prefix := RedisPrefix()
	return func() proving.Full { return OpenRedis(t, clusterClient(t, c), prefix) }
}

// clusterClient returns a client of the cluster. It is closed with the test.
func clusterClient(t testing.TB, c *redis.Cluster) *goredis.ClusterClient {
	t.Helper()
	client := c.Client(goredis.ClusterOptions{ContextTimeoutEnabled: true, PoolSize: poolSize})
	t.Cleanup(func() { client.Close() })
	return client
}

// quiet keeps the client from telling of each connection that it can't make.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { goredis.SetLogger(quiet{}) }
