//go:build linux

package boltstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	bolt "go.etcd.io/bbolt"
)

// A bench is a store on a file whose descriptor can lead elsewhere for a while.
type bench struct {
	*boltstore.Store
	path string
	db   *bolt.DB
	file *os.File
}

// openBench opens a file with alice's record.
func openBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{path: filepath.Join(t.TempDir(), "accounts.bolt")}
	b.open(t)
	if err := b.Save(t.Context(), record("alice", 1), 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) open(t *testing.T) {
	t.Helper()
	var err error
	b.db, err = bolt.Open(b.path, 0o600, &bolt.Options{OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
		file, err := os.OpenFile(path, flag, mode)
		b.file = file
		return file, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	db := b.db
	t.Cleanup(func() { db.Close() })
	if b.Store, err = boltstore.New(b.db); err != nil {
		t.Fatal(err)
	}
}

// lead makes the descriptor one of another file, and returns what leads it back.
func (b *bench) lead(t *testing.T, path string) (back func()) {
	t.Helper()
	fd := int(b.file.Fd())
	keep, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(path)
	if path == "/dev/full" {
		other, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Dup3(int(other.Fd()), fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(syscall.Dup3(keep, fd, syscall.O_CLOEXEC), syscall.Close(keep)); err != nil {
			t.Error(err)
		}
	}
}

// TestErrors brings about each error of the table in the documentation.
func TestErrors(t *testing.T) {
	t.Parallel()
	proving.HoldErrors(t, "boltstore.go", map[string]func(t *testing.T) proving.Trouble{
		"another version, or a record": func(t *testing.T) proving.Trouble {
			b := openBench(t)
			return proving.Trouble{Store: b, Meet: func(r store.Record, prev int64) error {
				return errors.Join(b.Save(t.Context(), r, prev+1), b.Save(t.Context(), r, 0))
			}}
		},
		"the context ended": func(t *testing.T) proving.Trouble {
			b := openBench(t)
			return proving.Trouble{Store: b, Meet: func(r store.Record, prev int64) error {
				tx, err := b.db.Begin(true)
				if err != nil {
					t.Fatal(err)
				}
				parent, cancel := context.WithCancel(t.Context())
				ctx := watched{parent, make(chan struct{}, 1)}
				result := make(chan error)
				go func() { result <- b.Save(ctx, r, prev) }()
				<-ctx.asked
				cancel()
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				return <-result
			}}
		},
		"the file is closed": func(t *testing.T) proving.Trouble {
			b := openBench(t)
			return proving.Trouble{Store: b, Meet: func(r store.Record, prev int64) error {
				if err := b.db.Close(); err != nil {
					t.Fatal(err)
				}
				defer b.open(t)
				return b.Save(t.Context(), r, prev)
			}}
		},
		"the disk or the file is full": func(t *testing.T) proving.Trouble {
			b := openBench(t)
			return proving.Trouble{Store: b, Meet: func(r store.Record, prev int64) error {
				defer b.lead(t, "/dev/full")()
				err := b.Save(t.Context(), r, prev)
				if !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("Save = %v, want ENOSPC", err)
				}
				return err
			}}
		},
		"anything else": func(t *testing.T) proving.Trouble {
			b := openBench(t)
			return proving.Trouble{Store: b, Meet: func(r store.Record, prev int64) error {
				defer b.lead(t, b.path)() // and only to read
				return b.Save(t.Context(), r, prev)
			}}
		},
	})
}
