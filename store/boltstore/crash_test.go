package boltstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store/boltstore"
	bolt "go.etcd.io/bbolt"
)

const saverEnv = "BOLTSTORE_SAVER"

// TestMain is also the main function of the process that TestKilledWriter kills.
func TestMain(m *testing.M) {
	path := os.Getenv(saverEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, save(path))
	os.Exit(1)
}

// save replaces alice's record for ever, and prints each version that was
// acknowledged.
func save(path string) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	s, err := boltstore.New(db)
	if err != nil {
		return err
	}
	r, err := s.Load(context.Background(), "alice")
	for err == nil {
		prev := r.Version
		r.Version++
		if err = s.Save(context.Background(), r, prev); err == nil {
			fmt.Println(r.Version)
		}
	}
	return err
}

// TestKilledWriter kills a process that saves, several times over, and looks for the
// last version that it said was saved.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accounts.bolt")
	last := int64(1)
	for round := range 5 {
		db := openFile(t, path)
		s, err := boltstore.New(db)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if err := s.Save(t.Context(), record("alice", last), 0); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Load(t.Context(), "alice")
		// One more may have been saved and not yet been printed.
		if err != nil || r.Version != last && r.Version != last+1 {
			t.Fatalf("round %d: version %d was acknowledged, and Load = %d, %v", round, last, r.Version, err)
		}
		last = r.Version
		if err := db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				return err
			}
			return nil
		}); err != nil {
			t.Fatalf("round %d: the file is damaged: %v", round, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}

		c := exec.CommandContext(t.Context(), os.Args[0])
		c.Env = append(os.Environ(), saverEnv+"="+path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines, killed := bufio.NewScanner(out), false
		for n := 0; lines.Scan(); n++ {
			v, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil || v != last+1 {
				t.Fatalf("round %d: the process printed %q after %d", round, lines.Text(), last)
			}
			last = v
			if n == 40+13*round {
				// The file is its own now.
				if db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Millisecond}); err == nil {
					db.Close()
					t.Fatal("a second process opens the file")
				}
				if err := c.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				killed = true // and what it has printed meanwhile is read on
			}
		}
		if err := c.Wait(); err == nil || !killed {
			t.Fatalf("round %d: the process ended by itself: %v", round, err)
		}
	}
}
