package redisstore

import (
	"container/list"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// groups is how many groups the users are divided into. It is part of the format of the
// keys and never changes.
const groups = 64

// rows are the part that storekit leaves to a database.
type rows struct {
	client  redis.UniversalClient
	options Options
	doubts  *doubts
}

// keys returns the keys of the scripts.
func (b rows) keys(userID string) []string {
	h := fnv.New32a()
	h.Write([]byte(userID))
	group := b.group(int(h.Sum32() % groups))
	return []string{group + "user:" + userID, group + "users"}
}

// group returns the beginning of the keys of a group. What stands in braces decides the
// slot of a cluster.
func (b rows) group(n int) string { return b.options.Prefix + "{" + strconv.Itoa(n) + "}:" }

// Get implements storekit.Rows.
func (b rows) Get(ctx context.Context, userID string) (store.Record, error) {
	r, err := record(userID, b.client.Eval(ctx, loadScript, b.keys(userID), userID))
	if at := b.doubted(userID, r, err); at != nil {
		return b.confirmed(ctx, userID, at)
	}
	return r, err
}

// doubted returns the place of the doubt about what record has returned, or nil.
func (b rows) doubted(userID string, r store.Record, err error) *list.Element {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return b.doubts.about(doubt{userID, r.Version})
}

// Put implements storekit.Rows.
func (b rows) Put(ctx context.Context, r store.Record, prev int64) error {
	due := ""
	if !r.Due.IsZero() {
		due = strconv.FormatInt(r.Due.UnixMicro(), 10)
	}
	return b.write(ctx, saveScript, doubt{r.UserID, r.Version}, strconv.FormatInt(prev, 10),
		strconv.FormatInt(r.Version, 10), r.State.String(), due, strconv.FormatInt(r.Updated.UnixMicro(), 10), r.Data)
}

// Delete implements storekit.Deleter.
func (b rows) Delete(ctx context.Context, userID string) error {
	return b.write(ctx, eraseScript, doubt{userID, 0})
}

// A writing is a command that the client sends once, whatever its MaxRetries. If it sent
// a write again after a connection has failed, the second arrival could meet the write of
// another client that came between the two. It would then say that there is a conflict,
// although the first arrival has changed the record; or erase a newer one.
type writing struct{ *redis.Cmd }

// NoRetry is part of redis.Cmder.
func (writing) NoRetry() bool { return true }

// evalOnce runs a script as a writing.
func evalOnce(ctx context.Context, process func(context.Context, redis.Cmder) error, script string, keys []string, args []any) *redis.Cmd {
	all := []any{"eval", script, len(keys)}
	for _, key := range keys {
		all = append(all, key)
	}
	cmd := redis.NewCmd(ctx, append(all, args...)...)
	_ = process(ctx, writing{cmd}) // the error is in the command
	return cmd
}

// piped puts a script into a pipeline. In a cluster, it is one that is sent once: while a
// slot moves, go-redis 9.22 can repeat a whole pipeline at one master and a command of it
// at another at the same time, and both goroutines write into the same reply.
func (b rows) piped(ctx context.Context, pipe redis.Pipeliner, script string, keys []string, args ...any) *redis.Cmd {
	if _, ok := b.client.(*redis.ClusterClient); ok {
		return evalOnce(ctx, pipe.Process, script, keys, args)
	}
	return pipe.Eval(ctx, script, keys, args...)
}

// write runs a script that returns a word, and waits for replicas. The write is in doubt
// while it waits, and also afterwards if they may lack it.
func (b rows) write(ctx context.Context, script string, x doubt, args ...any) error {
	args = append([]any{x.userID}, args...)
	if b.options.Replicas > 0 {
		at, again := b.doubts.add(x)
		err := b.writeWait(ctx, script, b.keys(x.userID), args)
		switch {
		case err == nil: // the replicas have it, and all that came before
			b.doubts.settle(at)
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, ErrLost):
			b.doubts.add(x) // somebody may have settled it too early
		case !again: // nothing was written, now or before
			b.doubts.settle(at)
		}
		return err
	}
	word, err := evalOnce(ctx, b.client.Process, script, b.keys(x.userID), args).Text()
	if err != nil {
		return err
	}
	return ended(word)
}

// record reads the reply of loadScript. It returns an error if no Save can have written
// the hash. storekit checks the fields.
func record(userID string, reply *redis.Cmd) (store.Record, error) {
	value, err := reply.Result()
	if err != nil {
		return store.Record{}, err
	}
	if word, ok := value.(string); ok {
		if err := ended(word); err != nil {
			return store.Record{}, err
		}
	}
	fields, err := reply.Slice()
	if err != nil || len(fields) != 5 {
		return store.Record{}, errors.New("a script returned no fields")
	}
	var text [5]string
	for i := range fields {
		var ok bool
		if text[i], ok = fields[i].(string); !ok {
			return store.Record{}, errors.New("a hash lacks a field")
		}
	}
	r := store.Record{UserID: userID, Data: []byte(text[4])}
	var bad [4]error
	r.Version, bad[0] = strconv.ParseInt(text[0], 10, 64)
	r.State, bad[1] = store.ParseState(text[1])
	if text[2] != "" {
		var due int64
		due, bad[2] = strconv.ParseInt(text[2], 10, 64)
		r.Due = time.UnixMicro(due)
	}
	updated, err := strconv.ParseInt(text[3], 10, 64)
	bad[3] = err
	r.Updated = time.UnixMicro(updated)
	for _, err := range bad {
		if err != nil { // not wrapped, because it quotes the field
			return store.Record{}, errors.New("a hash has a field of the wrong form")
		}
	}
	return r, nil
}

// Scan implements storekit.Scanner. It asks every group for a few ids, and returns those
// up to the lowest id at which one of the groups has more to say.
func (b rows) Scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	var all []store.Record
	for {
		ids, more, err := b.ids(ctx, after, limit-len(all))
		if err != nil {
			return nil, err
		}
		found, err := b.Find(ctx, ids)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if len(all) == limit || !more {
			return all, nil
		}
		after = ids[len(ids)-1]
	}
}

// ids returns up to limit user ids after that one, in order, and whether there can be
// more. If so, it returns at least one.
func (b rows) ids(ctx context.Context, after string, limit int) (ids []string, more bool, err error) {
	chunk := int64(limit/groups*2 + 8)
	from := "-"
	if after != "" {
		from = "(" + after
	}
	pipe := b.client.Pipeline()
	replies := make([]*redis.Cmd, groups)
	for n := range replies {
		// A script runs on the master, as Load does.
		replies[n] = b.piped(ctx, pipe, idsScript, []string{b.group(n) + "users"}, from, chunk)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, false, err
	}
	var last string // the lowest last id of a group that has more
	for _, reply := range replies {
		some, err := reply.StringSlice()
		if err != nil {
			return nil, false, err
		}
		ids = append(ids, some...)
		if int64(len(some)) == chunk && (!more || some[chunk-1] < last) {
			last, more = some[chunk-1], true
		}
	}
	slices.Sort(ids)
	if more {
		end, _ := slices.BinarySearch(ids, last)
		ids = ids[:end+1]
	}
	if len(ids) > limit {
		return ids[:limit], true, nil
	}
	return ids, more, nil
}

// Find implements storekit.Finder.
func (b rows) Find(ctx context.Context, ids []string) ([]store.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := b.client.Pipeline()
	replies := make([]*redis.Cmd, len(ids))
	for i, id := range ids {
		replies[i] = b.piped(ctx, pipe, loadScript, b.keys(id), id)
	}
	if _, err := pipe.Exec(ctx); err != nil && !noHash(err) {
		return nil, err
	}
	var all []store.Record
	for i, id := range ids {
		switch r, err := record(id, replies[i]); {
		case err == nil:
			all = append(all, r)
		case errors.Is(err, store.ErrNotFound):
		case replies[i].Err() != nil && !noHash(err): // Exec may have returned another one
			return nil, err
		default: // lost, or no Save has written it
			all = append(all, store.Record{UserID: id})
		}
	}
	return all, nil
}

// noHash reports whether the script has found something else than a hash. Older servers say
// so in the middle of the text.
func noHash(err error) bool { return strings.Contains(err.Error(), "WRONGTYPE") }
