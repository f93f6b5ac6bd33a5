// Package keyfile keeps the keys of an example in a file that only its owner
// can read. In production they come from a secret store instead: a key that
// lies beside its database is copied together with it.
package keyfile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// ErrLost says that the key file is gone and that there are accounts which
// nothing but its keys can open.
var ErrLost = errors.New("the key file is missing, and the database has two-factor accounts that only its keys can open")

// Open returns the keys in the file at path. Where there is none it makes one
// with a fresh key, unless the store holds accounts: under another key they
// could never be read again, and the file is probably waiting in a backup. The
// error then matches [ErrLost].
func Open(ctx context.Context, path string, accounts store.Lister) (*keyring.Ring, error) {
	ring, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	held, err := accounts.List(ctx, store.Query{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(held.Records) > 0 {
		return nil, fmt.Errorf("%w: put %s back, or start with an empty database", ErrLost, path)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("creating the key file: %w", err)
	}
	return read(path) // it may be another process's, which was faster
}

// read returns the keys in an existing file.
func read(path string) (*keyring.Ring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s is open to other users: chmod 600 it, and think about who has read it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := keyring.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("the key file %s: %w", path, err)
	}
	return ring, nil
}

// create makes the file whole or not at all, and leaves one that is there
// alone: a link, unlike a rename, never replaces anything.
func create(path string) error {
	// An id of its own, so that a key file of another installation is told
	// from a damaged database.
	ring, err := keyring.Generate("k" + strings.ToLower(rand.Text()[:8]))
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(ring.Format() + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the file's name as durable as its contents, before accounts
// are sealed under it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such call
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
