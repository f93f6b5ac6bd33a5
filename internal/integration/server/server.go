// Package server runs a database server of its own for a test, in a temporary
// folder. It needs a Unix and the programs of the server, not a running one.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing says that there is nothing to start here.
var ErrMissing = errors.New("no server")

// startTimeout and stopTimeout bound what the server may take.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// A Plan says how to run a server.
type Plan struct {
	// Name begins the folder's name and the errors.
	Name string

	// Script is for a POSIX shell. It has the folder in DIR, starts the server
	// with its output to $DIR/log, sets server to its process id, and ends with
	// Keep.
	Script string

	// Env is more of the environment of the script.
	Env []string

	// Users are the names of the users that may run the server if this process
	// is root, in order of preference.
	Users []string

	// Ready returns nil if the server in the folder answers.
	Ready func(ctx context.Context, dir string) error
}

// Keep is the end of a Script. It keeps the server until the standard input
// ends, because Stop closes it or because this process is gone. Then it asks the
// server to stop, and removes the folder.
const Keep = `
cat >/dev/null
kill -INT "$server" && wait "$server"
cd / && rm -rf "$DIR"
`

// Revive is the end of a Script that has defined the function serve, which becomes
// the server. The server starts again whenever it has died, until Stop; see
// [Process.Kill]. It ends in order by the signal in $ENDS.
const Revive = `
( while [ ! -e "$DIR/stop" ]; do serve & echo $! >"$DIR/serving"; wait $!; done ) &
loop=$!
cat >/dev/null
: >"$DIR/stop"
kill "-$ENDS" "$(cat "$DIR/serving")"
wait "$loop"
cd / && rm -rf "$DIR"
`

// A Process is a server that belongs to this process.
type Process struct {
	// Dir is the folder of the server.
	Dir string

	name  string
	alive io.Closer     // the standard input of the shell that keeps the server
	ended chan struct{} // closed when the shell has ended
}

// Start runs the plan and waits until the server is ready. The caller calls Stop,
// or leaves that to the end of the process.
func Start(ctx context.Context, plan Plan) (*Process, error) {
	attr, own, err := serverUser(plan.Users)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "twofactor-"+plan.Name+"-")
	if err != nil {
		return nil, err
	}
	if err := own(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := exec.Command("/bin/sh", "-c", plan.Script)
	cmd.Dir = dir
	cmd.Env = append([]string{"DIR=" + dir, "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC"}, plan.Env...)
	cmd.SysProcAttr = attr
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", plan.Name, err), os.RemoveAll(dir))
	}
	p := &Process{Dir: dir, name: plan.Name, alive: alive, ended: make(chan struct{})}
	go func() {
		cmd.Wait() // its result says nothing that the log does not say better
		close(p.ended)
	}()
	if err := p.ready(ctx, plan.Ready); err != nil {
		log := p.Log()
		return nil, errors.Join(fmt.Errorf("%s: starting the server: %w\n%s", plan.Name, err, log), p.Stop())
	}
	return p, nil
}

// ready waits until the server answers.
func (p *Process) ready(ctx context.Context, ping func(ctx context.Context, dir string) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ping(ctx, p.Dir)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Log returns the end of the server's log.
func (p *Process) Log() string {
	const tail = 8 << 10
	b, err := os.ReadFile(filepath.Join(p.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-tail):]))
}

// Stop ends the server and removes its folder.
func (p *Process) Stop() error {
	p.alive.Close()
	select {
	case <-p.ended:
		return os.RemoveAll(p.Dir)
	case <-time.After(stopTimeout):
		return fmt.Errorf("%s: the server in %s does not stop", p.name, p.Dir)
	}
}
