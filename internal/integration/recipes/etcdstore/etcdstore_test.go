package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// fresh returns an empty store whose client knows all nodes.
func fresh(t *testing.T) store.Store {
	t.Helper()
	_, s := open(t, newPrefix(), shared(t).nodes...)
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, fresh)
}

// TestNodes lets each call of a case go to another node.
func TestNodes(t *testing.T) {
	t.Parallel()
	storetest.RunNodes(t, func(t *testing.T) (all []store.Store) {
		_, stores := each(t, shared(t))
		for _, s := range stores {
			all = append(all, s)
		}
		return all
	})
}

func account(user string, version int64) store.Record {
	return store.Record{UserID: user, Version: version, State: store.Confirmed, Data: []byte("sealed")}
}

// replace saves the next version of a record. On a busy machine, a leader can be taken for dead:
// then a Save fails, and may have been carried out.
func replace(t *testing.T, s store.Store, r store.Record) {
	t.Helper()
	err := server.Until(t.Context(), func() error {
		err := s.Save(t.Context(), r, r.Version-1)
		if err == nil {
			return nil
		}
		if now, failed := s.Load(t.Context(), r.UserID); failed == nil && now.Version == r.Version {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shows waits until the record of a user can be read, which has to have that version.
func shows(t *testing.T, s store.Store, user string, want int64) {
	t.Helper()
	var r store.Record
	err := server.Until(t.Context(), func() (err error) {
		r, err = s.Load(t.Context(), user)
		return err
	})
	if err != nil || r.Version != want {
		t.Fatalf("the record has version %d, %v, want %d", r.Version, err, want)
	}
}

// TestPrefixes has one prefix begin with another. Without a separator, both users would
// have the same key.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	prefix := newPrefix()
	_, outer := open(t, prefix, shared(t).nodes...)
	_, inner := open(t, prefix+"inner/", shared(t).nodes...)
	if err := outer.Save(t.Context(), account("inner/alice", 1), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Load(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the inner store finds an account of the outer one: %v", err)
	}
	if err := inner.Save(t.Context(), account("alice", 2), 0); err != nil {
		t.Error(err)
	}
	for name, s := range map[string]store.Lister{"inner/alice": outer, "alice": inner} {
		page, err := s.List(t.Context(), store.Query{})
		if err != nil || len(page.Records) != 1 || page.Records[0].UserID != name {
			t.Errorf("the store of %s lists %v, %v", name, page.Records, err)
		}
	}
	if err := outer.Erase(t.Context(), "inner/alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Load(t.Context(), "alice"); err != nil {
		t.Errorf("the outer store has erased an account of the inner one: %v", err)
	}
}

// TestForeignValues puts values that no Save has written. None of them means that the user
// is not enrolled, and none is replaced by a Save that has not seen it.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	prefix := newPrefix()
	client, s := open(t, prefix, shared(t).nodes...)
	var want []store.Record
	for i, value := range []string{
		"", " ", "7", "7 ", "7 {", "7 null",
		`8 {"UserID":"USER","Version":7,"State":"confirmed"}`,
		`7 {"UserID":"bob","Version":7,"State":"confirmed"}`,
		`7 {"UserID":"USER","Version":7,"State":"confirmed","Due":"later"}`,
	} {
		user := fmt.Sprint("user", i)
		want = append(want, store.Record{UserID: user, Data: []byte{}})
		value = strings.ReplaceAll(value, "USER", user)
		if _, err := client.Put(t.Context(), prefix+"\x00"+user, value); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), user); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: Load = %v", value, err)
		}
		for _, prev := range []int64{0, 1, 77} {
			if err := s.Save(t.Context(), account(user, 9), prev); !errors.Is(err, store.ErrConflict) {
				t.Errorf("%q: Save over %d = %v", value, prev, err)
			}
		}
	}
	if page, err := s.List(t.Context(), store.Query{}); err != nil || !reflect.DeepEqual(page.Records, want) {
		t.Errorf("List = %+v, %v, want the user ids alone", page, err)
	}
}

// TestCompaction forgets the old values of a record.
func TestCompaction(t *testing.T) {
	t.Parallel()
	client, s := open(t, newPrefix(), shared(t).nodes...)
	for v := range int64(5) {
		if err := s.Save(t.Context(), account("alice", v+1), v); err != nil {
			t.Fatal(err)
		}
	}
	got, err := client.Get(t.Context(), "no such key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Compact(t.Context(), got.Header.Revision); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Load(t.Context(), "alice"); err != nil || r.Version != 5 {
		t.Errorf("Load = %d, %v", r.Version, err)
	}
	if err := s.Save(t.Context(), account("alice", 6), 5); err != nil {
		t.Error(err)
	}
}

// counted is a client that counts its requests.
type counted struct {
	clientv3.KV
	requests *int
}

func (c counted) Get(ctx context.Context, key string, o ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	*c.requests++
	return c.KV.Get(ctx, key, o...)
}

func (c counted) Txn(ctx context.Context) clientv3.Txn { *c.requests++; return c.KV.Txn(ctx) }

// TestRoundTrips counts what it costs to list users by their ids.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	client, s := open(t, newPrefix(), shared(t).nodes...)
	var ids []string
	for i := range 150 {
		ids = append(ids, fmt.Sprintf("user-%03d", i))
		if err := s.Save(t.Context(), account(ids[i], 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	requests := 0
	client.KV = counted{client.KV, &requests}
	page, err := s.List(t.Context(), store.Query{UserIDs: append(ids, "nobody"), Limit: store.MaxPage})
	if err != nil || len(page.Records) != len(ids) {
		t.Fatalf("List = %d records, %v, want %d", len(page.Records), err, len(ids))
	}
	if requests != 2 {
		t.Errorf("%d requests, want two", requests)
	}
}
