package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// nodeScript runs a node of a cluster.
const nodeScript = `
serve() {
  exec redis-server --port "$PORT" --bind 127.0.0.1 --dir "$DIR" --save "" --appendonly yes --appendfsync always --maxmemory-policy noeviction \
    --cluster-enabled yes --cluster-node-timeout "$PATIENCE" --cluster-port "$BUS" \
    --cluster-announce-ip 127.0.0.1 --cluster-announce-port "$FRONT" --cluster-announce-bus-port "$BUS" >>"$DIR/log" 2>&1 </dev/null
}
`

// A node is reached by its replica through a proxy, and by clients past it. What is on its
// way to the replica is lost with the node.
type node struct {
	*server.Process
	addr   string
	front  *proxy.Proxy // the address that the cluster knows
	client *redis.Client
	bus    int
	id     string
}

// A Cluster has three masters, each with a replica.
type Cluster struct {
	nodes []*node
	kills int
	alone *node // since Isolate
}

const masters = 3

// StartCluster starts a cluster, which takes a node that is silent for so long for dead. It
// returns an error that matches [server.ErrMissing] if there is nothing to start.
func StartCluster(ctx context.Context, patience time.Duration) (*Cluster, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("%w: redis-server is not in PATH", server.ErrMissing)
	}
	c := new(Cluster)
	for range 2 * masters {
		n, err := startNode(ctx, patience)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.nodes = append(c.nodes, n)
	}
	if err := c.join(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// Delay lets the network between masters and replicas take a moment from now on.
func (c *Cluster) Delay() {
	for _, n := range c.nodes {
		n.front.Meet(proxy.Trouble{Delay: 1000})
	}
}

func startNode(ctx context.Context, patience time.Duration) (*node, error) {
	ports, err := server.FreePorts(2)
	if err != nil {
		return nil, err
	}
	port := ports[0]
	n := &node{bus: ports[1]}
	n.addr = fmt.Sprintf("127.0.0.1:%d", port)
	if n.front, err = proxy.Start("tcp", n.addr); err != nil {
		return nil, err
	}
	n.client = redis.NewClient(&redis.Options{Addr: n.addr})
	n.Process, err = server.Start(ctx, server.Plan{
		Name:   "redis-node",
		Script: nodeScript + server.Revive,
		Ends:   "KILL", // a replica that has just followed refuses TERM while it writes its first file
		Env: []string{
			fmt.Sprint("PORT=", port), fmt.Sprint("BUS=", n.bus), fmt.Sprint("FRONT=", n.front.Addr().Port),
			fmt.Sprint("PATIENCE=", patience.Milliseconds()),
		},
		Users: []string{"redis", "nobody"},
		Ready: func(ctx context.Context, _ string) error { return n.client.Ping(ctx).Err() },
	})
	if err != nil {
		return nil, errors.Join(err, n.front.Close(), n.client.Close())
	}
	if n.id, err = n.client.ClusterMyID(ctx).Result(); err != nil {
		return nil, errors.Join(err, n.front.Close(), n.client.Close(), n.Process.Stop())
	}
	return n, nil
}

// join makes a cluster of the nodes.
func (c *Cluster) join(ctx context.Context) error {
	const slots = 16384
	for i, n := range c.nodes[:masters] {
		if err := n.client.ClusterAddSlotsRange(ctx, i*slots/masters, (i+1)*slots/masters-1).Err(); err != nil {
			return err
		}
	}
	for i, n := range c.nodes {
		if err := n.client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
			return err
		}
		if err := c.nodes[0].client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", n.front.Addr().Port, n.bus).Err(); err != nil {
			return err
		}
	}
	for i, n := range c.nodes[masters:] {
		if err := server.Until(ctx, func() error { return n.client.ClusterReplicate(ctx, c.nodes[i].id).Err() }); err != nil {
			return err
		}
	}
	return c.settled(ctx)
}

// settled waits until all nodes agree, and each master has a replica that follows.
func (c *Cluster) settled(ctx context.Context) error {
	return server.Until(ctx, func() error {
		replicas := 0
		for _, n := range c.nodes {
			info, err := n.client.ClusterInfo(ctx).Result()
			if err != nil {
				return err
			}
			nodes, err := n.client.ClusterNodes(ctx).Result()
			if err != nil {
				return err
			}
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:6") || strings.Contains(nodes, "fail") {
				return fmt.Errorf("the nodes do not agree:\n%s", nodes)
			}
			replication, err := n.client.Info(ctx, "replication").Result()
			if err != nil {
				return err
			}
			if strings.Contains(replication, "role:master") && strings.Contains(replication, "state=online") {
				replicas++
			}
		}
		if replicas != masters {
			return fmt.Errorf("%d masters have a replica", replicas)
		}
		return nil
	})
}

// FailOver kills a master, waits until its replica is one, and lets the dead node come
// back as the replica of that. It ends a Split after the master is dead: what was on its way
// from there is lost.
func (c *Cluster) FailOver(ctx context.Context) error {
	victim, err := c.victim(ctx)
	if err != nil {
		return err
	}
	hold := filepath.Join(victim.Dir, "hold")
	if err := os.WriteFile(hold, nil, 0o644); err != nil {
		return err
	}
	victim.front.Split() // what is on its way is lost with the machine
	err = errors.Join(victim.Kill(), victim.gone(ctx))
	victim.front.HealBroken()
	c.Heal()
	if err != nil {
		return err
	}
	return errors.Join(c.tookOver(ctx, victim), os.Remove(hold), c.settled(ctx))
}

// tookOver waits until all others agree that a replica has taken over from a master.
func (c *Cluster) tookOver(ctx context.Context, from *node) error {
	return server.Until(ctx, func() error {
		for _, n := range c.nodes {
			if n == from {
				continue
			}
			nodes, err := n.client.ClusterNodes(ctx).Result()
			if err != nil {
				return err
			}
			if serving := strings.Count(nodes, "master -"); !strings.Contains(nodes, "master,fail") || serving != masters {
				return fmt.Errorf("%d masters serve:\n%s", serving, nodes)
			}
		}
		return nil
	})
}

// gone waits until the killed node does not answer.
func (n *node) gone(ctx context.Context) error {
	return server.Until(ctx, func() error {
		if n.client.Ping(ctx).Err() == nil {
			return errors.New("the node still answers")
		}
		return nil
	})
}

// victim returns the next master to be killed.
func (c *Cluster) victim(ctx context.Context) (*node, error) {
	for range c.nodes {
		n := c.nodes[c.kills%len(c.nodes)]
		c.kills++
		role, err := n.client.Do(ctx, "ROLE").Slice()
		if err != nil {
			return nil, err
		}
		if len(role) > 0 && role[0] == "master" {
			return n, nil
		}
	}
	return nil, errors.New("no node is a master")
}

// Client returns a client with those options.
func (c *Cluster) Client(o redis.ClusterOptions) *redis.ClusterClient {
	past := make(map[string]string)
	for _, n := range c.nodes {
		past[n.front.Addr().String()] = n.addr
		o.Addrs = append(o.Addrs, n.front.Addr().String())
	}
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, past[addr])
	}
	return redis.NewClusterClient(&o)
}

// Log returns the end of the log of each node.
func (c *Cluster) Log() string {
	var b strings.Builder
	for _, n := range c.nodes {
		fmt.Fprintln(&b, n.Process.Log())
	}
	return b.String()
}

// Stop stops all nodes.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.client.Close(), n.front.Close(), n.Process.Stop())
	}
	return errors.Join(errs...)
}
