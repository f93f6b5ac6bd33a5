package boltstore

import (
	"cmp"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
	bolt "go.etcd.io/bbolt"
)

// TestFailedFlush lets the last flush of a commit fail, when bbolt shows the write already.
// Nothing is read until another commit has flushed it. A commit that fails before that does
// no harm.
func TestFailedFlush(t *testing.T) {
	t.Parallel()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "accounts.bolt"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := prepare(db); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("input/output error")
	var early, late error
	commits := 0
	r := newRows(db)
	r.update = func(f func(tx *bolt.Tx) error) error {
		err := db.Update(func(tx *bolt.Tx) error { return cmp.Or(f(tx), early) })
		commits++
		return cmp.Or(err, late)
	}
	s := storekit.New("boltstore", r).(complete)
	save := func(version int64, want error) {
		t.Helper()
		rec := store.Record{UserID: "alice", Version: version, State: store.Confirmed, Updated: time.Unix(0, 0).UTC()}
		if err := s.Save(t.Context(), rec, version-1); !errors.Is(err, want) {
			t.Errorf("Save of version %d = %v, want %v", version, err, want)
		}
	}
	load := func(version int64, want error, flushes int) {
		t.Helper()
		before := commits
		got, err := s.Load(t.Context(), "alice")
		if !errors.Is(err, want) || got.Version != version {
			t.Errorf("Load = version %d, %v, want %d, %v", got.Version, err, version, want)
		}
		if n := commits - before; n != flushes {
			t.Errorf("Load of version %d commits %d times, want %d", version, n, flushes)
		}
	}
	save(1, nil)
	load(1, nil, 0)
	early = failed
	save(2, failed)
	load(1, nil, 0)
	early, late = nil, failed
	save(2, failed)
	load(0, failed, 1)
	if _, err := s.List(t.Context(), store.Query{}); !errors.Is(err, failed) {
		t.Errorf("List = %v, want %v", err, failed)
	}
	late = nil
	load(2, nil, 1)
	load(2, nil, 0)
	late = failed
	save(3, failed)
	late = nil
	save(4, nil) // which flushes as well
	load(4, nil, 0)
}
