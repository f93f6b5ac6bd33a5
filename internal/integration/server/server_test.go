//go:build unix

package server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// sleeper is a server that knows no signals. As it runs in the background of a shell, it
// ignores INT, as each server does before it has begun.
const sleeper = `
serve() { echo hello >>"$DIR/log"; exec sleep 1000; }
`

func plan(script string) server.Plan {
	return server.Plan{Name: "sleeper", Script: script, Ends: "TERM INT", Users: []string{"nobody"}, Ready: ready}
}

// ready looks for the process of the server.
func ready(_ context.Context, dir string) error {
	pid, err := serving(dir)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, 0)
}

func serving(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "serving"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// marked returns the plan of a server whose Clean leaves a mark, and what sees that it has run
// once. The user that runs the server must be able to write there.
func marked(t *testing.T, script string) (server.Plan, func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "marked-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := plan(script)
	p.Clean = `echo clean >>"$MARK"`
	p.Env = []string{"MARK=" + filepath.Join(dir, "mark")}
	return p, func() {
		t.Helper()
		if mark, err := os.ReadFile(filepath.Join(dir, "mark")); string(mark) != "clean\n" {
			t.Errorf("the mark is %q, %v", mark, err)
		}
	}
}

// gone sees that neither the server nor its folder is left.
func gone(t *testing.T, dir string, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server is still there: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestStop stops a server that runs, and one that is killed and comes back at the same
// moment.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"keep": server.Keep, "revive": server.Revive} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for round := range 10 {
				p, err := server.Start(t.Context(), plan(sleeper+end))
				if err != nil {
					t.Fatal(err)
				}
				pid, err := serving(p.Dir)
				if err != nil {
					t.Fatal(err)
				}
				if name == "revive" && round%2 == 1 {
					if err := p.Kill(); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.Stop(); err != nil {
					t.Fatal(err)
				}
				gone(t, p.Dir, pid)
			}
		})
	}
}

// TestStopWhileItBegins gives a server up that has just been started. It does not know its
// signals yet.
func TestStopWhileItBegins(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"keep": server.Keep, "revive": server.Revive} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 10 {
				ctx, cancel := context.WithCancel(t.Context())
				var dir string
				p := plan("sleep 0.1\n" + sleeper + end)
				p.Ready = func(_ context.Context, d string) error {
					dir = d
					cancel()
					return errors.New("not yet")
				}
				if _, err := server.Start(ctx, p); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "does not stop") {
					t.Fatalf("Start = %v, want Canceled alone", err)
				}
				if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the folder is still there: %v", err)
				}
			}
		})
	}
}

// TestServerDies has a server that ends before it is ready. Nobody waits for it any more,
// and the error has its log.
func TestServerDies(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"before":  "echo hello >\"$DIR/log\"\nexit 1\n" + sleeper + server.Keep,
		"at once": "serve() { echo hello >\"$DIR/log\"; exit 1; }\n" + server.Keep,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(script)
			p.Ready = func(context.Context, string) error { return errors.New("not yet") }
			_, err := server.Start(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), "it has ended") || !strings.Contains(err.Error(), "hello") {
				t.Errorf("Start = %v, want that the server has ended, and its log", err)
			}
		})
	}
}

// TestCannotStart has a server that ends by itself whenever it is started. There is a pause
// before it is started again.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	plan := plan(`
sleep() { echo pause >>"$DIR/log"; command sleep "$@"; }
serve() { echo start >>"$DIR/log"; exit 1; }
` + server.Revive)
	plan.Ready = func(_ context.Context, dir string) error {
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		if strings.Count(string(log), "start") < 3 {
			err = errors.Join(err, errors.New("not yet"))
		}
		return err
	}
	p, err := server.Start(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if log := p.Log(); !strings.HasPrefix(log, "start\npause\nstart\npause\nstart") {
		t.Errorf("it went:\n%.100s", log)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

// deaf is a server that no signal ends in order.
const deaf = `
serve() { trap '' TERM INT; : >"$DIR/deaf"; exec sleep 1000; }
`

func readyAndDeaf(ctx context.Context, dir string) error {
	_, err := os.Stat(filepath.Join(dir, "deaf"))
	return errors.Join(err, ready(ctx, dir))
}

// ended waits for the end of a process, which takes a moment where nobody of ours waits for it,
// and leaves a zombie where nobody does.
func ended(t *testing.T, pid int) {
	t.Helper()
	err := server.Until(t.Context(), func() error {
		if err := syscall.Kill(pid, 0); err != nil {
			return nil
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, state, found := strings.Cut(string(stat), ") "); err == nil && found && strings.HasPrefix(state, "Z") {
			return nil
		}
		return errors.New("it is still there")
	})
	if err != nil {
		t.Errorf("the server: %v", err)
	}
}

// A server that does not end is killed, with the shell that would begin another one.
func TestStopOfOneThatHangs(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"keep": server.Keep, "revive": server.Revive} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, cleaned := marked(t, deaf+end)
			plan.Ready = readyAndDeaf
			p, err := server.Start(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := serving(p.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.StopWithin(time.Millisecond); err == nil || !strings.Contains(err.Error(), "does not stop") {
				t.Error(err)
			}
			ended(t, pid)
			gone(t, p.Dir, p.Group())
			cleaned()
		})
	}
}

// TestAbandoned has a server that does not end, and a test that ends without Stop, as one does
// that is killed. The shell kills the server, and leaves nothing of it.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"keep": server.Keep, "revive": server.Revive} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, cleaned := marked(t, deaf+end)
			plan.Ready = readyAndDeaf
			plan.Env = append(plan.Env, "KILL_AFTER=1")
			p, err := server.Start(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := serving(p.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Abandon(time.Minute); err != nil {
				t.Fatal(errors.Join(err, p.StopWithin(0)))
			}
			gone(t, p.Dir, pid)
			cleaned()
		})
	}
}

// TestKill kills a server that stays dead, and one that comes back.
func TestKill(t *testing.T) {
	t.Parallel()
	stays, cleaned := marked(t, sleeper+server.Keep)
	p, err := server.Start(t.Context(), stays)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := serving(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Kill(), p.Stop()); err != nil {
		t.Fatal(err)
	}
	gone(t, p.Dir, pid)
	cleaned()

	returns, cleaned := marked(t, sleeper+server.Revive)
	p, err = server.Start(t.Context(), returns)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = serving(p.Dir); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	err = server.Until(t.Context(), func() error {
		again, err := serving(p.Dir)
		if err == nil && again == pid {
			err = errors.New("no other one serves")
		}
		return errors.Join(err, syscall.Kill(again, 0))
	})
	if err := errors.Join(err, p.Stop()); err != nil {
		t.Fatal(err)
	}
	gone(t, p.Dir, pid)
	cleaned()
}
