package etcdstore_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/recipes/etcdstore"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// folder begins the names of folders. A test binary that is killed does not remove those of
// t.TempDir.
const folder = "twofactor-etcd-"

// sharing is a cluster for all tests that kill nothing.
var sharing struct {
	once sync.Once
	dir  string
	*cluster
	err error
}

// shared returns that cluster, and starts it at the first call.
func shared(t testing.TB) *cluster {
	t.Helper()
	sharing.once.Do(func() {
		if sharing.dir, sharing.err = os.MkdirTemp("", folder); sharing.err == nil {
			sharing.cluster, sharing.err = startCluster(sharing.dir)
		}
	})
	if sharing.err != nil {
		t.Fatal(sharing.err)
	}
	return sharing.cluster
}

func stopShared() error {
	var err error
	if sharing.cluster != nil {
		err = sharing.stop()
	}
	return errors.Join(err, os.RemoveAll(sharing.dir))
}

var prefixes atomic.Int64

// newPrefix returns a prefix that no other test of this process uses.
func newPrefix() string { return fmt.Sprintf("test%d/", prefixes.Add(1)) }

// open returns a client of those nodes and a store on it. The client is closed with the
// test.
func open(t testing.TB, prefix string, nodes ...*node) (*clientv3.Client, proving.Full) {
	t.Helper()
	client, s, err := etcdstore.Open(config(nodes...), prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, s.(proving.Full)
}

// each returns a store for each node, as processes have that reach one node only. They
// share their records.
func each(t *testing.T, c *cluster) (clients []*clientv3.Client, stores []proving.Full) {
	t.Helper()
	prefix := newPrefix()
	for _, n := range c.nodes {
		client, s := open(t, prefix, n)
		clients, stores = append(clients, client), append(stores, s)
	}
	return clients, stores
}
