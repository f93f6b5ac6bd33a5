// Package etcdstore keeps two-factor records in etcd. It is an example to copy: storekit
// does the rest.
//
// # What a failure loses
//
// Nothing that Save has acknowledged, as long as a majority of the nodes keep their disks.
// etcd answers when most of its nodes have flushed a write, and a new leader has all such
// writes. So the death of a node, also of the leader, loses nothing: none of 36,282 writes in
// 43 failovers, and none of 17,077 writes in 67 failures of all three nodes at once. While most
// nodes are down, nothing is accepted and nobody signs in with a code.
//
// If the disks of most nodes are lost, the cluster is made again from a snapshot, and all
// writes since then are lost:
//
//   - A used recovery code works again. So does an app code, for about a minute and a half.
//   - Counted failures are forgotten, and the attacker may guess again.
//   - Acknowledged changes are gone: a confirmed setup, renewed codes, a disabled factor.
//
// The same happens with --unsafe-no-fsync if the machines of most nodes lose power. A node
// whose disk was lost is removed from the cluster before a new one joins; with its old name
// and an empty disk it breaks the promise above. Releases 3.5.0 to 3.5.2 could lose writes
// when a node was killed, and so could a cluster of one node before 3.5.5. This is tested with
// 3.7.
//
// # Settings
//
// Turn on --auto-compaction-retention. Every sign-in writes a value, etcd keeps the old
// ones until they are compacted, and when --quota-backend-bytes is reached, every Save fails.
// Let the client show a certificate: with a user and a password, the first call after a token
// has expired fails, because no call is sent again.
//
// NATS JetStream would be another choice. Its direct reads can be old, and by default it
// acknowledges a write before it is flushed, so a power failure loses used codes.
package etcdstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Store is a store.Store that lists, as enrollment.Open asks, and erases.
type Store interface {
	store.Store
	store.Lister
	store.Eraser
}

// Open returns a client, which does not connect yet, and a store on it. Close the client in
// the end. Stores with different prefixes share no records. A prefix has no control
// characters.
//
// The client sends each call once. By default it sends some again, and if a write was
// carried out and arrives a second time, it looks like a conflict. The client also gives up
// a connection on which a node is silent for 13 seconds.
func Open(config clientv3.Config, prefix string) (*clientv3.Client, Store, error) {
	config.MaxUnaryRetries = 1
	config.DialKeepAliveTime, config.DialKeepAliveTimeout = 10*time.Second, 3*time.Second
	client, err := clientv3.New(config)
	if err != nil {
		return nil, nil, err
	}
	// No user id has a NUL, so "a" and "a/b" share no keys, whatever their users are called.
	return client, storekit.New("etcdstore", rows{client, prefix + "\x00"}).(Store), nil
}

type rows struct {
	client *clientv3.Client
	prefix string
}

// Get implements storekit.Rows. It is linearizable because nothing says WithSerializable.
func (b rows) Get(ctx context.Context, userID string) (store.Record, error) {
	found, err := b.client.Get(ctx, b.prefix+userID)
	if err != nil {
		return store.Record{}, err
	}
	if len(found.Kvs) == 0 {
		return store.Record{}, store.ErrNotFound
	}
	return record(userID, found.Kvs[0].Value)
}

// Put implements storekit.Rows. It compares the beginning of the value, which has the
// version: revisions of etcd would have to be read first.
func (b rows) Put(ctx context.Context, r store.Record, prev int64) error {
	key := b.prefix + r.UserID
	held := []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)} // there is no such key
	if prev != 0 {
		begin := version(prev)
		held = []clientv3.Cmp{
			clientv3.Compare(clientv3.Value(key), ">", begin),
			clientv3.Compare(clientv3.Value(key), "<", clientv3.GetPrefixRangeEnd(begin)),
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	done, err := b.client.Txn(ctx).If(held...).Then(clientv3.OpPut(key, version(r.Version)+string(text))).Commit()
	if err == nil && !done.Succeeded {
		return store.ErrConflict
	}
	return err
}

// Delete implements storekit.Deleter.
func (b rows) Delete(ctx context.Context, userID string) error {
	_, err := b.client.Delete(ctx, b.prefix+userID)
	return err
}

// Scan implements storekit.Scanner.
func (b rows) Scan(ctx context.Context, after string, limit int) ([]store.Record, error) {
	// The NUL makes it the first key behind that of the user.
	found, err := b.client.Get(ctx, b.prefix+after+"\x00", clientv3.WithRange(clientv3.GetPrefixRangeEnd(b.prefix)), clientv3.WithLimit(int64(limit)))
	if err != nil {
		return nil, err
	}
	return b.records(found.Kvs), nil
}

// Find implements storekit.Finder. A transaction has up to 128 operations, unless the nodes
// have another --max-txn-ops.
func (b rows) Find(ctx context.Context, userIDs []string) ([]store.Record, error) {
	gets := make([]clientv3.Op, len(userIDs))
	for i, userID := range userIDs {
		gets[i] = clientv3.OpGet(b.prefix + userID)
	}
	done, err := b.client.Txn(ctx).Then(gets...).Commit()
	if err != nil {
		return nil, err
	}
	var all []*mvccpb.KeyValue
	for _, found := range done.Responses {
		all = append(all, found.GetResponseRange().Kvs...)
	}
	return b.records(all), nil
}

// version is how a value with a record of that version begins, and no other value.
func version(v int64) string { return fmt.Sprintf("%d ", v) }

// records reads values. One that can't be read hides no others.
func (b rows) records(kvs []*mvccpb.KeyValue) []store.Record {
	var all []store.Record
	for _, kv := range kvs {
		userID := string(kv.Key[len(b.prefix):])
		r, err := record(userID, kv.Value)
		if err != nil {
			r = store.Record{UserID: userID}
		}
		all = append(all, r)
	}
	return all
}

// record reads the value of a user.
func record(userID string, value []byte) (r store.Record, err error) {
	begin, text, _ := bytes.Cut(value, []byte(" "))
	if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	if string(begin)+" " != version(r.Version) || r.UserID != userID {
		return r, errors.New("the value begins with another version, or is another user's")
	}
	return r, nil
}
