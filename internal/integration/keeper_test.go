package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
	bolt "go.etcd.io/bbolt"
)

func init() { roles["keeper"] = keeper }

// keepers are the stores that live inside a process, on a file.
var keepers = map[string]func(path string) (proving.Full, error){
	"SQLite": func(path string) (proving.Full, error) {
		db, err := sql.Open("sqlite", testenv.SQLiteDSN(path))
		if err != nil {
			return nil, err
		}
		s := sqlstore.New(db, sqlstore.SQLite)
		return s, s.Migrate(context.Background())
	},
	"bbolt": func(path string) (proving.Full, error) {
		db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Minute})
		if err != nil {
			return nil, err
		}
		return boltstore.New(db)
	},
}

// keeper opens a store and serves it on a socket, until it is killed.
func keeper(args []string) error {
	s, err := keepers[args[0]](args[1])
	if err != nil {
		return err
	}
	if err := rpc.RegisterName("Keeper", &Keeper{s}); err != nil {
		return err
	}
	l, err := net.Listen("unix", args[2])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	go rpc.Accept(l)
	_, err = io.Copy(io.Discard, os.Stdin) // until the test ends, in whatever way
	return err
}

// A Keeper is a store as package rpc serves it. An error of the contract goes into the
// reply.
type Keeper struct{ store proving.Full }

type (
	SaveArgs struct {
		Record store.Record
		Prev   int64
	}
	Reply struct {
		Record store.Record
		Page   store.Page
		Answer string
	}
)

var answers = map[string]error{"not found": store.ErrNotFound, "conflict": store.ErrConflict, "invalid": store.ErrInvalid}

func (r *Reply) end(err error) error {
	for text, answer := range answers {
		if errors.Is(err, answer) {
			r.Answer, err = text, nil
		}
	}
	return err
}

func (k *Keeper) Load(user string, r *Reply) (err error) {
	r.Record, err = k.store.Load(context.Background(), user)
	return r.end(err)
}

func (k *Keeper) Save(a SaveArgs, r *Reply) error {
	return r.end(k.store.Save(context.Background(), a.Record, a.Prev))
}

func (k *Keeper) List(q store.Query, r *Reply) (err error) {
	r.Page, err = k.store.List(context.Background(), q)
	return r.end(err)
}

func (k *Keeper) Erase(user string, r *Reply) error {
	return r.end(k.store.Erase(context.Background(), user))
}

// A kept store is in a process of its own, which can be killed and comes back.
type kept struct {
	t          *testing.T
	kind, path string

	mu     sync.Mutex
	child  *child
	client *rpc.Client
}

// keep starts a process with a store of that kind on a new file.
func keep(t *testing.T, kind string) *kept {
	k := &kept{t: t, kind: kind, path: filepath.Join(t.TempDir(), "accounts")}
	if err := k.start(); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kept) start() error {
	dir, err := os.MkdirTemp("", "twofactor-keeper-") // the path of a socket is short
	if err != nil {
		return err
	}
	k.t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	c := start(k.t, "keeper", k.kind, k.path, socket)
	if !c.lines.Scan() {
		return fmt.Errorf("the process does not start: %v, %s", c.Wait(), c.stderr)
	}
	client, err := rpc.Dial("unix", socket)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.child, k.client = c, client
	return nil
}

// kill kills the process, and starts the next one.
func (k *kept) kill() error {
	k.mu.Lock()
	c, client := k.child, k.client
	k.mu.Unlock()
	if err := c.Process.Kill(); err != nil {
		return err
	}
	if err := c.Wait(); err == nil {
		return errors.New("the process has ended by itself")
	}
	return errors.Join(client.Close(), k.start())
}

func (k *kept) call(ctx context.Context, method string, args any) (Reply, error) {
	k.mu.Lock()
	client := k.client
	k.mu.Unlock()
	r := new(Reply)
	call := client.Go("Keeper."+method, args, r, make(chan *rpc.Call, 1))
	select {
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	case <-call.Done:
		if call.Error != nil {
			return Reply{}, call.Error
		}
		return *r, answers[r.Answer]
	}
}

func (k *kept) Load(ctx context.Context, user string) (store.Record, error) {
	r, err := k.call(ctx, "Load", user)
	return r.Record, err
}

func (k *kept) Save(ctx context.Context, r store.Record, prev int64) error {
	_, err := k.call(ctx, "Save", SaveArgs{r, prev})
	return err
}

func (k *kept) List(ctx context.Context, q store.Query) (store.Page, error) {
	r, err := k.call(ctx, "List", q)
	return r.Page, err
}

func (k *kept) Erase(ctx context.Context, user string) error {
	_, err := k.call(ctx, "Erase", user)
	return err
}
