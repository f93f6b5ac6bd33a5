package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// user is at the other end of the program's pipes.
type user struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	done chan error
	said strings.Builder

	mu  sync.Mutex
	now time.Time
}

func sit(t *testing.T, now time.Time, args ...string) *user {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	u := &user{t: t, in: inW, out: bufio.NewReader(outR), done: make(chan error, 1), now: now}
	go func() {
		err := run(t.Context(), args, inR, outW, u.clock)
		outW.Close()
		u.done <- err
	}()
	t.Cleanup(func() { inW.Close(); outR.Close() })
	return u
}

func (u *user) clock() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now
}

func (u *user) wait(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now = u.now.Add(d)
}

// read returns what the program prints until it asks for input or ends.
func (u *user) read() string {
	u.t.Helper()
	var text strings.Builder
	for {
		r, _, err := u.out.ReadRune()
		if err == io.EOF {
			return text.String()
		}
		if err != nil {
			u.t.Fatal(err)
		}
		text.WriteRune(r)
		u.said.WriteRune(r)
		if s := text.String(); strings.HasSuffix(s, "Code: ") || strings.HasSuffix(s, "Code from the app: ") {
			return s
		}
	}
}

// answer enters a line and checks the program's answer.
func (u *user) answer(line, want string) string {
	u.t.Helper()
	fmt.Fprintln(u.in, line)
	got := u.read()
	if !strings.Contains(got, want) {
		u.t.Fatalf("to %q it says %q, want %q", line, got, want)
	}
	return got
}

// leave ends the input and checks that the program ends without an error.
func (u *user) leave() {
	u.t.Helper()
	u.in.Close()
	if got := u.read(); !strings.Contains(got, "Bye.") {
		u.t.Errorf("at the end it says %q", got)
	}
	if err := <-u.done; err != nil {
		u.t.Errorf("ended with %v", err)
	}
}

func TestQuickstart(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "quick start?.db") // a name with meaning in a URI
	start := time.Date(2026, 3, 2, 10, 0, 7, 0, time.UTC)

	u := sit(t, start, "-db", db)
	said := u.read()
	if !strings.Contains(said, db) || !strings.Contains(said, "▀") {
		t.Errorf("no name of the database or no QR code:\n%s", said)
	}
	m := regexp.MustCompile(`oathtool --totp -b ([A-Z2-7]{32})\n`).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("no secret:\n%s", said)
	}
	secret, err := totp.ParseSecret(m[1])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, secret.Grouped()) {
		t.Errorf("no key to type in:\n%s", said)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	code := func(u *user, d time.Duration) string {
		c, err := key.Code(u.clock().Add(d))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	u.answer("", "Not a code")
	u.answer("hello", "Not a code")
	u.answer(code(u, 4*time.Minute), "The app's clock is 4m0s ahead")
	u.answer(code(u, -9*time.Minute), "The app's clock is 9m0s behind")
	sheet := u.answer(code(u, 0), "Two-factor authentication is now on")
	codes := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindAllString(sheet, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes:\n%s", len(codes), sheet)
	}

	u.answer(code(u, 0), "Already used: each app code works only once")
	u.answer(code(u, 30*time.Second), `Correct: a code from the app "Authenticator"`)
	u.answer(strings.ToLower(codes[0]), "Correct: a recovery code. It is used up now. Recovery codes left: 9.")
	u.answer(codes[0], "Already used: each recovery code works only once")
	u.answer("ABCD-EFGH-JKMN-PQRS", "Wrong recovery code")
	u.leave()

	// A second run continues.
	u = sit(t, start.Add(time.Minute), "-db", db)
	if said := u.read(); !strings.Contains(said, "already on for alice. Recovery codes left: 9.") || strings.Contains(said, m[1]) {
		t.Errorf("after a restart it says:\n%s", said)
	}
	u.answer(codes[0], "Already used")
	for range 4 {
		u.answer(wrong(key, u.clock()), "Wrong app code")
	}
	u.answer(wrong(key, u.clock()), "Try again in 1m0s")
	u.answer(code(u, 0), "Locked after too many wrong codes")
	u.wait(20 * time.Second)
	u.answer(code(u, 0), "Try again in 40s")
	u.wait(11 * time.Minute)
	u.answer(code(u, 0), "That took more than ten minutes")
	u.answer(code(u, 0), "Correct: a code from the app")
	u.leave()

	for _, r := range u.said.String() {
		if r == 0x1b {
			t.Fatal("there is an escape sequence in the output")
		}
	}
}

// wrong returns six digits that are not a valid code now.
func wrong(key totp.Key, now time.Time) string {
	for _, digits := range []string{"000000", "111111", "222222", "333333"} {
		if _, err := key.Check(digits, now, 0); err != nil {
			return digits
		}
	}
	return "444444" // three codes can't be four of these
}

// TestExpired takes too long to enter the first code.
func TestExpired(t *testing.T) {
	t.Parallel()
	u := sit(t, time.Now(), "-db", filepath.Join(t.TempDir(), "q.db"), "-light", "-user", "bob")
	u.read()
	u.wait(16 * time.Minute)
	u.answer("123456", "The setup is no longer valid.")
	u.leave()
}

// TestWrongKeys continues with the key file of another database.
func TestWrongKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine, other := filepath.Join(dir, "mine.db"), filepath.Join(dir, "other.db")
	for _, db := range []string{mine, other} {
		u := sit(t, time.Now(), "-db", db)
		u.read()
		u.leave()
	}
	u := sit(t, time.Now(), "-db", mine, "-keys", other+".keys")
	u.read()
	if err := <-u.done; !errors.Is(err, keyring.ErrUnknownKey) || !strings.Contains(err.Error(), other+".keys") {
		t.Errorf("ended with %v, want ErrUnknownKey that names the file", err)
	}
}

func TestNoInput(t *testing.T) {
	t.Parallel()
	u := sit(t, time.Now(), "-db", filepath.Join(t.TempDir(), "q.db"))
	u.read()
	u.leave()

	u = sit(t, time.Now(), "-nonsense")
	u.read()
	if err := <-u.done; err == nil {
		t.Error("takes any flag")
	}
}
