// Package keyfile keeps the keys of an example in a file that only its owner can
// read. In production, take keys from a secret store instead: a key beside its
// database is copied together with the database.
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

// ErrLost says that the key file is missing and that the database has accounts.
// Only the missing keys can open them.
var ErrLost = errors.New("the key file is missing, and the database has two-factor accounts that only its keys can open")

// Open returns the keys in the file at path. If the file does not exist, Open
// creates it with a new key, unless the store holds accounts. A new key can't
// open them, and the file is probably in a backup. The error then matches
// [ErrLost].
func Open(ctx context.Context, path string, accounts store.Lister) (*keyring.Ring, error) {
	ring, err := Find(ctx, path, accounts)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("creating the key file: %w", err)
	}
	return read(path) // another process may have created it first
}

// Find is Open for a program that must not create anything. If the file does not
// exist and the store holds no accounts, the error matches [fs.ErrNotExist].
func Find(ctx context.Context, path string, accounts store.Lister) (*keyring.Ring, error) {
	ring, missing := read(path)
	if !errors.Is(missing, fs.ErrNotExist) {
		return ring, missing
	}
	held, err := accounts.List(ctx, store.Query{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(held.Records) > 0 {
		return nil, fmt.Errorf("%w: put %s back, or start with an empty database", ErrLost, path)
	}
	return nil, missing
}

// read returns the keys in an existing file.
func read(path string) (*keyring.Ring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("other users can read the key file %s: run chmod 600 on it, and consider who may have read it", path)
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

// create writes the complete file or none. It keeps an existing file: a link,
// unlike a rename, never replaces one.
func create(path string) error {
	// The id is random, so that the key file of another installation is not
	// mistaken for a damaged database.
	ring, err := keyring.Generate("k" + strings.ToLower(rand.Text()[:8]))
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(ring.Reveal() + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the file's name durable, before accounts are sealed with its key.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows has no such call
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
