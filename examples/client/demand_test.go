package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A mandate is a host whose users must have a second factor. Any password is right.
type mandate struct {
	accounts *memory.Store
	keys     *keyring.Ring
	guard    *enrollment.Guard
	pages    *web.Pages

	mu       sync.Mutex
	sessions map[string]string
	lose     string // the path of the request whose answer is lost next
}

// newMandate returns a person at a host with a mandate.
func newMandate(t *testing.T) (*mandate, *person) {
	t.Helper()
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	m := &mandate{accounts: memory.New(), keys: keys, sessions: map[string]string{}}
	m.guard = m.newGuard(t, enrollment.Config{})
	if m.pages, err = web.New(m.guard, web.Config{User: m.user, Start: m.start, Reauth: never}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, &person{t: t, at: server.URL, folder: t.TempDir()}
}

// never is Reauth of a host where only a sign-in leads to the setup.
func never(*http.Request) (time.Time, error) { return time.Time{}, nil }

func (m *mandate) newGuard(t *testing.T, c enrollment.Config) *enrollment.Guard {
	t.Helper()
	c.Issuer, c.RecoveryScheme = "Acme", recovery.Fast
	guard, err := enrollment.New(m.accounts, m.keys, c)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func (m *mandate) user(r *http.Request) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[r.Header.Get("Authorization")], nil
}

func (m *mandate) start(_ http.ResponseWriter, _ *http.Request, in web.SignedIn) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	token := fmt.Sprintf("session-%d", len(m.sessions))
	m.sessions["Bearer "+token] = in.UserID
	return token, nil
}

func (m *mandate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	lost := m.lose == r.URL.Path
	if lost {
		m.lose = ""
	}
	m.mu.Unlock()
	if lost {
		m.serve(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	m.serve(w, r)
}

func (m *mandate) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		var in struct{ User string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		m.pages.SignIn(w, r, in.User, enrollment.SignInOptions{Require: true})
	case "/":
		user, err := m.user(r)
		answer(w, map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[user != "" && err == nil], object{"user": user})
	default:
		m.pages.ServeHTTP(w, r)
	}
}

// A sign-in that demands a setup does it, and its first code signs in.
func TestMustEnroll(t *testing.T) {
	t.Parallel()
	_, p := newMandate(t)
	said := p.does("Signed in.", "sign-in carol", "password", "wrong", "code -1")
	if len(recoveryCode.FindAllString(said, -1)) != 10 {
		t.Errorf("no recovery codes:\n%s", said)
	}
	p.does("Two-factor authentication is on.", "status")
	p.does("Signed in.", "sign-in carol", "password", "code 0")
}

// The ticket of an administrator is asked for.
func TestMustEnrollWithTicket(t *testing.T) {
	t.Parallel()
	m, p := newMandate(t)
	ticket, err := m.guard.Admin("root", "new here").Reset(t.Context(), "carol", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	p.does("Signed in.", "sign-in carol", "password", "AAAA-AAAA-AAAA-AAAA", ticket.Reveal(), "code 0")
}

// The answer to the first code is lost: the recovery codes are shown after another sign-in.
func TestMustEnrollLostAnswer(t *testing.T) {
	t.Parallel()
	m, p := newMandate(t)
	m.lose = "/2fa/setup"
	said := p.does("Signed in.", "sign-in carol", "password", "code -1", "code 0")
	if len(recoveryCode.FindAllString(said, -1)) != 10 {
		t.Errorf("no recovery codes:\n%s", said)
	}
	// If the code did not arrive, the setup begins anew.
	m.lose = "/2fa/setup"
	said = p.does("Signed in.", "sign-in dora", "password", "wrong", "code 0")
	if n := strings.Count(said, "with this key"); n != 2 || len(recoveryCode.FindAllString(said, -1)) != 10 {
		t.Errorf("%d setups:\n%s", n, said)
	}
}

// An app with a short secret is replaced where the host demands that.
func TestMustReplace(t *testing.T) {
	t.Parallel()
	m, p := newMandate(t)
	before := m.newGuard(t, enrollment.Config{
		ShortSecretsUntil: time.Now(), Now: func() time.Time { return time.Now().Add(-time.Hour) },
	})
	secret, err := totp.ShortSecrets{}.NewSecret([]byte("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := totp.NewKey(secret, totp.Params{})
	if err != nil {
		t.Fatal(err)
	}
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	if err := before.Admin("root", "moving").Import(t.Context(), "carol", im); err != nil {
		t.Fatal(err)
	}
	old, err := key.Code(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	said := p.does("Signed in.", "sign-in carol", "password", old, "code 0")
	if !strings.Contains(said, "too short") {
		t.Error(said)
	}
	p.does("Signed in.", "sign-in carol", "password", "code 1")
	if session, err := (keep{filepath.Join(p.folder, "session.json")}).load(p.at); session == "" || err != nil {
		t.Errorf("the session is not kept: %v", err)
	}
}
