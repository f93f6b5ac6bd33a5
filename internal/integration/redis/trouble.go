package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Split lets nothing pass from masters to replicas until Heal. The nodes still see each
// other, so that no replica takes over.
func (c *Cluster) Split() {
	for _, n := range c.nodes {
		n.front.Split()
	}
}

// Heal ends Split.
func (c *Cluster) Heal() {
	for _, n := range c.nodes {
		n.front.Heal()
	}
}

// Isolate leaves the next master that [Cluster.FailOver] would kill alone on its side of a
// split, and returns a client of it. The others are silent: they go on only when
// [Cluster.Overrule] has silenced that one.
func (c *Cluster) Isolate(ctx context.Context) (*redis.Client, error) {
	alone, err := c.victim(ctx)
	if err != nil {
		return nil, err
	}
	c.alone = alone
	alone.front.Split()
	for _, n := range c.nodes {
		if n != alone {
			err = errors.Join(err, n.Pause())
		}
	}
	return alone.client, err
}

// Overrule lets the others go on until one of them has taken over, and then the master that
// was alone, which becomes its replica.
func (c *Cluster) Overrule(ctx context.Context) error {
	err := c.alone.Pause()
	c.alone.front.HealBroken() // what is on its way to the replica is on the other side
	for _, n := range c.nodes {
		if n != c.alone {
			err = errors.Join(err, n.Resume())
		}
	}
	return errors.Join(err, c.tookOver(ctx, c.alone), c.alone.Resume(), c.settled(ctx))
}

// MoveSlot moves the slot of a key to another master, key by key, as tools do. It calls
// during before each step and after the last.
func (c *Cluster) MoveSlot(ctx context.Context, key string, during func()) error {
	slot, err := c.nodes[0].client.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return err
	}
	from, to, err := c.ends(ctx, int(slot))
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(to.addr)
	if err != nil {
		return err
	}
	set := func(n *node, args ...any) error {
		during()
		return n.client.Do(ctx, append([]any{"CLUSTER", "SETSLOT", slot}, args...)...).Err()
	}
	if err := errors.Join(set(to, "IMPORTING", from.id), set(from, "MIGRATING", to.id)); err != nil {
		return err
	}
	for {
		keys, err := from.client.ClusterGetKeysInSlot(ctx, int(slot), 1).Result()
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			break
		}
		during()
		if err := from.client.Migrate(ctx, "127.0.0.1", port, keys[0], 0, 0).Err(); err != nil {
			return err
		}
	}
	if err := errors.Join(set(to, "NODE", to.id), set(from, "NODE", to.id)); err != nil {
		return err
	}
	during()
	return nil
}

// ends returns the master that has the slot, and another one.
func (c *Cluster) ends(ctx context.Context, slot int) (from, to *node, err error) {
	shards, err := c.nodes[0].client.ClusterShards(ctx).Result()
	if err != nil {
		return nil, nil, err
	}
	for _, shard := range shards {
		has := slices.ContainsFunc(shard.Slots, func(r redis.SlotRange) bool { return r.Start <= int64(slot) && int64(slot) <= r.End })
		for _, member := range shard.Nodes {
			i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.id == member.ID })
			switch {
			case i < 0 || member.Role != "master":
			case has:
				from = c.nodes[i]
			default:
				to = c.nodes[i]
			}
		}
	}
	if from == nil || to == nil {
		return nil, nil, fmt.Errorf("no two masters for slot %d", slot)
	}
	return from, to, nil
}
