//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, fresh)
}

// TestGuard runs the proofs of enrollment.Guard on Redis.
func TestGuard(t *testing.T) {
	suite.Run(t, fresh)
}

// TestNodes holds two stores on one database against the contract.
func TestNodes(t *testing.T) {
	t.Parallel()
	storetest.RunNodes(t, func(t *testing.T) []store.Store {
		o := redisstore.Options{Prefix: freshPrefix()}
		return []store.Store{newStore(t, open(t), o), newStore(t, open(t), o)}
	})
}

func record(id string, version int64) store.Record {
	return store.Record{UserID: id, Version: version, State: store.Confirmed, Data: []byte("CANARY")}
}

// TestCase47_IdsAreBytes keeps five spellings of a name as five accounts, and one that
// looks like a hash tag.
func TestCase47_IdsAreBytes(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	ids := []string{"ALICE", "A\u0301lice", "alice", "alice ", "{1}:users", "\u00c1lice"}
	for i, id := range ids {
		if err := s.Save(t.Context(), record(id, int64(i)+1), 0); err != nil {
			t.Errorf("Save(%q) = %v, want nil", id, err)
		}
	}
	page, err := s.(store.Lister).List(t.Context(), store.Query{})
	if err != nil || len(page.Records) != len(ids) {
		t.Fatalf("List = %d records, %v, want %d", len(page.Records), err, len(ids))
	}
	for i, r := range page.Records {
		if r.UserID != ids[i] || r.Version != int64(i)+1 {
			t.Errorf("record %d is %q with version %d", i, r.UserID, r.Version)
		}
	}
}

// TestVersionsAreExact tells versions apart that are one number in Lua, if it reads them
// as numbers and prints them.
func TestVersionsAreExact(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	if err := s.Save(t.Context(), record("alice", store.MaxVersion), 0); err != nil {
		t.Fatal(err)
	}
	for _, prev := range []int64{store.MaxVersion - 1, store.MaxVersion - 2, 1} {
		if err := s.Save(t.Context(), record("alice", 5), prev); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Save over %d = %v, want ErrConflict", prev, err)
		}
	}
	if err := s.Save(t.Context(), record("alice", store.MaxVersion-1), store.MaxVersion); err != nil {
		t.Errorf("Save over the highest version = %v, want nil", err)
	}
}

// TestKeys holds the names of the keys, which applications have in their databases, and
// that those of a user are in one slot.
func TestKeys(t *testing.T) {
	t.Parallel()
	c, prefix := open(t), freshPrefix()
	s := newStore(t, c, redisstore.Options{Prefix: prefix})
	if err := s.Save(t.Context(), record("alice", 7), 0); err != nil {
		t.Fatal(err)
	}
	keys, err := c.Keys(t.Context(), prefix+"*").Result()
	slices.Sort(keys)
	if want := []string{prefix + "{39}:user:alice", prefix + "{39}:users"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("keys = %q, %v, want %q", keys, err, want)
	}
	got, err := c.HGetAll(t.Context(), keys[0]).Result()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"version": "7", "state": "confirmed", "due": "", "updated": "-62135596800000000", "data": "CANARY"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("hash = %v, want %v", got, want)
	}
	if err := s.Erase(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if keys, err := c.Keys(t.Context(), prefix+"*").Result(); err != nil || len(keys) != 0 {
		t.Errorf("after Erase there are %q, %v", keys, err)
	}
}

// TestLost deletes a hash, as a policy does that evicts keys. The user is not a user
// without an account, until an administrator says so.
func TestLost(t *testing.T) {
	t.Parallel()
	c, prefix := open(t), freshPrefix()
	s := newStore(t, c, redisstore.Options{Prefix: prefix})
	if err := s.Save(t.Context(), record("alice", 7), 0); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Del(t.Context(), prefix+"{39}:user:alice").Result(); err != nil || n != 1 {
		t.Fatalf("Del = %d, %v", n, err)
	}
	_, load := s.Load(t.Context(), "alice")
	if page, err := s.List(t.Context(), store.Query{}); err != nil || len(page.Records) != 1 || page.Records[0].UserID != "alice" || page.Records[0].Validate() == nil {
		t.Errorf("List = %+v, %v, want the user id alone", page, err)
	}
	for method, err := range map[string]error{
		"Load":        load,
		"Save":        s.Save(t.Context(), record("alice", 8), 7),
		"Save create": s.Save(t.Context(), record("alice", 8), 0),
	} {
		if !errors.Is(err, redisstore.ErrLost) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s = %v, want ErrLost", method, err)
		}
	}
	if err := s.Erase(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load after Erase = %v, want ErrNotFound", err)
	}
	if err := s.Save(t.Context(), record("alice", 9), 0); err != nil {
		t.Errorf("Save after Erase = %v, want nil", err)
	}
}

// TestBadHashes reads hashes that no Save has written.
func TestBadHashes(t *testing.T) {
	t.Parallel()
	good := map[string]any{"version": "7", "state": "none", "due": "", "updated": "0", "data": "CANARY"}
	for name, edit := range map[string]func(m map[string]any){
		"no state":       func(m map[string]any) { delete(m, "state") },
		"no data":        func(m map[string]any) { delete(m, "data") },
		"a version more": func(m map[string]any) { m["version"] = "CANARY" },
		"version 0":      func(m map[string]any) { m["version"] = "0" },
		"a state more":   func(m map[string]any) { m["state"] = "CANARY" },
		"due a text":     func(m map[string]any) { m["due"] = "CANARY" },
		"updated late":   func(m map[string]any) { m["updated"] = "9223372036854775807" },
		"data too long":  func(m map[string]any) { m["data"] = strings.Repeat("CANARY", store.MaxData) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, prefix := open(t), freshPrefix()
			s := newStore(t, c, redisstore.Options{Prefix: prefix})
			if err := s.Save(t.Context(), record("alice", 7), 0); err != nil {
				t.Fatal(err)
			}
			fields := make(map[string]any)
			for k, v := range good {
				fields[k] = v
			}
			edit(fields)
			key := prefix + "{39}:user:alice"
			if err := errors.Join(c.Del(t.Context(), key).Err(), c.HSet(t.Context(), key, fields).Err()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load(t.Context(), "alice"); err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("Load = %v, want an error that is no answer and quotes nothing", err)
			}
			if page, err := s.List(t.Context(), store.Query{}); err != nil || len(page.Records) != 1 || page.Records[0].UserID != "alice" || page.Records[0].Validate() == nil {
				t.Errorf("List = %+v, %v, want the user id alone", page, err)
			}
		})
	}
}

// TestNoHash has a key of a user that holds something else, beside another user.
func TestNoHash(t *testing.T) {
	t.Parallel()
	c, prefix := open(t), freshPrefix()
	s := newStore(t, c, redisstore.Options{Prefix: prefix})
	for _, id := range []string{"alice", "bob"} {
		if err := s.Save(t.Context(), record(id, 7), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Set(t.Context(), prefix+"{39}:user:alice", "CANARY", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "alice"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load = %v, want an error that is not absence", err)
	}
	for _, ids := range [][]string{nil, {"alice", "bob"}, {"bob", "alice"}} {
		page, err := s.List(t.Context(), store.Query{UserIDs: ids})
		if err != nil || len(page.Records) != 2 || page.Records[0].UserID != "alice" || page.Records[0].Validate() == nil || page.Records[1].Version != 7 {
			t.Errorf("List of %q = %+v, %v, want alice without more, and bob", ids, page, err)
		}
	}
	if err := s.Erase(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	if _, err := s.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load after Erase = %v, want ErrNotFound", err)
	}
}

// A lastFails lets the last command of each pipeline fail, which Exec does not always tell.
type lastFails struct{}

var errLoading = errors.New("LOADING Redis is loading the dataset in memory")

func (lastFails) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (lastFails) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (lastFails) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		cmds[len(cmds)-1].SetErr(errLoading)
		return err
	}
}

// TestLastReplyFails lists users, one of whom can't be looked at. That is no record that can't
// be read.
func TestLastReplyFails(t *testing.T) {
	t.Parallel()
	c := open(t)
	s := newStore(t, c, redisstore.Options{Prefix: freshPrefix()})
	for _, id := range []string{"alice", "bob"} {
		if err := s.Save(t.Context(), record(id, 7), 0); err != nil {
			t.Fatal(err)
		}
	}
	c.AddHook(lastFails{})
	if page, err := s.List(t.Context(), store.Query{UserIDs: []string{"alice", "bob"}}); !errors.Is(err, errLoading) {
		t.Errorf("List = %+v, %v, want %v", page, err, errLoading)
	}
}

// cutter counts the replies to lose.
type cutter struct {
	mu   sync.Mutex
	cuts int
}

// cut loses the replies of the next n Saves.
func (c *cutter) cut(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts = n
}

// lossy is a connection whose reads fail once after a Save was written.
type lossy struct {
	net.Conn
	c   *cutter
	cut bool
}

func (l *lossy) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	if strings.Contains(string(b), "CANARY") {
		l.c.mu.Lock()
		if l.c.cuts > 0 {
			l.c.cuts--
			l.cut = true
		}
		l.c.mu.Unlock()
	}
	return n, err
}

func (l *lossy) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if l.cut {
		return 0, net.ErrClosed
	}
	return n, err
}

// TestLostReply loses the reply of a Save. The client does not send it again, whatever
// its settings: another Save could have come between the two.
func TestLostReply(t *testing.T) {
	t.Parallel()
	need(t)
	socket, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	for _, retries := range []int{0, -1} { // the default, and none
		cut := new(cutter)
		o := options(socket)
		o.MaxRetries = retries
		o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &lossy{Conn: conn, c: cut}, err
		}
		c := redis.NewClient(o)
		defer c.Close()
		s := newStore(t, c, redisstore.Options{Prefix: freshPrefix()})
		if err := s.Save(t.Context(), record("alice", 1), 0); err != nil { // the script is known now
			t.Fatal(err)
		}
		cut.cut(1)
		if err := s.Save(t.Context(), record("alice", 2), 1); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("Save without a reply = %v, want an error that is no conflict", err)
		}
		if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != 2 {
			t.Errorf("Load = version %d, %v, want 2", r.Version, err)
		}
		if err := s.Save(t.Context(), record("alice", 2), 1); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same Save by another call = %v, want ErrConflict", err)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	c := redis.NewClient(&redis.Options{})
	defer c.Close()
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	for name, o := range map[string]redisstore.Options{
		"a tag":           {Prefix: "a{b}"},
		"a space":         {Prefix: "a b"},
		"long":            {Prefix: strings.Repeat("a", 65)},
		"replicas":        {Replicas: -1},
		"timeout":         {WaitTimeout: -time.Second},
		"a short timeout": {WaitTimeout: time.Microsecond},
	} {
		if s, err := redisstore.New(c, o); err == nil || s != nil {
			t.Errorf("%s: New = %v, want an error", name, err)
		}
	}
	cluster := redis.NewClusterClient(&redis.ClusterOptions{})
	defer cluster.Close()
	for client, right := range map[redis.UniversalClient]bool{
		c: true, cluster: true, ring: false, struct{ redis.UniversalClient }{cluster}: false,
	} {
		if s, err := redisstore.New(client, redisstore.Options{}); (err == nil) != right || (s != nil) != right {
			t.Errorf("New with a %T = %v, want a store: %v", client, err, right)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("New without a client did not panic")
		}
	}()
	redisstore.New(nil, redisstore.Options{})
}
