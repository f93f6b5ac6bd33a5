package redisstore

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// redirects is how often a script is sent to another master that the one before has named, as
// a redis.ClusterClient does by default.
const redirects = 3

// waiting runs a script on the master, and WAIT, which counts the replicas that have the
// writes of its own connection. Both go through one pipeline. In a cluster, WAIT has no key
// that would lead it there, so the pipeline is one of the master, and follows redirections
// here. A master that redirects has done nothing.
func (b rows) waiting(ctx context.Context, script string, keys []string, args []any) (reply, wait *redis.Cmd) {
	cluster, ok := b.client.(*redis.ClusterClient)
	if !ok {
		return b.waitingAt(ctx, b.client.Pipeline(), script, keys, args)
	}
	master, err := cluster.MasterForKey(ctx, keys[0])
	if err != nil {
		reply = redis.NewCmd(ctx)
		reply.SetErr(err)
		return reply, reply
	}
	pipe := master.Pipeline()
	for left := redirects; ; left-- {
		reply, wait = b.waitingAt(ctx, pipe, script, keys, args)
		moved, _ := redis.IsMovedError(reply.Err())
		asked, _ := redis.IsAskError(reply.Err())
		to := cmp.Or(moved, asked)
		if to == "" || left == 0 {
			return reply, wait
		}
		if master = masterAt(ctx, cluster, to); master == nil {
			return reply, wait
		}
		if pipe = master.Pipeline(); asked != "" {
			pipe.Do(ctx, "ASKING")
		}
	}
}

// waitingAt is waiting through that pipeline.
func (b rows) waitingAt(ctx context.Context, pipe redis.Pipeliner, script string, keys []string, args []any) (reply, wait *redis.Cmd) {
	reply = evalOnce(ctx, pipe.Process, script, keys, args)
	wait = pipe.Do(ctx, "WAIT", b.options.Replicas, b.options.WaitTimeout.Milliseconds())
	pipe.Exec(ctx) // the error is that of one of the replies
	return reply, wait
}

// masterAt returns the client of the master that a redirection names, or nil if the cluster has
// no such master, or only one without a slot. It looks at the cluster anew.
func masterAt(ctx context.Context, cluster *redis.ClusterClient, named string) *redis.Client {
	addr := address(named)
	var found atomic.Pointer[redis.Client]
	cluster.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
		if master.Options().Addr == addr {
			found.Store(master)
		}
		return nil
	})
	return found.Load()
}

// address is an address of a redirection as clients have it: an IPv6 address has no brackets
// there.
func address(named string) string {
	colon := strings.LastIndexByte(named, ':')
	if colon < 0 {
		return named
	}
	return net.JoinHostPort(strings.Trim(named[:colon], "[]"), named[colon+1:])
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
