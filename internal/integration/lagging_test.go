package integration_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/galera"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// lag keeps a node of a cluster from applying what the others commit, until the returned
// function is called. The node still serves.
func lag(t *testing.T, c *galera.Cluster, node int) (catchUp func()) {
	t.Helper()
	ctx := t.Context()
	conn, err := c.DB(node).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at := func(statement string) {
		t.Helper()
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	at("SET GLOBAL wsrep_provider_options = 'gcs.fc_limit=1000'") // the others do not wait for it
	at("SET GLOBAL wsrep_provider_options = 'repl.causal_read_timeout=PT0.5S'")
	// The node has what was committed until here.
	at("SET wsrep_sync_wait = 7")
	at("CREATE DATABASE IF NOT EXISTS lagging")
	at("CREATE OR REPLACE TABLE lagging.behind (id INTEGER PRIMARY KEY) ENGINE = InnoDB")
	at("LOCK TABLES lagging.behind READ")
	// What comes after this waits for it. The other node may not have the table yet.
	err = server.Until(ctx, func() error {
		_, err := c.DB((node+1)%galera.Nodes).ExecContext(ctx, "INSERT INTO lagging.behind VALUES (1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		at("UNLOCK TABLES")
		at("SET GLOBAL wsrep_provider_options = 'repl.causal_read_timeout=PT10S'")
		at("SET GLOBAL wsrep_provider_options = 'gcs.fc_limit=16'")
		if err := errors.Join(conn.Close(), c.Whole(ctx)); err != nil {
			t.Fatal(err)
		}
	}
}

// galeraLags asks a node that lacks what was committed at another one. With
// wsrep_sync_wait=7 it answers nothing. With less it takes a user for one without a second
// factor, or acknowledges that an account is erased which is there. No code works twice
// in either case, since the nodes agree on what is written.
func galeraLags(t *testing.T, c *galera.Cluster) {
	const node = 2
	for _, wait := range []int{7, 1, 0} {
		what := fmt.Sprint("wsrep_sync_wait=", wait)
		ctx := t.Context()
		stores := testenv.GaleraStores(t, c, "?"+what)
		kit := proving.Over(t, stores[0])
		saving := make(chan struct{})
		watching := &watched{Full: stores[node]}
		behind := kit.NodeOver(watching, kit.Keys)
		bob := kit.Enroll("bob")
		catchUp := lag(t, c, node)
		kit.Enroll("alice")
		code := kit.Code(bob.Key)
		if _, err := kit.Guard.Verify(ctx, "bob", "test", code); err != nil {
			t.Fatal(err)
		}

		d, err := behind.SignIn(ctx, "alice", enrollment.SignInOptions{})
		t.Logf("%s: a sign-in of a user who is enrolled: %v, %v", what, d.Next, err)
		if proceeds := err == nil && d.Next == enrollment.Proceed; proceeds != (wait == 0) {
			t.Errorf("%s: a sign-in of a user who is enrolled: %v, %v", what, d.Next, err)
		}
		err = stores[node].Erase(ctx, "alice")
		t.Logf("%s: Erase: %v", what, err)
		if (err == nil) != (wait != 7) {
			t.Errorf("%s: Erase = %v, want nil: %v", what, err, wait != 7)
		}
		// The code was used. Where that is not known, a write waits for what it meets.
		watching.before = func() { close(saving) }
		used := make(chan error, 1)
		go func() {
			_, err := behind.Verify(ctx, "bob", "test", code)
			used <- err
		}()
		want := enrollment.ReasonReplayed
		select {
		case <-saving:
			catchUp()
			err = <-used
		case err = <-used:
			catchUp()
			want = proving.Fault
		}
		t.Logf("%s: a code that was used: %v", what, err)
		if reason := proving.ReasonOf(err); reason != want || (want == proving.Fault) != (wait != 0) {
			t.Errorf("%s: a code that was used: %v", what, err)
		}
		if _, err := behind.Verify(ctx, "bob", "test", code); proving.ReasonOf(err) != enrollment.ReasonReplayed {
			t.Errorf("%s: a code that was used: %v, want Replayed", what, err)
		}
		if _, err := stores[0].Load(ctx, "alice"); err != nil {
			t.Errorf("%s: after an Erase that found nothing: %v", what, err)
		}
	}
}
