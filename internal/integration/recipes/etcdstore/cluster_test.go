package etcdstore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// planEnv is the environment variable that makes this test binary a node of etcd. It has
// the plan as JSON.
const planEnv = "TWOFACTOR_ETCD_PLAN"

func TestMain(m *testing.M) {
	if text := os.Getenv(planEnv); text != "" {
		if err := serve(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// A plan says where a node keeps its data, and where it listens. Root is the folder of the
// whole cluster.
type plan struct {
	Name, Root, Dir, Client, Peer, Cluster string

	Patience time.Duration // after which a silent leader is replaced
}

// serve is a node of etcd until its standard input ends: the test has then ended, in
// whatever way, and nobody else removes the folder.
func serve(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Name, c.Dir, c.InitialCluster = p.Name, p.Dir, p.Cluster
	c.ListenClientUrls = []url.URL{{Scheme: "http", Host: p.Client}}
	c.ListenPeerUrls = []url.URL{{Scheme: "http", Host: p.Peer}}
	c.AdvertiseClientUrls, c.AdvertisePeerUrls = c.ListenClientUrls, c.ListenPeerUrls
	c.LogLevel, c.LogOutputs = "warn", []string{p.Dir + ".log"}
	c.TickMs, c.ElectionMs = uint(p.Patience.Milliseconds())/10, uint(p.Patience.Milliseconds())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(gone(p.Root))
	}()
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	select {
	case <-e.Server.ReadyNotify():
		fmt.Println("ready")
	case <-time.After(5 * time.Minute):
		return errors.New("the node does not join its cluster")
	}
	return <-e.Err()
}

// gone removes the folder, in which each node may still write for a moment. It returns the exit
// code of the process.
func gone(dir string) int {
	err := os.RemoveAll(dir)
	for tries := 0; err != nil && tries < 100; tries++ {
		time.Sleep(10 * time.Millisecond)
		err = os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A node is etcd in a process of its own. It can be killed, and comes back from its folder.
type node struct {
	plan   plan
	id     uint64
	client *clientv3.Client // of this node alone
	cmd    *exec.Cmd
	alive  io.Closer // the standard input of the process
}

// start starts the process, and returns when the node has joined the cluster.
func (n *node) start() error {
	text, err := json.Marshal(n.plan)
	if err != nil {
		return err
	}
	var errs strings.Builder
	n.cmd = exec.Command(os.Args[0])
	n.cmd.Env = append(os.Environ(), planEnv+"="+string(text))
	n.cmd.Stderr = &errs
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if n.alive, err = n.cmd.StdinPipe(); err != nil { // it ends with this process
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return fmt.Errorf("node %s has ended: %v\n%s", n.plan.Name, n.cmd.Wait(), errs.String())
	}
	return nil
}

// kill kills the process at once, as a power failure does that loses nothing of the disk.
func (n *node) kill() error {
	if err := n.cmd.Process.Kill(); err != nil {
		return err
	}
	n.cmd.Wait() // it was killed
	return nil
}

// A cluster has three nodes, or one for tests that need no others.
type cluster struct{ nodes []*node }

// startCluster starts a cluster of so many nodes, which keep their data in the folder. If this
// process ends without stop, they remove it.
func startCluster(dir string, nodes int, patience time.Duration) (c *cluster, err error) {
	for try := range 3 { // somebody may have taken a port meanwhile
		if c, err = tryCluster(dir, filepath.Join(dir, fmt.Sprint(try)), nodes, patience); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func tryCluster(root, dir string, nodes int, patience time.Duration) (*cluster, error) {
	c := new(cluster)
	ports, err := server.FreePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	var initial []string
	for i := range nodes {
		client, peer := fmt.Sprintf("127.0.0.1:%d", ports[2*i]), fmt.Sprintf("127.0.0.1:%d", ports[2*i+1])
		name := fmt.Sprint("node", i)
		initial = append(initial, name+"=http://"+peer)
		c.nodes = append(c.nodes, &node{plan: plan{Name: name, Root: root, Dir: filepath.Join(dir, name), Client: client, Peer: peer, Patience: patience}})
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	errs := make([]error, nodes)
	var group sync.WaitGroup
	for i, n := range c.nodes {
		n.plan.Cluster = strings.Join(initial, ",")
		group.Go(func() { errs[i] = n.start() })
	}
	group.Wait()
	err = errors.Join(errs...)
	for _, n := range c.nodes {
		if err == nil {
			err = n.meet()
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// meet makes the client of the node, and asks for the node's id.
func (n *node) meet() (err error) {
	if n.client, err = clientv3.New(config(n)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status, err := n.client.Status(ctx, n.plan.Client)
	if err == nil {
		n.id = status.Header.MemberId
	}
	return err
}

// config is for a client of those nodes.
func config(nodes ...*node) clientv3.Config {
	c := clientv3.Config{Logger: zap.NewNop()}
	for _, n := range nodes {
		c.Endpoints = append(c.Endpoints, n.plan.Client)
	}
	return c
}

// stop kills all nodes.
func (c *cluster) stop() error {
	var errs []error
	for _, n := range c.nodes {
		if n.client != nil {
			errs = append(errs, n.client.Close())
		}
		if n.cmd != nil && n.cmd.Process != nil {
			n.cmd.Process.Kill() // it may have ended already
			n.cmd.Wait()
		}
	}
	return errors.Join(errs...)
}

// leader waits until all nodes but one follow the same leader, which is not that one, and
// returns it.
func (c *cluster) leader(ctx context.Context, but *node) (leader *node, err error) {
	err = server.Until(ctx, func() error {
		leader = nil
		for _, n := range c.nodes {
			if n == but {
				continue
			}
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			status, err := n.client.Status(ctx, n.plan.Client)
			cancel()
			if err != nil {
				return err
			}
			for _, m := range c.nodes {
				if m.id != status.Leader || m == but {
					continue
				}
				if leader != nil && leader != m {
					return errors.New("the nodes follow different leaders")
				}
				leader = m
			}
			if leader == nil {
				return errors.New("there is no leader")
			}
		}
		return nil
	})
	return leader, err
}

// failOver kills the leader, waits until another node is the leader, and lets the dead one
// come back.
func (c *cluster) failOver(ctx context.Context) error {
	old, err := c.leader(ctx, nil)
	if err != nil {
		return err
	}
	_, err = c.replace(ctx, old)
	return err
}

// replace is failOver of a leader that is known, so that it dies at once. It returns the leader
// that the nodes then follow.
func (c *cluster) replace(ctx context.Context, old *node) (*node, error) {
	if err := old.kill(); err != nil {
		return nil, err
	}
	if _, err := c.leader(ctx, old); err != nil {
		return nil, err
	}
	if err := server.Until(ctx, old.start); err != nil {
		return nil, err
	}
	return c.leader(ctx, nil)
}

// failAll kills all nodes, and lets them come back.
func (c *cluster) failAll(ctx context.Context) error {
	errs := make([]error, len(c.nodes))
	for i, n := range c.nodes {
		errs[i] = n.kill()
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var group sync.WaitGroup
	for i, n := range c.nodes {
		group.Go(func() { errs[i] = server.Until(ctx, n.start) })
	}
	group.Wait()
	_, err := c.leader(ctx, nil)
	return errors.Join(append(errs, err)...)
}

const (
	impatient = time.Second     // the default: a dead leader is noticed soon
	calm      = 5 * time.Second // a busy leader is not taken for dead
)

// newCluster starts a cluster for this test alone.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(logs(dir))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c, err := startCluster(dir, 3, impatient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestAbandonedNodes has nodes whose test has ended without stop, as one does that is killed,
// while one of them was dead. Nothing is left of them.
func TestAbandonedNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	if err := c.nodes[0].kill(); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.nodes[1:] {
		if err := n.alive.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, n := range c.nodes[1:] {
		if err := n.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(c.nodes[0].plan.Root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// logs returns the end of what the nodes have logged.
func logs(dir string) string {
	const tail = 4 << 10
	var b strings.Builder
	names, err := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	if err != nil {
		return err.Error()
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%s:\n%s\n", filepath.Base(name), text[max(0, len(text)-tail):])
	}
	return b.String()
}
