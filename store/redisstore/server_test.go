//go:build unix

package redisstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// keep runs a server until its standard input ends, because the test closes it or
// because this process is gone.
const keep = `
exec 3<&0
redis-server --port 0 --unixsocket "$DIR/socket" --dir "$DIR" --save "" --appendonly yes --appendfsync always --maxmemory-policy noeviction $MORE >"$DIR/log" 2>&1 </dev/null &
server=$!
{ cat <&3 >/dev/null; : >"$DIR/stop"; kill -KILL "$server"; } &
wait "$server"
if [ -e "$DIR/stop" ]; then cd / && rm -rf "$DIR"; fi
kill $!
`

// startServer starts a server in a temporary folder, with more options, and returns
// the path of its socket. It runs until stop is called or this process ends.
func startServer(more string) (socket string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "twofactor-redis-")
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", keep)
	cmd.Env = []string{"DIR=" + dir, "MORE=" + more, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		if u, err := user.Lookup("nobody"); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			if err := os.Chown(dir, uid, gid); err != nil {
				return "", nil, err
			}
		}
	}
	alive, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // the log says why
		close(ended)
	}()
	stop = func() {
		alive.Close()
		<-ended
		os.RemoveAll(dir) // that of a server which has ended by itself
	}
	socket = filepath.Join(dir, "socket")
	c := redis.NewClient(options(socket))
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.Ping(ctx).Err()
		if err == nil {
			return socket, stop, nil
		}
		select {
		case <-tick.C:
			continue
		case <-ended:
		case <-ctx.Done():
		}
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		stop()
		return "", nil, fmt.Errorf("starting Redis: %w\n%s", err, log)
	}
}

func options(socket string) *redis.Options {
	return &redis.Options{Network: "unix", Addr: socket, ContextTimeoutEnabled: true}
}

// need ends the test if there is no Redis: it is skipped, or fails with
// TWOFACTOR_REQUIRE=1.
func need(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("TWOFACTOR_REQUIRE") == "1" {
		t.Fatal("redis-server is not in PATH, and TWOFACTOR_REQUIRE=1")
	}
	t.Skip("redis-server is not in PATH")
}

// theServer runs until this process ends. stopTheServer holds its standard input,
// which the garbage collector would close.
var theServer = sync.OnceValues(func() (socket string, err error) {
	socket, stopTheServer, err = startServer("")
	return socket, err
})

var stopTheServer func()

// TestMain stops the common server in the end.
func TestMain(m *testing.M) {
	code := m.Run()
	if stopTheServer != nil {
		stopTheServer()
	}
	os.Exit(code)
}

// open returns a client of the common server. It is closed with the test.
func open(t *testing.T) *redis.Client {
	t.Helper()
	need(t)
	socket, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, socket)
}

func connect(t *testing.T, socket string) *redis.Client {
	t.Helper()
	c := redis.NewClient(options(socket))
	t.Cleanup(func() { c.Close() })
	return c
}

// own starts a server for this test alone.
func own(t *testing.T, more string) string {
	t.Helper()
	need(t)
	socket, stop, err := startServer(more)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return socket
}

var prefixes atomic.Int64

// freshPrefix returns a prefix that no other test of this process uses.
func freshPrefix() string { return fmt.Sprintf("test%d:", prefixes.Add(1)) }

// fresh returns an empty store on the common server.
func fresh(t *testing.T) store.Store {
	t.Helper()
	return newStore(t, open(t), redisstore.Options{Prefix: freshPrefix()})
}

func newStore(t *testing.T, c redis.UniversalClient, o redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until calls f until it returns nil, for a few minutes at the most.
func until(t *testing.T, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for err := f(); err != nil; err = f() {
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// client returns a client with these options. It is closed with the test.
func client(t *testing.T, o redis.Options) *redis.Client {
	t.Helper()
	c := redis.NewClient(&o)
	t.Cleanup(func() { c.Close() })
	return c
}

// ports are those that freePort has returned.
var ports sync.Map

// freePort returns a port of the loopback that nobody uses, each time another one. It is below
// those that internal/integration uses, and those that systems give to clients.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(5_000))
		if _, again := ports.LoadOrStore(port, true); again {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}
