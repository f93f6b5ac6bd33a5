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
