// Package try holds each host against the same three things: a budget of lines, the
// suite for applications, and a script that uses it with curl and oathtool.
package try

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/added"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// Budget counts the lines that the second factor adds to the host in this folder, beside the
// folder before. They are at most sixty, and the table in the documents says how many.
func Budget(t *testing.T, host string) {
	t.Helper()
	const most = 60
	count, err := added.Lines("before", ".")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if count > most || count < most/2 {
		t.Errorf("%d lines were added to %s, want at most %d", count, host, most)
	}
	if !regexp.MustCompile(fmt.Sprintf("(?m)^\\| `hosts/%s` \\|.*\\| %d \\|$", host, count)).Match(text) {
		t.Errorf("%d lines were added to %s, and README.md does not say so", count, host)
	}
}

// Imports looks whether the host in this folder, and the one in the folder before, can be
// copied: they import no package that other modules can't import.
func Imports(t *testing.T) {
	t.Helper()
	for _, folder := range []string{".", "before"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), "/internal/") {
				t.Errorf("%s imports an internal package", file)
			}
		}
	}
}

// Script runs the script against the application at that address.
func Script(t *testing.T, at, user, password string) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for codes")
	}
	for _, program := range []string{"bash", "curl", "oathtool"} {
		if _, err := exec.LookPath(program); err != nil {
			testenv.Missing(t, program+" is not in PATH")
		}
	}
	command := exec.CommandContext(t.Context(), "bash", "../drive.sh", at, user, password)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

// BusyPort starts the host on a port that is taken: it has to name the flag for another one.
func BusyPort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a program")
	}
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	program := filepath.Join(folder, "host")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	command := exec.CommandContext(t.Context(), program, "-addr", taken.Addr().String())
	command.Dir = folder
	if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), "-addr") {
		t.Errorf("%v:\n%s", err, out)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// Mandate returns what makes a host demand a second factor of a user: a bypass that has
// ended. It takes nothing of the host.
func Mandate(t *testing.T, lab *hosttest.Lab, guard *enrollment.Guard) func(userID string) {
	return func(userID string) {
		if err := guard.Admin("test", "mandate").Bypass(t.Context(), userID, lab.Clock.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		lab.Clock.Advance(time.Minute)
	}
}

// Pages tells the suite how people use the pages of a host that has the page of its
// members at "/", and something dangerous at "/danger".
func Pages() hosttest.Host {
	// change goes to the page of a change, by way of the code that it asks for.
	change := func(page string) func(*hosttest.Browser, string) {
		return func(b *hosttest.Browser, code string) {
			if b.Get(page).Contains(`action="/2fa/step"`) {
				b.Submit("/2fa/step", "code", code)
			}
			b.Submit(page)
		}
	}
	return hosttest.Host{
		SignIn: func(b *hosttest.Browser) {
			b.Get("/login")
			b.Submit("/login", "user", b.User.Login, "password", b.User.Password)
		},
		SendCode:   func(b *hosttest.Browser, code string) { b.Submit("/2fa/sign-in", "code", code) },
		SignedIn:   func(b *hosttest.Browser) bool { return b.Get("/").Contains("Hello, " + b.User.Login) },
		Protected:  []string{"/2fa/", "/danger"},
		Begin:      change("/2fa/setup/begin"),
		Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/2fa/setup", "code", code) },
		Disable:    change("/2fa/disable"),
		RenewCodes: change("/2fa/codes/new"),
		StepUp: func(b *hosttest.Browser, code string) {
			b.Get("/danger")
			b.Submit("/2fa/step", "code", code)
		},
		Sensitive: func(b *hosttest.Browser) bool { return b.Get("/danger").Contains("danger done") },
	}
}
