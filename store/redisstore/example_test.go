package redisstore_test

import (
	"context"
	"log"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// A service on one Redis server that flushes each write. It hands the Store to
// enrollment.Open, which calls Check.
func ExampleNew() {
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer rdb.Close()
	accounts, err := redisstore.New(rdb, redisstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := accounts.Check(ctx); err != nil {
		log.Fatal(err) // what the settings would lose
	}
}

// In a cluster, or with Sentinel, each write can wait for a replica. A failover can
// still lose it.
func ExampleNew_cluster() {
	rdb := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 []string{"redis-1:6379", "redis-2:6379", "redis-3:6379"},
		ContextTimeoutEnabled: true,
	})
	defer rdb.Close()
	if _, err := redisstore.New(rdb, redisstore.Options{Replicas: 1}); err != nil {
		log.Fatal(err)
	}
}
