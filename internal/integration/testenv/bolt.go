package testenv

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	bolt "go.etcd.io/bbolt"
)

// Bolt returns a store on a file of its own.
func Bolt(t testing.TB) *boltstore.Store {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "accounts.bolt"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := boltstore.New(db)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
