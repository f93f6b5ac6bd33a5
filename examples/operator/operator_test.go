package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/operator"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/keyfile"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// service is the data of a service with one user, who is its only administrator.
func service(t *testing.T) (data string, guard *enrollment.Guard, app *enrollmenttest.App) {
	t.Helper()
	data = t.TempDir()
	db, err := sqlite.Open(filepath.Join(data, "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	accounts := sqlstore.New(db, sqlstore.SQLite)
	if err := accounts.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := keyfile.Open(t.Context(), filepath.Join(data, "twofactor.key"), accounts)
	if err != nil {
		t.Fatal(err)
	}
	if guard, err = enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme"}); err != nil {
		t.Fatal(err)
	}
	setup, err := guard.Begin(t.Context(), "1", enrollment.BeginOptions{Account: "admin@example.com", Proof: enrollment.ByReauth("password")})
	if err != nil {
		t.Fatal(err)
	}
	if app, err = enrollmenttest.Scan(setup.URI()); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Confirm(t.Context(), "1", setup.Token, app.Code(time.Now())); err != nil {
		t.Fatal(err)
	}
	return data, guard, app
}

// The only administrator is locked out, and then has lost everything.
func TestOnlyAdministrator(t *testing.T) {
	t.Parallel()
	data, guard, app := service(t)
	for range 5 {
		if _, err := guard.Verify(t.Context(), "1", "x", app.WrongCode(time.Now())); err == nil {
			t.Fatal("a wrong code was accepted")
		}
	}
	try := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(t.Context(), append([]string{"operator", "-data", data}, args...), &out, &out); got != want {
			t.Errorf("%q exits with %d, want %d: %s", args, got, want, &out)
		}
		return out.String()
	}
	if out := try(operator.ExitOK, "status", "1"); !strings.Contains(out, "locked until") {
		t.Error(out)
	}
	try(operator.ExitOK, "unlock", "1", "-reason", "came in person")
	if out := try(operator.ExitOK, "reset", "1", "-ticket", "-reason", "lost everything"); !strings.Contains(out, "ticket") || !strings.Contains(out, `mail to "1": reset by "operator"`) {
		t.Error(out)
	}
	status, err := guard.Status(t.Context(), "1")
	if err != nil || status.Enabled() || len(status.Locks) != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	try(operator.ExitOK, "move", "1", "0b7c", "-reason", "ids are UUIDs now")
	try(operator.ExitOK, "check")
	try(operator.ExitOK, "-db", "sqlite://"+filepath.Join(data, "app.db"), "check")
	try(operator.ExitFault, "-db", "oracle://"+filepath.Join(data, "app.db"), "check")
	try(operator.ExitOK, "stats", "-json")
	try(operator.ExitUsage, "nonsense")
	data = t.TempDir()
	try(operator.ExitFault, "stats")
}

// Help needs no data. Anything else says which flag names it.
func TestWithoutData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"help"}, operator.ExitOK, "the only administrator is locked out"},
		{[]string{"help", "move"}, operator.ExitOK, "usage: operator move OLD NEW"},
		{nil, operator.ExitOK, "the only administrator is locked out"},
		{[]string{"stats"}, operator.ExitFault, "are -data and -db those of the service?"},
	} {
		var out bytes.Buffer
		args := append([]string{"operator", "-data", filepath.Join(t.TempDir(), "none")}, c.args...)
		if code := run(t.Context(), args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: exit code %d, %s", c.args, code, out.String())
		}
	}
}

// A wrong flag leaves nothing behind.
func TestCreatesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	fails := func(says string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		args = append([]string{"operator", "-data", data}, append(args, "stats")...)
		if code := run(t.Context(), args, &out, &out); code != operator.ExitFault || !strings.Contains(out.String(), says) {
			t.Errorf("%q: exit code %d: %s", args, code, &out)
		}
	}
	fails("app.db: no such file")
	fails("typo.db: no such file", "-db", "sqlite://"+filepath.Join(data, "typo.db"))
	fails("folder/typo.db: no such file", "-db", "sqlite://"+filepath.Join(data, "folder", "typo.db"))
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}

	db, err := sqlite.Open(filepath.Join(data, "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := sqlstore.New(db, sqlstore.SQLite).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fails("twofactor.key: no such file") // although there is no account that it would have to open
	if _, err := os.Stat(filepath.Join(data, "twofactor.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a key file, %v", err)
	}
}

// A command that is interrupted prints a line that goes on when a shell gets it.
func TestLineToContinue(t *testing.T) {
	t.Parallel()
	before, cancel := context.WithCancel(t.Context())
	cancel()
	data, _, _ := service(t)
	for program, want := range map[string]string{
		"/usr/local/bin/operator":                "/usr/local/bin/operator ",
		"/tmp/go-build3086146/b001/exe/operator": "go run github.com/seed-1b6a03a1/twofactor/examples/operator ",
		"/home/ann/it's here/operator":           `'/home/ann/it'\''s here/operator' `,
	} {
		var out bytes.Buffer
		args := []string{"-data", data, "-db", "sqlite://" + filepath.Join(data, "app.db"), "reseal", "-n"}
		if code := run(before, append([]string{program}, args...), &out, &out); code != operator.ExitInterrupted {
			t.Fatalf("exit code %d: %s", code, &out)
		}
		_, line, _ := strings.Cut(out.String(), "continue with: ")
		rest, found := strings.CutPrefix(strings.TrimSpace(line), want)
		if want := strings.ReplaceAll(strings.Join(args, " "), "-n", "-n=true"); !found || rest != want {
			t.Errorf("it says\n%s, want\n%s%s", line, want, want)
		}
		out.Reset()
		if code := run(t.Context(), append([]string{program}, strings.Fields(rest)...), &out, &out); code != operator.ExitOK || !strings.Contains(out.String(), "dry run, nothing was changed: 1 seen") {
			t.Errorf("the line exits with %d: %s", code, &out)
		}
	}
}
