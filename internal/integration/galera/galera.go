// Package galera starts a Galera cluster of three MariaDB servers, in temporary folders.
// Clients reach a server by its Unix socket, and the servers each other on loopback. It
// needs a Unix and the programs of the server, not a running one.
package galera

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// Nodes is how many servers a cluster has. Two of them are a majority.
const Nodes = 3

// Waiting is the parameter of a data source name that clients of a cluster need: each
// statement waits until its node has what was committed at the others.
const Waiting = "?wsrep_sync_wait=7"

// provider is the library of Galera, where Debian and its relatives have it.
const provider = "/usr/lib/galera/libgalera_smm.so"

// script makes the data folder of the first node, or copies it before it was written to,
// and defines the server. All begin in the same state. So a node takes from the others what
// it lacks, and no copy of their data. A node that was killed learns from its own log what
// it has.
const script = `
if [ -n "$FIRST" ]; then
  cp -r "$FIRST/template" "$DIR/data" || exit
else
  TMPDIR="$DIR" mariadb-install-db --no-defaults --datadir="$DIR/data" --auth-root-authentication-method=normal --skip-test-db \
    --innodb-log-file-size=16M >"$DIR/log" 2>&1 || exit
  printf 'version: 2.1\nuuid: %s\nseqno: 0\nsafe_to_bootstrap: 1\n' "$CLUSTER" >"$DIR/data/grastate.dat"
  cp -r "$DIR/data" "$DIR/template"
  : >"$DIR/founds"
fi
serve() {
  set -- --no-defaults --datadir="$DIR/data" --tmpdir="$DIR" --socket="$DIR/socket" --pid-file="$DIR/pid" --skip-networking \
    --max-connections=200 --innodb-buffer-pool-size=32M --innodb-log-file-size=16M \
    --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
    --wsrep-on=ON --wsrep-provider="$PROVIDER" --wsrep-cluster-name=test --wsrep-cluster-address="gcomm://$PEERS" \
    --wsrep-node-name="$NAME" --wsrep-node-address=127.0.0.1 --wsrep-sst-method=rsync --wsrep-sst-receive-address="127.0.0.1:$SST" \
    --wsrep-provider-options="$OPTIONS" $MORE
  if [ -e "$DIR/founds" ]; then
    rm "$DIR/founds"
    set -- "$@" --wsrep-new-cluster
  elif [ -e "$DIR/served" ]; then
    set -- "$@" --wsrep-start-position="$(mariadbd "$@" --wsrep-recover 2>&1 | sed -n 's/.*WSREP: Recovered position: *//p' | tail -n 1)"
  fi
  : >"$DIR/served"
  exec mariadbd "$@" >>"$DIR/log" 2>&1 </dev/null
}
` + server.Revive

// options are those of the provider. A node that does not answer is given up after the
// time of suspicion, in which nothing is committed. It is shorter than the default of
// five seconds. The cache holds what a node lacks that comes back.
const options = "base_port=%[1]d;gmcast.listen_addr=tcp://127.0.0.1:%[1]d;ist.recv_addr=127.0.0.1:%[2]d;gcache.size=16M;gcache.page_size=16M;" +
	"evs.suspect_timeout=PT3S;evs.inactive_timeout=PT10S;repl.causal_read_timeout=PT10S"

// A node is one server of a cluster.
type node struct {
	*server.Process
	db *sql.DB
}

// A Cluster has [Nodes] servers. Each takes reads and writes.
type Cluster struct {
	nodes   []*node
	strikes int
}

// Start starts a cluster, with more options for each server. It returns an error that
// matches [server.ErrMissing] if there is nothing to start. The caller calls Stop, or
// leaves that to the end of the process.
func Start(ctx context.Context, more ...string) (*Cluster, error) {
	if err := missing(); err != nil {
		return nil, err
	}
	// On a busy machine, a group can fall apart before it has a majority, and then it does
	// not find together again.
	var errs []error
	for range 3 {
		c, err := begin(ctx, more)
		if err == nil {
			return c, nil
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// begin starts a cluster once.
func begin(ctx context.Context, more []string) (*Cluster, error) {
	ports, err := server.FreePorts(3 * Nodes)
	if err != nil {
		return nil, err
	}
	group, ist, sst := ports[:Nodes], ports[Nodes:2*Nodes], ports[2*Nodes:]
	var peers []string
	for _, port := range group {
		peers = append(peers, fmt.Sprintf("127.0.0.1:%d", port))
	}
	env := func(i int, first string) []string {
		return []string{
			"CLUSTER=2f6f2a3c-0000-11f0-8000-000000000001", "PROVIDER=" + provider, "PEERS=" + strings.Join(peers, ","), "FIRST=" + first,
			fmt.Sprint("NAME=node", i), fmt.Sprint("SST=", sst[i]), "OPTIONS=" + fmt.Sprintf(options, group[i], ist[i]),
			"MORE=" + strings.Join(more, " "),
		}
	}
	first, err := start(ctx, env(0, ""))
	if err != nil {
		return nil, err
	}
	c := &Cluster{nodes: []*node{first, nil, nil}}
	var errs [Nodes]error
	var starting sync.WaitGroup
	for i := 1; i < Nodes; i++ {
		starting.Go(func() { c.nodes[i], errs[i] = start(ctx, env(i, first.Dir)) })
	}
	starting.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.Whole(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// missing returns an error that matches [server.ErrMissing] if a program is not there.
func missing() error {
	for _, program := range []string{"mariadbd", "mariadb-install-db", "rsync"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if _, err := os.Stat("/usr/sbin/" + program); err != nil {
			return fmt.Errorf("%w: %s is neither in PATH nor in /usr/sbin", server.ErrMissing, program)
		}
	}
	if _, err := os.Stat(provider); err != nil {
		return fmt.Errorf("%w: there is no %s", server.ErrMissing, provider)
	}
	return nil
}

func start(ctx context.Context, env []string) (*node, error) {
	n := new(node)
	p, err := server.Start(ctx, server.Plan{
		Name:   "galera",
		Script: script,
		Ends:   "TERM",
		Env:    env,
		Users:  []string{"mysql", "nobody"},
		Ready: func(ctx context.Context, dir string) (err error) {
			if n.db == nil {
				if n.db, err = sql.Open("mysql", dsn(dir, "")); err != nil {
					return err
				}
			}
			return n.synced(ctx)
		},
	})
	if err != nil {
		if n.db != nil {
			n.db.Close()
		}
		return nil, err
	}
	n.Process = p
	return n, nil
}

func dsn(dir, database string) string { return "root@unix(" + dir + "/socket)/" + database }

// status returns a status variable of a node.
func (n *node) status(ctx context.Context, name string) (value string, err error) {
	err = n.db.QueryRowContext(ctx, "SHOW STATUS WHERE Variable_name = '"+name+"'").Scan(&name, &value)
	return value, err
}

// synced returns an error if the node does not serve as a member of the cluster.
func (n *node) synced(ctx context.Context) error {
	state, err := n.status(ctx, "wsrep_local_state_comment")
	if err == nil && state != "Synced" {
		err = fmt.Errorf("the node is %s", state)
	}
	return err
}

// Whole waits until all nodes serve, as members of one cluster. A node that was just
// killed does not answer, so it is waited for.
func (c *Cluster) Whole(ctx context.Context) error {
	return server.Until(ctx, func() error {
		for i, n := range c.nodes {
			size, err := n.status(ctx, "wsrep_cluster_size")
			if err == nil && size != fmt.Sprint(Nodes) {
				err = fmt.Errorf("the cluster has %s nodes", size)
			}
			if err = errors.Join(err, n.synced(ctx)); err != nil {
				return fmt.Errorf("node %d: %w", i, err)
			}
		}
		return nil
	})
}

// DSN returns the data source name of an administrator for that database at a node, for
// go-sql-driver. Parameters can be appended with a question mark.
func (c *Cluster) DSN(node int, database string) string { return dsn(c.nodes[node].Dir, database) }

// DB returns a pool of an administrator at a node, without a database. It is closed with
// the cluster.
func (c *Cluster) DB(node int) *sql.DB { return c.nodes[node].db }

// Sum returns the sum of a status variable over all nodes.
func (c *Cluster) Sum(ctx context.Context, name string) (int, error) {
	sum := 0
	for _, n := range c.nodes {
		text, err := n.status(ctx, name)
		if err != nil {
			return 0, err
		}
		var value int
		if _, err := fmt.Sscan(text, &value); err != nil {
			return 0, fmt.Errorf("%s is %q: %w", name, text, err)
		}
		sum += value
	}
	return sum, nil
}

// Log returns the end of the log of each node.
func (c *Cluster) Log() string {
	var b strings.Builder
	for i, n := range c.nodes {
		fmt.Fprintf(&b, "node %d:\n%s\n", i, n.Process.Log())
	}
	return b.String()
}

// Stop stops all nodes.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.nodes {
		if n != nil { // it has started
			n.db.Close() // fails if the node does not answer
			errs = append(errs, n.Process.Stop())
		}
	}
	return errors.Join(errs...)
}
