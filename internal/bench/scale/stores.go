package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/bench"
	"github.com/seed-1b6a03a1/twofactor/internal/bench/table"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/redis"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// measureStores signs members in over every store, one caller and many.
func measureStores(ctx context.Context) error {
	for _, measure := range []func(context.Context) error{
		onPostgres(measureTable), onMariaDB(measureTable), onGalera(measureTable), onSQLite(measureTable), measureBolt, measureRedis, measureRedisCluster, measureMemory,
	} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// callersOfStores are one caller, and more than there are connections.
var callersOfStores = []int{1, 64}

// signIns shows how many members of the crew sign in.
func signIns(ctx context.Context, name string, crew *bench.Crew) error {
	members := crew.Members(perTurn)
	for _, n := range callersOfStores {
		timings, err := bench.Press(ctx, turns(), n, crew.SignIns(members))
		if err != nil {
			return err
		}
		t := timings[0]
		table.Print(table.Row{
			What: fmt.Sprintf("`SignIn` and `Answer` in %d accounts, %s, %s", crew.Size, name, many(n)),
			Ours: table.PerSecond(t.Rate()),
			Peer: fmt.Sprintf("p50 %s, p99 %s", table.Duration(t.Quantile(0.5)), table.Duration(t.Quantile(0.99))),
		})
	}
	return nil
}

func measureTable(ctx context.Context, d *bench.Database) error {
	crew, err := d.NewCrew(ctx, "crew", size())
	if err != nil {
		return err
	}
	return signIns(ctx, d.Name, crew)
}

func measureMemory(ctx context.Context) error { return measureIn(ctx, "memory", memory.New()) }

func measureIn(ctx context.Context, name string, accounts bench.Accounts) error {
	crew, err := bench.NewCrewIn(ctx, accounts, size())
	if err != nil {
		return err
	}
	return signIns(ctx, name, crew)
}

func measureBolt(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "twofactor-bolt-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	accounts, end, err := bench.OpenBolt(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(end(), err) }()
	return measureIn(ctx, "bbolt", accounts)
}

func measureRedis(ctx context.Context) (err error) {
	s, err := redis.Start(ctx)
	if err != nil {
		return missing("Redis", err)
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	r, err := bench.OpenRedis(ctx, s, *pool)
	if err != nil {
		return err
	}
	defer r.Close()
	before, err := r.Memory(ctx)
	if err != nil {
		return err
	}
	crew, err := bench.NewCrewIn(ctx, r, size())
	if err != nil {
		return err
	}
	after, err := r.Memory(ctx)
	if err != nil {
		return err
	}
	each := float64(after-before) / float64(crew.Size)
	table.Print(table.Row{
		What:  "an account in the memory of " + r.Name,
		Ours:  fmt.Sprintf("%.0f bytes", each),
		Peer:  fmt.Sprintf("%d bytes of data", crew.RecordSize()),
		Ratio: each / float64(crew.RecordSize()),
	})
	return signIns(ctx, r.Name, crew)
}

// measureRedisCluster shows what it costs to wait for a replica. The six nodes share the
// processors, and the network takes no time.
func measureRedisCluster(ctx context.Context) (err error) {
	c, err := redis.StartCluster(ctx, 10*time.Second)
	if err != nil {
		return missing("Redis", err)
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	for replicas, waits := range []string{"without `WAIT`", "with `WAIT` for one replica"} {
		accounts, end, err := bench.OpenRedisCluster(c, *pool, replicas)
		if err != nil {
			return err
		}
		if err := errors.Join(measureIn(ctx, "a Redis cluster, "+waits, accounts), end()); err != nil {
			return err
		}
	}
	return nil
}
