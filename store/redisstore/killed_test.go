//go:build unix

package redisstore_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving/siege"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// TestKilledServer kills a Redis that writes its file at each command (appendfsync
// always), in the middle of sign-ins, setups and guesses. Nothing that was
// acknowledged is lost.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	rounds := 6
	if n, err := strconv.Atoi(os.Getenv("TWOFACTOR_SIEGE_ROUNDS")); err == nil {
		rounds = n
	}
	socket := own(t, "")
	kills := 0
	siege.Run(t, newStore(t, connect(t, socket), redisstore.Options{}), func() {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(socket), "serving"))
		if err != nil {
			t.Error(err)
			return
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			t.Error(err)
		}
		kills++
	}, rounds)
	if kills != rounds/2 {
		t.Errorf("the server was killed %d times in %d rounds", kills, rounds)
	}
}
