package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A keep is the file with the token of the session. Only its owner can read it.
type keep struct{ path string }

type kept struct{ At, Session string }

// load returns the token for the host, or "". It is sent to no other one.
func (k keep) load(at string) (string, error) {
	text, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var found kept
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		return "", fmt.Errorf("reading the session: %w (sign-out deletes it)", err)
	}
	if found.At != at {
		return "", nil
	}
	return found.Session, nil
}

// save keeps a token. The file is whole or as it was: a new one is renamed, which also
// takes its rights along.
func (k keep) save(at, session string) (err error) {
	folder := filepath.Dir(k.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(kept{at, session})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "session-*") // which only the owner can read
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), k.path)
}

// remove forgets the session. A host that has a route for it ends the session there, too.
func (k keep) remove() error {
	if err := os.Remove(k.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
