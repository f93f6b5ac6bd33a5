package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// The suite for applications finds nothing wrong.
func TestTwoFactor(t *testing.T) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		keys, err := keyring.Generate("test")
		if err != nil {
			t.Fatal(err)
		}
		a := newApp()
		if a.guard, err = lab.NewGuard(memory.New(), keys, enrollment.Config{Issuer: "Acme"}); err != nil {
			t.Fatal(err)
		}
		handler, err := a.handler()
		if err != nil {
			t.Fatal(err)
		}
		// change goes to the page of a change, by way of the code that it asks for.
		change := func(b *hosttest.Browser, code, page string) {
			if b.Get(page); b.Page().Contains(`action="/2fa/step"`) {
				b.Submit("/2fa/step", "code", code)
			}
			b.Submit(page)
		}
		return hosttest.Host{
			Handler: handler,
			NewUser: func(login, password string) string { a.passwords[login] = password; return login },
			Mandate: func(userID string) { // a bypass that has ended
				if err := a.guard.Admin("test", "mandate").Bypass(t.Context(), userID, lab.Clock.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				lab.Clock.Advance(time.Minute)
			},
			SignIn: func(b *hosttest.Browser) {
				b.Get("/login")
				b.Submit("/login", "user", b.User.Login, "password", b.User.Password)
			},
			SendCode:   func(b *hosttest.Browser, code string) { b.Submit("/2fa/sign-in", "code", code) },
			SignedIn:   func(b *hosttest.Browser) bool { return b.Get("/").Contains("Hello, " + b.User.Login) },
			Protected:  []string{"/2fa/", "/danger"},
			Begin:      func(b *hosttest.Browser, code string) { change(b, code, "/2fa/setup/begin") },
			Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/2fa/setup", "code", code) },
			Disable:    func(b *hosttest.Browser, code string) { change(b, code, "/2fa/disable") },
			RenewCodes: func(b *hosttest.Browser, code string) { change(b, code, "/2fa/codes/new") },
			StepUp: func(b *hosttest.Browser, code string) {
				b.Get("/danger")
				b.Submit("/2fa/step", "code", code)
			},
			Sensitive: func(b *hosttest.Browser) bool { return b.Get("/danger").Contains("something dangerous now") },
		}
	})
}

// A port that is taken names the flag for another one, and nothing is left behind.
func TestBusyPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data := filepath.Join(t.TempDir(), "minimal.db")
	if err := run(t.Context(), taken.Addr().String(), data); err == nil || !strings.Contains(err.Error(), "-addr") {
		t.Error(err)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the database is there: %v", err)
	}
}

// budget is how many lines an application adds, without what opens the database.
const budget = 40

// The second factor takes few lines: those of twofactor.go, and those by which the other
// files differ from the application without it. Empty lines and comments don't count.
func TestBudget(t *testing.T) {
	t.Parallel()
	count := len(lines(t, "twofactor.go"))
	for _, name := range []string{"app.go", "sessions.go", "pages.go"} {
		count += added(lines(t, "before/"+name), lines(t, name))
	}
	if count > budget || count < budget/2 {
		t.Errorf("%d lines were added, want at most %d", count, budget)
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || strings.HasPrefix(line, "//")
	})
}

// added returns how many lines of after are in no longest common subsequence.
func added(before, after []string) int {
	common := make([]int, len(before)+1)
	for _, line := range after {
		diagonal := 0
		for i := range before {
			above := common[i+1]
			if line == before[i] {
				common[i+1] = diagonal + 1
			} else {
				common[i+1] = max(above, common[i])
			}
			diagonal = above
		}
	}
	return len(after) - common[len(before)]
}
