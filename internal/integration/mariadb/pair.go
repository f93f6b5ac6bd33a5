package mariadb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// A Waiting says what a commit waits for at the primary of a [Pair].
type Waiting struct {
	// Point is empty for asynchronous replication, where a commit waits for nothing.
	// Otherwise it is rpl_semi_sync_master_wait_point: others see the commit before the
	// replica has it with AFTER_COMMIT, and not with AFTER_SYNC.
	Point string

	// Milliseconds is how long a commit waits at the most.
	Milliseconds int
}

// Long is a wait that no test sees the end of.
const Long = 3_600_000

// templated installs a server, or copies the installation of the server at $FROM, and keeps
// a copy for the next one.
const templated = `
if [ -n "$FROM" ]; then
  cp -r "$FROM/template" "$DIR/template" || exit
else
  TMPDIR="$DIR" mariadb-install-db --no-defaults --datadir="$DIR/template" --auth-root-authentication-method=normal --skip-test-db \
    --innodb-log-file-size=16M >"$DIR/log" 2>&1 || exit
fi
cp -r "$DIR/template" "$DIR/data" || exit
`

// database is the database of a pair.
const database = "twofactor"

// A Pair is a primary and a replica, with a proxy that leads to the primary. The replica
// follows over a network that takes a moment.
type Pair struct {
	waiting Waiting
	started int // servers
	front   *proxy.Proxy
	primary *Server
	replica *Server
	link    *proxy.Proxy
	broken  error // after a failover that has failed: there may be no replica
}

// StartPair starts a pair with an empty database.
func StartPair(ctx context.Context, w Waiting) (*Pair, error) {
	for _, program := range []string{"mariadb", "mariadb-dump"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: %s is not in PATH", server.ErrMissing, program)
		}
	}
	p := &Pair{waiting: w}
	var err error
	if p.primary, err = p.start(ctx, ""); err != nil {
		return nil, err
	}
	if err := p.primary.exec(ctx, "CREATE DATABASE "+database); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	if p.front, err = proxy.Start("unix", p.primary.socket()); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	if err := p.follow(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// start starts a server.
func (p *Pair) start(ctx context.Context, from string) (*Server, error) {
	p.started++
	return start(ctx, templated+serve+server.Keep, []string{
		fmt.Sprint("--server-id=", p.started), "--gtid-strict-mode=1", "--log-slave-updates=1", "--rpl-semi-sync-slave-enabled=1",
		"--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M",
	}, "FROM="+from)
}

func (s *Server) socket() string { return filepath.Join(s.Dir, "socket") }

// DSN leads an administrator to the primary, whichever it is. Parameters can be appended
// with a question mark.
func (p *Pair) DSN() string { return "root@tcp(" + p.front.Addr().String() + ")/" + database }

// ReplicaDSN leads to the replica.
func (p *Pair) ReplicaDSN() string { return p.replica.DSN(database) }

// Near takes away the delay on the way to the replica, until a failover. It is for tests that
// kill nothing: there the delay only takes time.
func (p *Pair) Near() { p.link.Meet(proxy.Trouble{}) }

// follow starts a replica of the primary.
func (p *Pair) follow(ctx context.Context) (err error) {
	if p.link, err = proxy.Start("unix", p.primary.socket()); err != nil {
		return err
	}
	if p.replica, err = p.start(ctx, p.primary.Dir); err != nil {
		return err
	}
	if err := p.copy(ctx); err != nil {
		return err
	}
	if p.waiting.Point != "" {
		err = p.primary.exec(ctx, "SET GLOBAL rpl_semi_sync_master_wait_point = "+p.waiting.Point,
			fmt.Sprint("SET GLOBAL rpl_semi_sync_master_timeout = ", p.waiting.Milliseconds), "SET GLOBAL rpl_semi_sync_master_enabled = 1")
	}
	if err = errors.Join(err, p.replica.exec(ctx,
		fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = 'root', MASTER_USE_GTID = slave_pos", p.link.Addr().Port),
		"START REPLICA", "SET GLOBAL read_only = 1")); err != nil {
		return err
	}
	if err := server.Until(ctx, func() error { return p.streams(ctx) }); err != nil {
		return err
	}
	p.link.Meet(proxy.Trouble{Delay: 1000})
	return p.CaughtUp(ctx)
}

// CaughtUp waits until the replica has what the primary has now.
func (p *Pair) CaughtUp(ctx context.Context) error {
	var written string
	if err := p.primary.ask(ctx, "SELECT @@gtid_binlog_pos", &written); err != nil {
		return err
	}
	return p.replica.applied(ctx, written)
}

// copy gives the replica what the primary has, and the place in the primary's log from
// which to follow.
func (p *Pair) copy(ctx context.Context) error {
	var dump, errs bytes.Buffer
	from := exec.CommandContext(ctx, "mariadb-dump", "--no-defaults", "--socket="+p.primary.socket(), "--user=root",
		"--single-transaction", "--master-data", "--gtid", "--databases", database)
	from.Stdout, from.Stderr = &dump, &errs
	to := exec.CommandContext(ctx, "mariadb", "--no-defaults", "--socket="+p.replica.socket(), "--user=root", "--init-command=SET sql_log_bin = 0")
	to.Stdin, to.Stderr = &dump, &errs
	for _, cmd := range []*exec.Cmd{from, to} {
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd.Path, err, errs.String())
		}
	}
	return nil
}

// streams returns an error if the primary has no replica that is as it should be.
func (p *Pair) streams(ctx context.Context) error {
	status, err := p.replica.status(ctx)
	if err != nil {
		return err
	}
	if status["Slave_IO_Running"] != "Yes" || status["Slave_SQL_Running"] != "Yes" {
		return fmt.Errorf("the replica does not follow: %s %s", status["Last_IO_Error"], status["Last_SQL_Error"])
	}
	if p.waiting.Point == "" {
		return nil
	}
	var name, clients, semi string
	for variable, value := range map[string]*string{"clients": &clients, "status": &semi} {
		if err := p.primary.ask(ctx, "SHOW STATUS LIKE 'Rpl_semi_sync_master_"+variable+"'", &name, value); err != nil {
			return err
		}
	}
	if clients != "1" || semi != "ON" {
		return fmt.Errorf("%s semi-synchronous replicas, which is %s", clients, semi)
	}
	return nil
}

// CutOff waits until the replica has what the primary has now, and keeps from it what is
// committed later, until FailOver.
func (p *Pair) CutOff(ctx context.Context) error {
	if p.broken != nil {
		return p.broken
	}
	err := p.CaughtUp(ctx)
	p.link.Split()
	return err
}

// failOverWithin bounds a failover.
const failOverWithin = 5 * time.Minute

// FailOver kills the primary and promotes the replica. When it returns, the new primary
// serves and has a replica of its own. After an error, the pair is only good for Log and Stop.
func (p *Pair) FailOver(ctx context.Context) error {
	if p.broken == nil {
		ctx, cancel := context.WithTimeout(ctx, failOverWithin)
		defer cancel()
		p.broken = p.failOver(ctx)
	}
	return p.broken
}

func (p *Pair) failOver(ctx context.Context) error {
	p.link.Split() // what is on its way is lost with the machine
	err := p.primary.Kill()
	p.link.HealBroken()
	if err != nil {
		return err
	}
	dead, link := p.primary, p.link
	p.primary, p.replica, p.link = p.replica, nil, nil
	err = p.primary.promote(ctx)
	if err == nil {
		p.front.Lead("unix", p.primary.socket())
	}
	if err := errors.Join(err, dead.Stop(), link.Close()); err != nil {
		return err
	}
	return p.follow(ctx)
}

// promote makes a primary of a replica. What it has received and not yet applied would be
// lost with RESET REPLICA ALL.
func (s *Server) promote(ctx context.Context) error {
	if err := s.exec(ctx, "STOP REPLICA IO_THREAD"); err != nil {
		return err
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	if err := s.applied(ctx, status["Gtid_IO_Pos"]); err != nil {
		return err
	}
	return s.exec(ctx, "STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL read_only = 0")
}

// applied waits until the replica has applied all up to a place in the primary's log.
func (s *Server) applied(ctx context.Context, place string) error {
	const seconds = 60
	var late int
	err := s.ask(ctx, fmt.Sprintf("SELECT MASTER_GTID_WAIT('%s', %d)", place, seconds), &late)
	if err == nil && late != 0 {
		err = fmt.Errorf("the replica has not applied %s in %d s", place, seconds)
	}
	return err
}

// Log returns the end of the log of each server.
func (p *Pair) Log() string {
	log := p.primary.Log()
	if p.replica != nil {
		log += "\n\nand of the replica:\n" + p.replica.Log()
	}
	return log
}

// Stop stops everything.
func (p *Pair) Stop() (err error) {
	if p.front != nil {
		err = p.front.Close()
	}
	if p.replica != nil {
		err = errors.Join(err, p.replica.Stop())
	}
	if p.link != nil {
		err = errors.Join(err, p.link.Close())
	}
	return errors.Join(err, p.primary.Stop())
}
