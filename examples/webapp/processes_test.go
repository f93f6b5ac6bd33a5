package main

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
)

// Processes that start at the same time on an empty database, with one folder, all come up
// and end when they are told to.
func TestProcesses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program")
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "webapp")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			command := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-data", filepath.Join(folder, "data"))
			var log strings.Builder
			command.Stderr = &log
			stdout, err := command.StdoutPipe()
			if err := errors.Join(err, command.Start()); err != nil {
				t.Error(err)
				return
			}
			line, _ := bufio.NewReader(stdout).ReadString('\n')
			_, at, listening := strings.Cut(strings.TrimSpace(line), "listening on ")
			if listening {
				if answer, err := http.Get(at + "/health"); err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("%+v, %v", answer, err)
				} else {
					answer.Body.Close()
				}
			}
			_ = command.Process.Signal(os.Interrupt)
			if err := command.Wait(); err != nil || !listening {
				t.Errorf("%q, %v:\n%s", line, err, log.String())
			}
		})
	}
	all.Wait()
}

// Two that start on an empty database with a folder each make two keys. Once there is an
// account, none starts with a key that does not open it, and none makes another key.
func TestFoldersApart(t *testing.T) {
	t.Parallel()
	s := &site{t: t, clock: newClock(), log: &notes{}}
	s.config = s.settings()
	s.config.database = databases["SQLite"](t)
	fast(&s.config)
	apart := s.config
	apart.data = t.TempDir()
	other, err := open(t.Context(), apart)
	if err != nil {
		t.Fatal(err)
	}
	other.close()
	s.start()
	t.Cleanup(s.stop)
	s.member("bob@example.com").enable()
	if _, err := open(t.Context(), apart); err == nil || !strings.Contains(err.Error(), "the keys do not fit") {
		t.Errorf("the key of another folder: %v, want that it does not fit", err)
	}
	apart.data = t.TempDir()
	if _, err := open(t.Context(), apart); !errors.Is(err, keyfile.ErrLost) {
		t.Errorf("an empty folder: %v, want ErrLost", err)
	}
}
