package boltstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/proving/suite"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	"github.com/seed-1b6a03a1/twofactor/store/storetest"
	bolt "go.etcd.io/bbolt"
)

// openFile opens a file. It is closed with the test.
func openFile(t *testing.T, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// fresh returns a store on a file of its own.
func fresh(t *testing.T) store.Store {
	t.Helper()
	s, err := boltstore.New(openFile(t, filepath.Join(t.TempDir(), "accounts.bolt")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, fresh)
}

// TestGuard runs the proofs of enrollment.Guard on files.
func TestGuard(t *testing.T) {
	suite.Run(t, fresh)
}

func record(id string, version int64) store.Record {
	return store.Record{UserID: id, Version: version, State: store.Confirmed, Data: []byte("CANARY")}
}

// TestCase47_IdsAreBytes keeps five spellings of a name as five accounts.
func TestCase47_IdsAreBytes(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	ids := []string{"ALICE", "A\u0301lice", "alice", "alice ", "\u00c1lice"}
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

// TestReopen closes a file and opens it again, with buckets of the host beside.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.bolt")
	want := store.Record{
		UserID: "alice", Version: store.MaxVersion, State: store.Pending, Data: []byte{0, 1, 0xff},
		Due: time.Date(2026, 5, 17, 11, 42, 3, 123456000, time.UTC), Updated: time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
	}
	for round := range 2 {
		db := openFile(t, path)
		if err := db.Update(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucketIfNotExists([]byte("orders"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s, err := boltstore.New(db)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if err := s.Save(t.Context(), want, 0); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Load(t.Context(), "alice"); err != nil || got.Version != want.Version || got.State != want.State ||
			!got.Due.Equal(want.Due) || !got.Updated.Equal(want.Updated) || string(got.Data) != string(want.Data) {
			t.Errorf("round %d: Load = %+v, %v, want %+v", round, got, err, want)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), "alice"); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load from a closed file = %v, want an error that is not absence", err)
		}
		if err := s.Save(t.Context(), record("bob", 1), 0); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("Save to a closed file = %v, want an error that is no conflict", err)
		}
	}
}

// TestUnfit opens databases that can't keep what they acknowledge, or that
// something else has written.
func TestUnfit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options *bolt.Options
		before  func(tx *bolt.Tx) error
		want    error
		says    string
	}{
		"fit":       {nil, nil, nil, ""},
		"no sync":   {&bolt.Options{NoSync: true}, nil, boltstore.ErrSettings, "NoSync"},
		"no growth": {&bolt.Options{NoGrowSync: true}, nil, boltstore.ErrSettings, "NoGrowSync"},
		"read only": {&bolt.Options{ReadOnly: true}, nil, boltstore.ErrSettings, "reading only"},
		"newer": {nil, func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("twofactor_meta")).Put([]byte("version"), []byte("2"))
		}, boltstore.ErrSchema, `version "2"`},
		"no version": {nil, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("twofactor_meta")) }, boltstore.ErrSchema, "missing"},
		"no records": {nil, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("twofactor_accounts")) }, boltstore.ErrSchema, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "accounts.bolt")
			db := openFile(t, path)
			if _, err := boltstore.New(db); err != nil {
				t.Fatal(err)
			}
			if c.before != nil {
				if err := db.Update(c.before); err != nil {
					t.Fatal(err)
				}
			}
			db.Close()
			db, err := bolt.Open(path, 0o600, c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s, err := boltstore.New(db)
			if c.want == nil && err != nil || c.want != nil && (!errors.Is(err, c.want) || s != nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("New = %v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

// TestBadValues reads values that no Save has written. None is absence, and none may
// be replaced or quoted.
func TestBadValues(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"empty":          "",
		"another format": "\x02" + strings.Repeat("\x00", 60),
		"short":          "\x01CANARY",
		"short state":    "\x01" + strings.Repeat("\x00", 24) + "\x09CANARY",
		"unknown state":  "\x01" + strings.Repeat("\x00", 24) + "\x06CANARY",
		"version 0":      "\x01" + strings.Repeat("\x00", 24) + "\x04noneCANARY",
		"late":           "\x01" + strings.Repeat("\x00", 7) + "\x01" + strings.Repeat("\x7f", 16) + "\x04noneCANARY",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openFile(t, filepath.Join(t.TempDir(), "accounts.bolt"))
			s, err := boltstore.New(db)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("twofactor_accounts")).Put([]byte("alice"), []byte(value))
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load(t.Context(), "alice"); err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("Load = %v, want an error that is no answer and quotes nothing", err)
			}
			if page, err := s.List(t.Context(), store.Query{}); err != nil || len(page.Records) != 1 || page.Records[0].UserID != "alice" || page.Records[0].Validate() == nil {
				t.Errorf("List = %+v, %v, want the user id alone", page, err)
			}
			if err := s.Save(t.Context(), record("alice", 2), 0); err == nil {
				t.Error("Save creates a record over the value")
			}
		})
	}
}

// A watched context tells when somebody begins to wait for its end.
type watched struct {
	context.Context
	asked chan struct{}
}

func (w watched) Done() <-chan struct{} {
	w.asked <- struct{}{}
	return w.Context.Done()
}

// TestWaitingHeedsTheContext saves twice while a transaction of the host holds the
// file. One Save waits for bbolt, which takes no context, and the other for the first.
func TestWaitingHeedsTheContext(t *testing.T) {
	t.Parallel()
	db := openFile(t, filepath.Join(t.TempDir(), "accounts.bolt"))
	s, err := boltstore.New(db)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	parent, cancel := context.WithCancel(t.Context())
	ctx := watched{parent, make(chan struct{}, 2)}
	results := make(chan error, 2)
	for _, id := range []string{"alice", "bob"} {
		go func() { results <- s.Save(ctx, record(id, 1), 0) }()
	}
	<-ctx.asked
	<-ctx.asked
	cancel()
	first := <-results // before the host is done
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{first, <-results} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Save after its context ended = %v, want Canceled", err)
		}
	}
	for _, id := range []string{"alice", "bob"} {
		if _, err := s.Load(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Load(%q) = %v, want ErrNotFound", id, err)
		}
	}
}
