package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/sqlite"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// A shop is a made-up Laravel application with users in an SQLite file, and a folder
// for the new service.
type shop struct {
	t         *testing.T
	old, data string
	key       []byte
}

func openShop(t *testing.T, users int) *shop {
	t.Helper()
	dir := t.TempDir()
	key := sha256.Sum256([]byte("the shop's"))
	s := &shop{t, filepath.Join(dir, "database.sqlite"), filepath.Join(dir, "new"), key[:]}
	db, err := sql.Open("sqlite", s.old)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec(t, db, fortifySchema)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range users {
		raw := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		secret := base32.StdEncoding.EncodeToString(raw[:10])
		_, err := tx.Exec(`insert into users (name, email, password, two_factor_secret, two_factor_recovery_codes, two_factor_confirmed_at) values ('', ?, '', ?, ?, '2025-06-07 08:09:10')`,
			i, laravelEncrypt(s.key, secret), laravelEncrypt(s.key, fmt.Sprintf(`["code-%d-of-the-sheet"]`, i)))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs the program, and returns its exit status and what it printed.
func (s *shop) run(args ...string) (int, string) {
	s.t.Helper()
	var out bytes.Buffer
	env := map[string]string{"APP_KEY": "base64:" + base64.StdEncoding.EncodeToString(s.key)}
	args = append([]string{"-from", "fortify", "-old", s.old, "-data", s.data}, args...)
	code := run(s.t.Context(), args, func(name string) string { return env[name] }, &out, &out)
	return code, out.String()
}

// A thousand users move: look, decide about short secrets, move, and again.
func TestThousandUsers(t *testing.T) {
	users := 1000
	if testing.Short() {
		users = 30
	}
	s := openShop(t, users)
	count := func(text string) string { return strings.ReplaceAll(text, "1000", strconv.Itoa(users)) }
	if code, out := s.run(); code != 1 || !strings.Contains(out, count("0 of 1000 users would move\n1000 stay: short_secret")) {
		t.Fatalf("the first look: %d\n%.300s", code, out)
	}
	until := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	if code, out := s.run("-short-until", until); code != 0 || !strings.Contains(out, count("1000 of 1000 users would move, 1000 with a secret of fewer than 128 bits")) {
		t.Fatalf("the second look: %d\n%.300s", code, out)
	}
	if _, err := os.Stat(s.data); err == nil {
		t.Fatal("a look has made a file")
	}
	if code, out := s.run("-short-until", until, "-write"); code != 0 || !strings.Contains(out, count("1000 of 1000 users moved")) {
		t.Fatalf("the move: %d\n%.300s", code, out)
	}
	if code, out := s.run("-short-until", until, "-write"); code != 0 || !strings.Contains(out, count("0 of 1000 users moved\n1000 are here already")) {
		t.Fatalf("again: %d\n%.300s", code, out)
	}
	if code, out := s.run(); code != 0 || !strings.Contains(out, count("0 of 1000 users would move\n1000 are here already")) {
		t.Fatalf("a look at the moved: %d\n%.300s", code, out)
	}

	date, _ := time.Parse(time.DateOnly, until)
	o := options{data: s.data, shortUntil: date}
	guard, done, err := o.openNew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	d, err := guard.SignIn(t.Context(), "30", enrollment.SignInOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := guard.Answer(t.Context(), enrollment.PurposeSignIn, d.Challenge, "code-29-of-the-sheet"); err != nil || ok.UserID != "30" {
		t.Errorf("Answer = %v, %v", ok.UserID, err)
	}
}

// A look makes no key file either, where the new service has begun without one.
func TestLookMakesNoKey(t *testing.T) {
	s := openShop(t, 1)
	db, err := sqlite.Open(filepath.Join(s.data, "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := sqlstore.New(db, sqlstore.SQLite).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	until := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	if code, out := s.run("-short-until", until); code != 0 || !strings.Contains(out, "1 of 1 users would move") {
		t.Errorf("%d\n%s", code, out)
	}
	key := filepath.Join(s.data, "twofactor.key")
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a key file, %v", err)
	}
	if code, out := s.run("-short-until", until, "-write"); code != 0 {
		t.Fatalf("%d\n%s", code, out)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if code, out := s.run("-short-until", until); code != 1 || !strings.Contains(out, "the key file is missing") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestOldDatabaseIsOnlyRead(t *testing.T) {
	db, err := openDatabase(openShop(t, 1).old)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`update users set two_factor_secret = null`); err == nil {
		t.Error("the old system was written to")
	}
}

// Users do not move to keys that do not fit those who are there.
func TestWrongKeys(t *testing.T) {
	s := openShop(t, 1)
	until := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	if code, out := s.run("-short-until", until, "-write"); code != 0 {
		t.Fatalf("%d\n%s", code, out)
	}
	other, err := keyring.Generate("other")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.data, "twofactor.key"), []byte(other.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, write := range []string{"-write=false", "-write"} {
		if code, out := s.run("-short-until", until, write); code != 1 || !strings.Contains(out, "the keys do not fit the stored accounts") {
			t.Errorf("%s: %d\n%s", write, code, out)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	s := openShop(t, 1)
	for name, args := range map[string][]string{
		"an unknown flag":   {"-x"},
		"no date":           {"-short-until", "soon"},
		"what nobody reads": {"fortify"},
		"no system":         {"-from", ""},
	} {
		if code, out := s.run(args...); code != 2 {
			t.Errorf("%s: %d\n%s", name, code, out)
		}
	}
	for name, args := range map[string][]string{
		"no such file":       {"-old", filepath.Join(t.TempDir(), "missing.db")},
		"an unknown system":  {"-from", "abacus"},
		"keys of another":    {"-from", "devise"},
		"no such table":      {"-from", "django"},
		"no such file, JSON": {"-from", "keycloak", "-old", filepath.Join(t.TempDir(), "missing.json")},
		"a broken query":     {"-query", "SELECT"},
	} {
		if code, out := s.run(append(args, "-write")...); code != 1 || !strings.Contains(out, "moving: ") {
			t.Errorf("%s: %d\n%s", name, code, out)
		}
	}
}
