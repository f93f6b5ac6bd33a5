package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/try"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/added"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

func TestMain(m *testing.M) {
	keys, err := keyring.Generate("test")
	if err != nil {
		panic(err)
	}
	os.Setenv("TWOFACTOR_KEYS", keys.Reveal())
	m.Run()
}

// The suite for applications finds nothing wrong.
func TestTwoFactor(t *testing.T) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		keys, err := keyring.Generate("test")
		if err != nil {
			t.Fatal(err)
		}
		a := newApp()
		guard, err := lab.NewGuard(memory.New(), keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.addSecondFactor(guard); err != nil {
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
			Handler: a.handler(),
			NewUser: func(login, password string) string { a.passwords[login] = password; return login },
			Mandate: func(userID string) { // a bypass that has ended
				if err := guard.Admin("test", "mandate").Bypass(t.Context(), userID, lab.Clock.Now().Add(time.Minute)); err != nil {
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

// The pages of the second factor and the session after it take few lines.
func TestFlowIsShort(t *testing.T) {
	t.Parallel()
	const most = 40
	count, err := added.Lines("before", ".", "twofactor.go", "app.go", "sessions.go", "pages.go")
	if err != nil || count > most || count < most/2 {
		t.Errorf("%d lines were added besides what opens the accounts and sweeps them, want at most %d, %v", count, most, err)
	}
}

// All that the second factor adds is counted, also what opens the accounts and sweeps them,
// and the documents say that number.
func TestBudget(t *testing.T) {
	t.Parallel()
	count, err := added.Lines("before", ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../README.md", "../README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), fmt.Sprint(count, " lines")) {
			t.Errorf("%d lines were added, and %s does not say so", count, file)
		}
	}
}

func TestImports(t *testing.T) { try.Imports(t) }
