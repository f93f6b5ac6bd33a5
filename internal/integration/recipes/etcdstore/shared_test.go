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

// A sharing is a cluster for all tests that kill nothing.
type sharing struct {
	once sync.Once
	dir  string
	*cluster
	err error
}

var three, one sharing

// shared returns a cluster of three nodes, and starts it at the first call.
func shared(t testing.TB) *cluster { t.Helper(); return three.start(t, 3) }

func (s *sharing) start(t testing.TB, nodes int) *cluster {
	t.Helper()
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", folder); s.err == nil {
			s.cluster, s.err = startCluster(s.dir, nodes, calm)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cluster
}

func stopShared() error {
	var errs []error
	for _, s := range []*sharing{&three, &one} {
		if s.cluster != nil {
			errs = append(errs, s.stop())
		}
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
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
