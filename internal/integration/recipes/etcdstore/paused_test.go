//go:build unix

package etcdstore_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// TestPausedLeader stops the leader as a hypervisor stops a machine. Another node takes
// over and replaces a record. What was sent to the old leader meanwhile meets it when it
// goes on and still takes itself for the leader. It must not read the old record then, and
// not replace it.
func TestPausedLeader(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	old, rounds := 0, 0
	// An old leader may hear of the new record before it reads what was sent to it. So
	// rounds are added until one has read first.
	for began, l := time.Now(), long.Siege(t, 3); rounds < l.Rounds || time.Since(began) < l.Time/4 || old == 0 && rounds < 20; rounds++ {
		if pause(t, c) {
			old++
		}
	}
	if old == 0 {
		t.Error("a client that reads what its node has was not caught")
	}
	t.Logf("such a client has read an old record in %d of %d rounds", old, rounds)
}

// pause is one round. It returns whether a serializable read has read the old record.
func pause(t *testing.T, c *cluster) (stale bool) {
	t.Helper()
	leader, err := c.leader(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.Start("tcp", leader.plan.Client)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	prefix, front := newPrefix(), &node{plan: plan{Client: p.Addr().String()}}
	_, reader := open(t, prefix, front)
	_, writer := open(t, prefix, front)
	client, bentReader := open(t, prefix, front)
	client.KV = bent{KV: client.KV, serializable: true}
	_, others := open(t, prefix, slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool { return n == leader })...)

	const user = "alice"
	replace(t, others, account(user, 1))
	for _, s := range []proving.Full{reader, writer, bentReader} { // each has a connection then
		shows(t, s, user, 1)
	}
	if err := leader.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := c.leader(t.Context(), leader); err != nil {
		t.Fatal(err)
	}
	replace(t, others, account(user, 2))

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var group sync.WaitGroup
	send := func(call func()) {
		before := p.Figures().Passages
		group.Go(call)
		if err := server.Until(ctx, func() error {
			if p.Figures().Passages == before {
				return errors.New("nothing has passed")
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	send(func() {
		if r, err := reader.Load(ctx, user); err == nil && r.Version != 2 {
			t.Errorf("the old leader has read version %d", r.Version)
		}
	})
	send(func() {
		if writer.Save(ctx, account(user, 3), 1) == nil {
			t.Error("the old leader has replaced the old record")
		}
	})
	send(func() {
		r, err := bentReader.Load(ctx, user)
		stale = err == nil && r.Version == 1
	})
	if err := leader.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	shows(t, reader, user, 2)
	return stale
}
