package redisstore

import (
	"container/list"
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// waiting runs a script on the master, and WAIT, which counts the replicas that have the
// writes of its own connection. Both go through one pipeline. In a cluster, WAIT has no key
// that would lead it there.
func (b rows) waiting(ctx context.Context, script string, keys []string, args []any) (reply, wait *redis.Cmd) {
	cluster, _ := b.client.(*redis.ClusterClient)
	var master redis.Pipeliner
	if cluster != nil {
		node, err := cluster.MasterForKey(ctx, keys[0])
		if err != nil {
			reply = redis.NewCmd(ctx)
			reply.SetErr(err)
			return reply, reply
		}
		master = node.Pipeline()
	} else {
		master = b.client.Pipeline()
	}
	reply = evalOnce(ctx, master.Process, script, keys, args)
	wait = master.Do(ctx, "WAIT", b.options.Replicas, b.options.WaitTimeout.Milliseconds())
	master.Exec(ctx) // the error is that of one of the replies
	if err := reply.Err(); cluster != nil && err != nil && strings.HasPrefix(err.Error(), "MOVED ") {
		cluster.ReloadState(ctx) // for the next call
	}
	return reply, wait
}

// writeWait is write with WAIT.
func (b rows) writeWait(ctx context.Context, script string, keys []string, args []any) error {
	reply, wait := b.waiting(ctx, script, keys, args)
	word, err := reply.Text()
	if err != nil {
		return err
	}
	if err := ended(word); err != nil {
		return err
	}
	return b.enough(wait)
}

// enough returns an error unless enough replicas have confirmed.
func (b rows) enough(wait *redis.Cmd) error {
	confirmed, err := wait.Int64()
	switch {
	case err != nil:
		return fmt.Errorf("waiting for replicas: %w", err)
	case confirmed < int64(b.options.Replicas):
		return fmt.Errorf("%w: %d of %d", ErrReplicas, confirmed, b.options.Replicas)
	}
	return nil
}

// touchScript is loadScript that also writes what is there already, or touches nothing. When
// the replicas have that write, they have all that came before.
const touchScript = `
local r = redis.call('HMGET', KEYS[1], 'version', 'state', 'due', 'updated', 'data')
if r[1] then
  redis.call('HSET', KEYS[1], 'version', r[1])
  return r
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'lost' end` + touchNothing + `
return 'absent'`

// confirmed is Get of a record that is in doubt, at that place.
func (b rows) confirmed(ctx context.Context, userID string, at *list.Element) (store.Record, error) {
	reply, wait := b.waiting(ctx, touchScript, b.keys(userID), []any{userID})
	r, err := record(userID, reply)
	if b.doubted(userID, r, err) == nil { // it can't be read, or somebody has replaced it
		return r, err
	}
	if err := b.enough(wait); err != nil {
		return store.Record{}, err
	}
	b.doubts.settle(at)
	return r, err
}
