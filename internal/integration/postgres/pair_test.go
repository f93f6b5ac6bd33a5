//go:build linux

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/need"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/server"
)

// segment returns the key and the number of the shared memory of a server that runs, as
// /proc/sysvipc/shm has them.
func (s *Server) segment(t *testing.T) (key, id string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 || len(strings.Fields(lines[6])) != 2 {
		t.Fatalf("postmaster.pid names no shared memory:\n%s", text)
	}
	words := strings.Fields(lines[6])
	return words[0], words[1]
}

// exists reports whether the machine has that segment.
func exists(t *testing.T, key, id string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		need.Missing(t, err.Error())
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); words[1] == id && sameKey(words[0], key) {
			return true
		}
	}
	return false
}

// sameKey compares the key in /proc with that of PostgreSQL, which may have extended its sign to
// 64 bits.
func sameKey(signed, key string) bool {
	a, err := strconv.ParseInt(signed, 10, 32)
	b, failed := strconv.ParseUint(key, 10, 64)
	return err == nil && failed == nil && int32(a) == int32(b)
}

// files returns what the server has mapped that is in the memory of the machine.
func (s *Server) files(t *testing.T) (files []string) {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(s.Dir, "serving"))
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%s/maps", strings.TrimSpace(string(pid))))
	if err != nil {
		need.Missing(t, err.Error())
	}
	for line := range strings.Lines(string(maps)) {
		if _, name, found := strings.Cut(line, "/dev/shm/"); found {
			files = append(files, "/dev/shm/"+strings.TrimSpace(name))
		}
	}
	return files
}

// TestFailOver kills primaries. Their shared memory goes with them: a machine has only so many
// pieces. Then a failover is given up, and the next one returns an error as well.
func TestFailOver(t *testing.T) {
	t.Parallel()
	p, err := StartPair(t.Context(), true)
	if errors.Is(err, server.ErrMissing) {
		need.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(p.Stop)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	primary, standby := p.primary.watch(t, "the primary"), p.standby.watch(t, "the standby")
	if err := p.FailOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	primary()

	second := p.standby.watch(t, "the second standby")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := p.FailOver(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("FailOver = %v, want Canceled", err)
		}
	}
	standby()
	if err := p.CutOff(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("CutOff = %v, want Canceled", err)
	}
	if p.Log() == "" {
		t.Error("there is no log")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	second()
}

// watch notes the shared memory of a server that runs. The function that it returns sees that
// it is gone.
func (s *Server) watch(t *testing.T, what string) func() {
	t.Helper()
	key, id := s.segment(t)
	if !exists(t, key, id) {
		t.Errorf("%s has no segment %s %s", what, key, id)
	}
	files := s.files(t)
	return func() {
		t.Helper()
		if exists(t, key, id) {
			t.Errorf("%s has left the segment %s %s", what, key, id)
		}
		for _, name := range files {
			if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s has left %s", what, name)
			}
		}
	}
}
