package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	bolt "go.etcd.io/bbolt"
)

func ExampleNew() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	db, err := bolt.Open(filepath.Join(dir, "accounts.bolt"), 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		log.Fatal(err) // also if another process has the file open
	}
	defer db.Close()
	accounts, err := boltstore.New(db)
	if err != nil {
		log.Fatal(err)
	}

	// The store goes to enrollment.New.
	_, err = accounts.Load(context.Background(), "alice")
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output: true
}
