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

// startTimeout and stopTimeout bound what the server may take. Stop kills one that does not end,
// and says so. The shell kills it later: if there is nobody any more who would call Stop.
const (
	startTimeout = 5 * time.Minute
	stopTimeout  = 3 * time.Minute
	killAfter    = stopTimeout + 10*time.Second
)

// A Plan says how to run a server.
type Plan struct {
	// Name begins the folder's name and the errors.
	Name string

	// Script is for a POSIX shell. It has the folder in DIR, defines the function
	// serve, which becomes the server and writes its output to $DIR/log, and ends
	// with Keep or Revive.
	Script string

	// Ends are the signals that end the server in order, with spaces in between. The
	// first of them is not INT. A shell lets what runs in its background ignore INT,
	// and a server that has just begun still does.
	Ends string

	// Clean is for the shell as well. It removes what a server that was killed leaves
	// outside of the folder.
	Clean string

	// Env is more of the environment of the script.
	Env []string

	// Users are the names of the users that may run the server if this process
	// is root, in order of preference.
	Users []string

	// Ready returns nil if the server in the folder answers.
	Ready func(ctx context.Context, dir string) error
}

// end is what both ends of a Script share. A server that does not end is killed, for this
// process may be gone, and then nobody else does that.
const end = `
end() {
  for signal in $ENDS; do kill "-$signal" "$1"; done
  waited=0
  while [ "$waited" -lt "$KILL_AFTER" ]; do sleep 1; waited=$((waited + 1)); done
  kill -KILL "$1"
}
gone() { cd / && { rm -rf "$DIR" || { sleep 1; rm -rf "$DIR"; }; }; } # children of one that was killed may still write
`

// Keep is the end of a Script. It keeps the server until the standard input ends, because
// Stop closes it or because this process is gone. Then it ends the server and removes the
// folder. If the server dies, the script is over, and Stop removes the folder.
const Keep = end + `
exec 3<&0
serve &
server=$!
echo "$server" >"$DIR/serving"
{ cat <&3 >/dev/null; : >"$DIR/stop"; end "$server"; } &
wait "$server"
rm -f "$DIR/serving"
eval "$CLEAN"
if [ -e "$DIR/stop" ]; then gone; fi
kill $!
`

// Revive is Keep for a server that starts again whenever it has died, unless there is the
// file $DIR/hold; see [Process.Kill]. If it was not killed, there is a pause before: it may be
// unable to start. A server that starts while Stop looks for it is ended as well.
const Revive = end + `
(
  while [ ! -e "$DIR/stop" ]; do
    if [ -e "$DIR/hold" ]; then sleep 0.05; continue; fi
    serve &
    server=$! ending=
    echo "$server" >"$DIR/serving"
    if [ -e "$DIR/stop" ]; then end "$server" & ending=$!; fi
    wait "$server"
    status=$?
    rm -f "$DIR/serving"
    [ -z "$ending" ] || kill "$ending"
    [ "$status" -eq 137 ] || sleep 0.2 # 128 and KILL
  done
) &
keeper=$!
cat >/dev/null
: >"$DIR/stop"
end "$(cat "$DIR/serving")" &
ending=$!
wait "$keeper"
kill "$ending"
eval "$CLEAN"
gone
`

// A Process is a server that belongs to this process.
type Process struct {
	// Dir is the folder of the server.
	Dir string

	name  string
	group int           // of the shell that keeps the server, and of all that it starts
	alive io.Closer     // the standard input of the shell
	ended chan struct{} // closed when the shell has ended
	clean *exec.Cmd     // for when the shell is killed
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
	env := append([]string{
		"DIR=" + dir, "ENDS=" + plan.Ends, "CLEAN=" + plan.Clean, fmt.Sprint("KILL_AFTER=", int(killAfter.Seconds())),
		"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC",
	}, plan.Env...)
	shell := func(script string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, env, attr
		return cmd
	}
	cmd := shell(plan.Script)
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", plan.Name, err), os.RemoveAll(dir))
	}
	p := &Process{Dir: dir, name: plan.Name, group: cmd.Process.Pid, alive: alive, ended: make(chan struct{}), clean: shell(plan.Clean)}
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

// Stop ends the server and removes its folder. A server that does not end in time is
// killed, and that is an error.
func (p *Process) Stop() error { return p.stop(stopTimeout) }

func (p *Process) stop(within time.Duration) error {
	p.alive.Close()
	select {
	case <-p.ended:
		return os.RemoveAll(p.Dir)
	case <-time.After(within):
		err := fmt.Errorf("%s: the server does not stop\n%s", p.name, p.Log())
		err = errors.Join(err, p.killAll()) // the shell as well, which would begin another one
		<-p.ended
		if failed := p.clean.Run(); failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: cleaning: %w", p.name, failed))
		}
		return errors.Join(err, os.RemoveAll(p.Dir))
	}
}
