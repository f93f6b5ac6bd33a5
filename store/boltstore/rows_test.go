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
// Nothing is read or written any more. A commit that fails before that does no harm.
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
	r := newRows(db)
	failed := errors.New("input/output error")
	fail := func(early, late error) {
		r.update = func(f func(tx *bolt.Tx) error) error {
			err := db.Update(func(tx *bolt.Tx) error { return cmp.Or(f(tx), early) })
			return cmp.Or(err, late)
		}
	}
	record := func(version int64) store.Record {
		return store.Record{UserID: "alice", Version: version, State: store.Confirmed, Updated: time.Unix(0, 0).UTC()}
	}
	for _, c := range []struct {
		early, late error
		version     int64 // to save, and what a Load returns then
		loads       int64
	}{
		{nil, nil, 1, 1},
		{failed, nil, 2, 1},
		{nil, failed, 2, 0},
		{nil, nil, 3, 0},
	} {
		fail(c.early, c.late)
		s := storekit.New("boltstore", r).(complete)
		err := s.Save(t.Context(), record(c.version), c.version-1)
		if want := c.loads == c.version; (err == nil) != want || err != nil && !errors.Is(err, failed) {
			t.Errorf("%+v: Save = %v", c, err)
		}
		got, err := s.Load(t.Context(), "alice")
		if got.Version != c.loads || (err == nil) != (c.loads > 0) || err != nil && !errors.Is(err, failed) {
			t.Errorf("%+v: Load = version %d, %v", c, got.Version, err)
		}
		if _, err := s.List(t.Context(), store.Query{}); (err == nil) != (c.loads > 0) {
			t.Errorf("%+v: List = %v", c, err)
		}
		if err := s.Erase(t.Context(), "bob"); (err == nil) != (c.loads > 0) && c.early == nil {
			t.Errorf("%+v: Erase = %v", c, err)
		}
	}
}
