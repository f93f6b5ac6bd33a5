package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// oldDatabase is the database of an old system, by its schema.
func oldDatabase(t *testing.T, schema string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "old.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	exec(t, db, schema)
	return db
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatal(err)
	}
}

// A landing is a new service, and what the mover said.
type landing struct {
	*enrollmenttest.Kit
	t   *testing.T
	m   *mover
	out *bytes.Buffer
}

// newLanding takes short secrets until the day after its clock's.
func newLanding(t *testing.T) *landing {
	t.Helper()
	k := enrollmenttest.New(t, func(c *enrollment.Config) { c.ShortSecretsUntil = c.Now().Add(24 * time.Hour) })
	out := new(bytes.Buffer)
	return &landing{k, t, &mover{k.Guard, out}, out}
}

// take rehearses, moves, and demands that both said the same.
func (l *landing) take(users source) enrollment.ImportCount {
	l.t.Helper()
	before, err := l.m.rehearse(l.t.Context(), users)
	if err != nil {
		l.t.Fatal(err)
	}
	if page, err := l.Store.List(l.t.Context(), store.Query{Limit: 1}); err != nil || len(page.Records) != 0 {
		l.t.Fatalf("a rehearsal has made %d accounts, %v", len(page.Records), err)
	}
	said := l.out.String()
	l.out.Reset()
	after, err := l.m.move(l.t.Context(), users)
	if err != nil {
		l.t.Fatal(err)
	}
	if fmt.Sprint(before) != fmt.Sprint(after) || said != l.out.String() {
		l.t.Fatalf("the rehearsal and the move differ: %v and %v\n%s---\n%s", before, after, said, l.out)
	}
	return after
}

// said demands that a line of the output begins and ends like this.
func (l *landing) said(start, end string) {
	l.t.Helper()
	for line := range strings.Lines(l.out.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, start) && strings.HasSuffix(line, end) {
			return
		}
	}
	l.t.Errorf("no line %q … %q in:\n%s", start, end, l.out)
}

// signIn signs the user in with a code, after the password was right.
func (l *landing) signIn(userID, code string) (enrollment.Success, error) {
	l.t.Helper()
	d, err := l.Guard.SignIn(l.t.Context(), userID, enrollment.SignInOptions{})
	if err != nil || d.Next != enrollment.AskCode {
		l.t.Fatalf("SignIn of %q = %v, %v", userID, d.Next, err)
	}
	return l.Guard.Answer(l.t.Context(), enrollment.PurposeSignIn, d.Challenge, code)
}

// owner demands that a code of the old secret signs the user in, two steps from now: the
// old system may have taken those before.
func (l *landing) owner(userID string, secret []byte, h func() hash.Hash, digits int, period time.Duration) {
	l.t.Helper()
	l.Clock.Advance(2 * period)
	if _, err := l.signIn(userID, oldCode(secret, h, digits, l.Clock.Now(), period)); err != nil {
		l.t.Errorf("the old app of %q does not sign in: %v", userID, err)
	}
}

// sheet demands that a code of the old sheet signs the user in, once.
func (l *landing) sheet(userID, code string) {
	l.t.Helper()
	if ok, err := l.signIn(userID, code); err != nil || ok.Factor != enrollment.FactorRecovery {
		l.t.Errorf("a code of the old sheet of %q: %v, %v", userID, ok.Factor, err)
	}
	if _, err := l.signIn(userID, code); !errors.Is(err, enrollment.ErrWrongCode) {
		l.t.Errorf("a code of the old sheet of %q works twice: %v", userID, err)
	}
}

// oldCode is RFC 6238 as old systems compute it.
func oldCode(secret []byte, h func() hash.Hash, digits int, now time.Time, period time.Duration) string {
	mac := hmac.New(h, secret)
	_ = binary.Write(mac, binary.BigEndian, now.Unix()/int64(period/time.Second))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	code := uint64(binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff)
	for mod := uint64(1); ; mod *= 10 {
		if digits--; digits < 0 {
			return fmt.Sprintf("%0*d", len(fmt.Sprint(mod))-1, code%mod)
		}
	}
}

// Codes that old systems have computed themselves.
func TestOldCode(t *testing.T) {
	rotp, _ := base32.StdEncoding.DecodeString("RK4RX64VWTIXVNBVW2NCB4J3") // of devise-two-factor
	django, _ := hex.DecodeString("21617198b95f0bbddb9a41130faab696405236d6")
	token, _ := hex.DecodeString("d2970d46483eb860be5317d88d87b9c64155c889")
	for _, tt := range []struct {
		secret []byte
		digits int
		unix   int64
		period time.Duration
		want   string
	}{
		{rotp, 6, 1767323080, 30 * time.Second, "881745"},
		{django, 6, 1795934437, 30 * time.Second, "265858"},
		{token, 8, 1795934437, time.Minute, "03098145"},
	} {
		if got := oldCode(tt.secret, sha1.New, tt.digits, time.Unix(tt.unix, 0), tt.period); got != tt.want {
			t.Errorf("oldCode = %s, want %s", got, tt.want)
		}
	}
}

// one is a source of one user with the secret, in base32.
func one(id, secret string) source {
	return func(yield func(user, error) bool) {
		u := user{id: id}
		key, err := base32Key(secret)
		u.add("Authenticator", time.Time{}, key, err)
		yield(u, nil)
	}
}

func TestMoveAgain(t *testing.T) {
	l := newLanding(t)
	users := one("1", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	l.take(users)
	raw, _ := base32.StdEncoding.DecodeString("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	if _, err := l.signIn("1", oldCode(raw, sha1.New, 6, l.Clock.Now(), 30*time.Second)); !errors.Is(err, enrollment.ReasonReplayed) {
		t.Errorf("a code that the old system may have taken: %v", err)
	}
	count, err := l.m.move(t.Context(), users)
	if err != nil || count.Imported != 0 || count.Denied[enrollment.ReasonAlreadyEnrolled] != 1 {
		t.Errorf("the second run: %v, %v", count, err)
	}
	l.out.Reset()
	if stay := l.m.summary("moved", count); stay != 0 || !strings.Contains(l.out.String(), "1 are here already") {
		t.Errorf("%d stay:\n%s", stay, l.out)
	}
}

// The old system breaks off: what was read is moved, and the error is not lost.
func TestMoveBreaksOff(t *testing.T) {
	l := newLanding(t)
	broken := errors.New("the line is dead")
	users := func(yield func(user, error) bool) {
		one("1", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")(yield)
		yield(user{}, broken)
	}
	if count, err := l.m.rehearse(t.Context(), users); !errors.Is(err, broken) || count.Imported != 1 {
		t.Errorf("rehearse = %v, %v", count, err)
	}
	if count, err := l.m.move(t.Context(), users); !errors.Is(err, broken) || count.Imported != 1 {
		t.Errorf("move = %v, %v", count, err)
	}
}

// A database of the new service that is down ends the move soon. Rows that can't be
// read do not, however many there are.
func TestMoveEndsForFaults(t *testing.T) {
	many := func(secret string) source {
		return func(yield func(user, error) bool) {
			for i := range 3 * maxFaults {
				for u := range one(fmt.Sprint(i), secret) {
					if !yield(u, nil) {
						return
					}
				}
			}
		}
	}
	l := newLanding(t)
	down := errors.New("down")
	l.FailStore(down)
	if count, err := l.m.move(t.Context(), many("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")); !errors.Is(err, down) || count.Users != maxFaults {
		t.Errorf("move = %v, %v", count, err)
	}
	l.FailStore(nil)
	if count, err := l.m.move(t.Context(), many("not base32")); err != nil || count.Faulty != 3*maxFaults {
		t.Errorf("move = %v, %v", count, err)
	}
}

func TestFit(t *testing.T) {
	for name, want := range map[string]string{
		"phone":                  "phone",
		" my\nphone\x00 ":        "my phone",
		strings.Repeat("ö", 40):  strings.Repeat("ö", 32),
		"\xff":                   "",
		strings.Repeat("a", 255): strings.Repeat("a", 64),
	} {
		if got := fit(name); got != want {
			t.Errorf("fit(%q) = %q", name, got)
		}
	}
}
