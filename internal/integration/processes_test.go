package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	bolt "go.etcd.io/bbolt"
)

func init() { roles["host"] = host }

// openHost opens the store of a process, also one with settings that are not safe.
func openHost(kind, dsn string) (proving.Full, error) {
	switch kind {
	case "bbolt":
		db, err := bolt.Open(dsn, 0o600, &bolt.Options{Timeout: time.Minute})
		if err != nil {
			return nil, err
		}
		return boltstore.New(db)
	case "Redis":
		return redisstore.New(goredis.NewClient(&goredis.Options{Network: "unix", Addr: dsn, ContextTimeoutEnabled: true}), redisstore.Options{})
	}
	if kind == "MariaDB" {
		kind = sqlstore.MySQL.String()
	}
	s, err := openArgs([]string{kind, dsn})
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(context.Background()); err != nil && !errors.Is(err, sqlstore.ErrSettings) {
		return nil, err
	}
	return s, nil
}

// A line goes between a test and a process with hosts. To the process go requests. Back go
// replies and, before what it is about, that a store is called, what it has answered, and
// what a host tells.
type line struct {
	ID      int64             `json:",omitempty"` // of a request and its reply
	Host    int               `json:",omitempty"`
	Request *siege.Request    `json:",omitempty"`
	Reply   *siege.Reply      `json:",omitempty"`
	Called  bool              `json:",omitempty"`
	Loaded  *siege.Version    `json:",omitempty"`
	Saved   *siege.Version    `json:",omitempty"`
	Told    *enrollment.Event `json:",omitempty"`
}

// host is the role of a process with args[3] hosts on one store.
func host(args []string) error {
	s, err := openHost(args[0], args[1])
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(l line) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(l); err != nil {
			panic(err) // which the test prints, if there still is one
		}
	}
	ears := siege.Ears{
		Ring:   args[2],
		Called: func() { say(line{Called: true}) },
		Loaded: func(v siege.Version) { say(line{Loaded: &v}) },
		Saved:  func(v siege.Version) { say(line{Saved: &v}) },
		Told:   func(e enrollment.Event) { say(line{Told: &e}) },
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	hosts := make([]*siege.Host, n)
	for i := range hosts {
		if hosts[i], err = siege.NewHost(s, ears); err != nil {
			return err
		}
	}
	for in := json.NewDecoder(os.Stdin); ; {
		var l line
		switch err := in.Decode(&l); {
		case errors.Is(err, io.EOF): // the test has ended
			return nil
		case err != nil:
			return err
		}
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), siege.Deadline)
			defer cancel()
			if reply, err := hosts[l.Host].Do(ctx, *l.Request); err == nil {
				say(line{ID: l.ID, Reply: &reply})
			}
		}()
	}
}

// A hosting is a process with hosts, which can be killed and comes back.
type hosting struct {
	t    *testing.T
	args []string
	ears siege.Ears

	mu      sync.Mutex
	child   *child
	in      *json.Encoder // its standard input
	killed  bool
	last    int64
	waiting map[int64]chan<- siege.Reply // by the id of the request
}

// keep keeps a process up until the test ends.
func keep(t *testing.T, kind, dsn string, hosts int, e siege.Ears) *hosting {
	t.Helper()
	h := &hosting{t: t, args: []string{kind, dsn, e.Ring, strconv.Itoa(hosts)}, ears: e}
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	all.Go(func() {
		for h.listen() {
			if err := h.start(); err != nil && t.Context().Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	return h
}

func (h *hosting) start() error {
	c, err := newChild(h.t.Context(), "host", h.args...)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.child, h.in, h.killed, h.waiting = c, json.NewEncoder(c.stdin), false, make(map[int64]chan<- siege.Reply)
	return nil
}

// listen takes what the process says until it is no more, and reports whether it was killed
// to come back.
func (h *hosting) listen() bool {
	for h.child.lines.Scan() {
		var l line
		if err := json.Unmarshal(h.child.lines.Bytes(), &l); err != nil {
			h.child.Process.Kill() // unless it has died in the middle of the line
			break
		}
		switch {
		case l.Called:
			h.ears.Called()
		case l.Loaded != nil:
			h.ears.Loaded(*l.Loaded)
		case l.Saved != nil:
			h.ears.Saved(*l.Saved)
		case l.Told != nil:
			h.ears.Told(*l.Told)
		default:
			h.mu.Lock()
			h.waiting[l.ID] <- *l.Reply
			delete(h.waiting, l.ID)
			h.mu.Unlock()
		}
	}
	err := h.child.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, reply := range h.waiting {
		close(reply)
	}
	h.waiting = nil
	if h.t.Context().Err() != nil {
		return false
	}
	if !h.killed {
		h.t.Errorf("a process has ended by itself: %v, %s", err, h.child.stderr)
	}
	return h.killed
}

// kill kills the process.
func (h *hosting) kill() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.killed = true
	return h.child.Process.Kill()
}

var errGone = errors.New("the process is no more")

// node is one of its hosts.
func (h *hosting) node(host int) siege.Node {
	return func(ctx context.Context, r siege.Request) (siege.Reply, error) {
		reply, err := h.ask(line{Host: host, Request: &r})
		if err != nil {
			return siege.Reply{}, err
		}
		select {
		case <-ctx.Done():
			return siege.Reply{}, ctx.Err()
		case a, ok := <-reply:
			if !ok {
				return siege.Reply{}, errGone
			}
			return a, nil
		}
	}
}

// ask sends a request.
func (h *hosting) ask(l line) (<-chan siege.Reply, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == nil {
		return nil, errGone
	}
	h.last++
	l.ID = h.last
	reply := make(chan siege.Reply, 1)
	h.waiting[l.ID] = reply
	return reply, h.in.Encode(l)
}

// processes starts the nodes of a siege in processes of their own, all on one database. With
// bbolt, which is for one process, one has all of them. What it returns last is the process
// that has called its store last.
func processes(t *testing.T, kind, dsn string, e siege.Ears) (nodes siege.Nodes, last func() *hosting) {
	t.Helper()
	each := 1
	if kind == "bbolt" {
		each = len(nodes)
	}
	var all []*hosting
	var called atomic.Int64
	for i := range nodes {
		if i%each == 0 {
			heard := e
			heard.Called = func() { called.Store(int64(i / each)); e.Called() }
			heard.Saved = func(v siege.Version) { called.Store(int64(i / each)); e.Saved(v) }
			all = append(all, keep(t, kind, dsn, each, heard))
		}
		nodes[i] = all[i/each].node(i % each)
	}
	return nodes, func() *hosting { return all[called.Load()] }
}

// TestKilledProcess kills one of three processes on one database in the middle of sign-ins,
// setups and guesses, again and again.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	for kind, fresh := range map[string]func(t testing.TB) string{
		"SQLite":     func(t testing.TB) string { return testenv.SQL(t, sqlstore.SQLite) },
		"PostgreSQL": testenv.PostgresDSN,
		"MariaDB":    testenv.MariaDBDSN,
		"Redis":      func(t testing.TB) string { socket, _ := testenv.RedisReviving(t); return socket },
		"bbolt":      func(t testing.TB) string { return filepath.Join(t.TempDir(), "accounts") },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			what := kind + ", a process of three is killed"
			if kind == "bbolt" {
				what = kind + ", the process is killed"
			}
			dsn := fresh(t)
			var last func() *hosting
			figures := siege.Run(t, func(t *testing.T, e siege.Ears) (nodes siege.Nodes) {
				nodes, last = processes(t, kind, dsn, e)
				return nodes
			}, func() {
				if err := last().kill(); err != nil {
					t.Error(err)
				}
			}, long.Siege(t, 6))
			long.Report(t, what, figures)
			if figures.Faults == 0 {
				t.Error("nobody was interrupted")
			}
		})
	}
}
