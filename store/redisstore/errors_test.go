//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// TestErrors brings about each error of the table in the documentation.
func TestErrors(t *testing.T) {
	t.Parallel()
	// alice returns a store on the client with alice's record, and its prefix.
	alice := func(t *testing.T, c *redis.Client, o redisstore.Options) (*redisstore.Store, string) {
		t.Helper()
		s := newStore(t, c, redisstore.Options{Prefix: o.Prefix})
		if err := s.Save(t.Context(), record("alice", 1), 0); err != nil {
			t.Fatal(err)
		}
		return newStore(t, c, o), o.Prefix + "{39}:user:alice"
	}
	fresh := func() redisstore.Options { return redisstore.Options{Prefix: freshPrefix()} }
	proving.HoldErrors(t, "doc.go", map[string]func(t *testing.T) proving.Trouble{
		"another version, or a record": func(t *testing.T) proving.Trouble {
			s, _ := alice(t, open(t), fresh())
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				return errors.Join(s.Save(t.Context(), r, prev+1), s.Save(t.Context(), r, 0))
			}}
		},
		"ErrLost": func(t *testing.T) proving.Trouble {
			c := open(t)
			s, key := alice(t, c, fresh())
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				was, err := c.Dump(t.Context(), key).Result()
				if err := errors.Join(err, c.Del(t.Context(), key).Err()); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := c.Restore(t.Context(), key, 0, was).Err(); err != nil { // from a backup
						t.Error(err)
					}
				}()
				err = s.Save(t.Context(), r, prev)
				if !errors.Is(err, redisstore.ErrLost) {
					t.Errorf("Save = %v, want ErrLost", err)
				}
				return err
			}}
		},
		"ErrReplicas": func(t *testing.T) proving.Trouble {
			o := fresh()
			c := open(t)
			s, _ := alice(t, c, o)
			o.Replicas, o.WaitTimeout = 1, time.Millisecond
			waits := newStore(t, c, o)
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				err := waits.Save(t.Context(), r, prev)
				if !errors.Is(err, redisstore.ErrReplicas) {
					t.Errorf("Save = %v, want ErrReplicas", err)
				}
				if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version == prev {
					t.Errorf("the master has version %d, %v, want the write", r.Version, err)
				}
				return err
			}}
		},
		"Redis refuses: OOM, READONLY, NOREPLICAS and the like": func(t *testing.T) proving.Trouble {
			c := connect(t, own(t, ""))
			s, _ := alice(t, c, fresh())
			set := func(name, value string) {
				t.Helper()
				if err := c.ConfigSet(t.Context(), name, value).Err(); err != nil {
					t.Fatal(err)
				}
			}
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				set("maxmemory", "1")
				full := s.Save(t.Context(), r, prev)
				set("maxmemory", "0")
				set("min-replicas-to-write", "1")
				alone := s.Save(t.Context(), r, prev)
				set("min-replicas-to-write", "0")
				if err := c.ReplicaOf(t.Context(), "127.0.0.1", freePort(t)).Err(); err != nil {
					t.Fatal(err)
				}
				replica := s.Save(t.Context(), r, prev)
				if err := c.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
					t.Fatal(err)
				}
				for name, err := range map[string]error{"OOM": full, "NOREPLICAS": alone, "READONLY": replica} {
					if err == nil || !redis.HasErrorPrefix(errors.Unwrap(err), name) {
						t.Errorf("Save = %v, want %s", err, name)
					}
				}
				return errors.Join(full, alone, replica)
			}}
		},
		"the context ended": func(t *testing.T) proving.Trouble {
			c := connect(t, own(t, ""))
			s, _ := alice(t, c, fresh())
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				if err := c.Do(t.Context(), "CLIENT", "PAUSE", time.Hour.Milliseconds(), "WRITE").Err(); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				err := s.Save(ctx, r, prev)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Save = %v, want the context's error", err)
				}
				return errors.Join(err, c.Do(t.Context(), "CLIENT", "UNPAUSE").Err())
			}}
		},
		"the connection broke": func(t *testing.T) proving.Trouble {
			cut := new(cutter)
			need(t)
			socket, err := theServer()
			if err != nil {
				t.Fatal(err)
			}
			o := *options(socket)
			o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &lossy{Conn: conn, c: cut}, err
			}
			s, _ := alice(t, client(t, o), fresh())
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				r.Data = []byte("CANARY")
				cut.cut(1)
				return s.Save(t.Context(), r, prev)
			}}
		},
		"anything else": func(t *testing.T) proving.Trouble {
			c := open(t)
			s, key := alice(t, c, fresh())
			return proving.Trouble{Store: s, Meet: func(r store.Record, prev int64) error {
				was, err := c.Dump(t.Context(), key).Result()
				if err := errors.Join(err, c.Set(t.Context(), key, "no hash", 0).Err()); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := c.RestoreReplace(t.Context(), key, 0, was).Err(); err != nil {
						t.Error(err)
					}
				}()
				return s.Save(t.Context(), r, prev)
			}}
		},
	})
}
