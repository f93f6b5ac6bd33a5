package operator_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// openTerminal returns a terminal, and a function that returns what it shows.
func openTerminal(t *testing.T) (terminal *os.File, shows func() string) {
	t.Helper()
	far, err := syscall.Open("/dev/ptmx", syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("there are no terminals: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(far) })
	var unlocked, number int32
	for _, x := range []struct {
		request uintptr
		value   *int32
	}{{syscall.TIOCSPTLCK, &unlocked}, {syscall.TIOCGPTN, &number}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(far), x.request, uintptr(unsafe.Pointer(x.value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal, func() string {
		var text strings.Builder
		b := make([]byte, 1024)
		for {
			n, err := syscall.Read(far, b)
			if n <= 0 || err != nil {
				return text.String()
			}
			text.Write(b[:n])
		}
	}
}

// resealOn runs reseal with that Stderr, while each save takes 20 milliseconds.
func resealOn(ctx context.Context, t *testing.T, c *console, stderr *os.File, args ...string) int {
	t.Helper()
	c.Store.Before(proving.Save, func(context.Context, *proving.Call) { time.Sleep(20 * time.Millisecond) })
	return operator.Run(ctx, append([]string{"reseal"}, args...), operator.Options{
		Guard: c.Guard, Lister: c.Store, Actor: "ops/ann", Now: c.Now, Stdout: &c.out, Stderr: stderr,
	})
}

// On a terminal, the progress has a count, a rate and the time that is left. After an
// interruption it counts what is left.
func TestProgress(t *testing.T) {
	t.Parallel()
	if fips.Enforced() {
		t.Skip("in FIPS 140-3 mode crypto/rand can't be seeded by the clock of a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t)
		c.EnrollAll(proving.Users(450)...)
		c.Keys.Ring = c.Rotate("second")
		terminal, shows := openTerminal(t)
		if code := resealOn(c.interrupt(proving.Save, 330), t, c, terminal); code != operator.ExitInterrupted {
			t.Errorf("exit code %d", code)
		}
		shown := shows()
		c.contains(shown, "\r100 of 450 (22 %), 50 a second, 7s left  ", "\r300 of 450 (66 %), 50 a second, 3s left  ", "\r\noperator: ", "-cursor ")
		if strings.Contains(shown, "failed") {
			t.Error(shown)
		}
		cursor := c.between(shown, "-cursor ", "\r")
		if code := resealOn(t.Context(), t, c, terminal, "-cursor", cursor); code != operator.ExitOK {
			t.Errorf("exit code %d", code)
		}
		c.contains(shows(), "\r100 of 150 (66 %)", "\r150 of 150 (100 %)", "0s left")
	})
}

// Where nobody looks, there is no progress, and the accounts are not counted.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "log"), os.DevNull} {
		c := newConsole(t)
		c.EnrollAll(proving.Users(3)...)
		log, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		c.Store.Reset()
		if code := resealOn(t.Context(), t, c, log); code != operator.ExitOK {
			t.Errorf("exit code %d", code)
		}
		if n := c.Store.Calls(proving.List); n != 1 {
			t.Errorf("%s: %d calls of List", path, n)
		}
		if text, err := os.ReadFile(path); err != nil || len(text) > 0 {
			t.Errorf("%s has %q, %v", path, text, err)
		}
	}
}

// If the accounts can't be counted, that is said, and nothing was done.
func TestProgressFails(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.Enroll("alice")
	terminal, shows := openTerminal(t)
	c.Store.Fail(proving.List, errors.New("no route to the host"))
	if code := resealOn(t.Context(), t, c, terminal); code != operator.ExitFault {
		t.Errorf("exit code %d", code)
	}
	c.contains(shows(), "counting the accounts: no route to the host")
}
