package keyfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

func TestOpenKeepsTheFirstKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	var rings [8]*keyring.Ring
	var all sync.WaitGroup
	for i := range rings {
		all.Go(func() {
			var err error
			if rings[i], err = keyfile.Open(t.Context(), path, memory.New()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, r := range rings[1:] {
		if r.Reveal() != rings[0].Reveal() {
			t.Error("two processes that start at the same time have different keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, want 0600", info.Mode().Perm())
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	used := memory.New()
	err := used.Save(t.Context(), store.Record{UserID: "alice", Version: 1, State: store.Confirmed, Updated: time.Now()}, 0)
	if err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(t.TempDir(), "keys")
	if _, err := keyfile.Open(t.Context(), path, used); !errors.Is(err, keyfile.ErrLost) {
		t.Errorf("accounts and no key file: %v, want ErrLost", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("created a key file that can't open the accounts")
	}

	if err := os.WriteFile(path, []byte("cut sho"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Open(t.Context(), path, memory.New()); !errors.Is(err, keyring.ErrKeys) {
		t.Errorf("damaged key file: %v, want ErrKeys", err)
	}

	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Open(t.Context(), path, memory.New()); err == nil || errors.Is(err, keyring.ErrKeys) {
		t.Errorf("key file that everybody can read: %v, want an error about its mode", err)
	}
}
