// Package try holds each host against the same three things: a budget of lines, the
// suite for applications, and a script that uses it with curl and oathtool.
package try

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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

// NextUser signs in two users, one after the other, in the same browser. What put has put
// into the session of the first, get must not find in that of the second.
func NextUser(t *testing.T, host http.Handler, add func(name, password string) string, put http.HandlerFunc, get func(*http.Request) string) {
	t.Helper()
	site := http.NewServeMux()
	site.Handle("/", host)
	site.HandleFunc("/put", put)
	site.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "there is %q", get(r)) })
	server := httptest.NewServer(site)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{Jar: jar}
	sees := func(want string, answer *http.Response, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s, %v, want %q", text, err, want)
		}
	}
	signIn := func(name string) {
		t.Helper()
		answer, err := browser.PostForm(server.URL+"/login", url.Values{"user": {name}, "password": {"correct horse"}})
		sees("Hello, "+name, answer, err)
	}
	load := func(path, want string) {
		t.Helper()
		answer, err := browser.Get(server.URL + path)
		sees(want, answer, err)
	}
	add("alice", "correct horse")
	add("bob", "correct horse")
	signIn("alice")
	load("/put", "")
	load("/get", `there is "of alice"`)
	signIn("bob")
	load("/get", `there is ""`)
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
		Sensitive: func(b *hosttest.Browser) bool {
			return !b.Get("/danger").Contains("danger done") && b.Submit("/danger").Contains("danger done")
		},
	}
}
