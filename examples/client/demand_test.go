package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
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

// A host is one whose users may have to have a second factor. Any password is right.
type host struct {
	mandate  bool
	accounts *memory.Store
	keys     *keyring.Ring
	guard    *enrollment.Guard
	pages    *web.Pages

	mu       sync.Mutex
	sessions map[string]web.SignedIn
	lose     string // the path of the request whose answer is lost next
	gateway  bool   // which says that an answer is lost, with status 502
}

// newHost returns a person at a host, with a mandate or without.
func newHost(t *testing.T, mandate bool) (*host, *person) {
	t.Helper()
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	m := &host{mandate: mandate, accounts: memory.New(), keys: keys, sessions: map[string]web.SignedIn{}}
	m.guard = m.newGuard(t, enrollment.Config{})
	reauth := func(r *http.Request) (time.Time, error) { return m.session(r).At, nil }
	if m.pages, err = web.New(m.guard, web.Config{User: m.user, Start: m.start, Reauth: reauth}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, &person{t: t, at: server.URL, folder: t.TempDir()}
}

func (m *host) newGuard(t *testing.T, c enrollment.Config) *enrollment.Guard {
	t.Helper()
	c.Issuer, c.RecoveryScheme = "Acme", recovery.Fast
	guard, err := enrollment.New(m.accounts, m.keys, c)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func (m *host) session(r *http.Request) web.SignedIn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[r.Header.Get("Authorization")]
}

// user returns who is signed in. A session ends with a change of factors.
func (m *host) user(r *http.Request) (string, error) {
	s := m.session(r)
	return m.pages.Current(r.Context(), s.UserID, s.Stamp)
}

func (m *host) start(_ http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
	if in.Renewed {
		in.At = m.session(r).At
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, r.Header.Get("Authorization"))
	token := rand.Text()
	m.sessions["Bearer "+token] = in
	return token, nil
}

func (m *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	lost, gateway := m.lose == r.URL.Path, m.gateway
	if lost {
		m.lose = ""
	}
	m.mu.Unlock()
	switch {
	case !lost:
		m.serve(w, r)
	case gateway:
		m.serve(httptest.NewRecorder(), r)
		http.Error(w, "<html>", http.StatusBadGateway)
	default:
		m.serve(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

func (m *host) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		var in struct{ User string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		m.pages.SignIn(w, r, in.User, enrollment.SignInOptions{Require: m.mandate})
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
	_, p := newHost(t, true)
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
	m, p := newHost(t, true)
	ticket, err := m.guard.Admin("root", "new here").Reset(t.Context(), "carol", enrollment.ResetOptions{Ticket: true})
	if err != nil {
		t.Fatal(err)
	}
	p.does("Signed in.", "sign-in carol", "password", "AAAA-AAAA-AAAA-AAAA", ticket.Reveal(), "code 0")
}

// The answer to the first code is lost: the recovery codes are shown after another sign-in.
func TestMustEnrollLostAnswer(t *testing.T) {
	t.Parallel()
	m, p := newHost(t, true)
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

// The answer to a change that makes recovery codes is lost. The session has ended with the
// change, so the codes are shown after another sign-in.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, gateway := range []bool{false, true} {
		m, p := newHost(t, false)
		m.gateway = gateway
		p.does("Only the password", "sign-in carol", "password")

		m.lose = "/2fa/setup"
		said, err := p.runs("enable", "wrong", "password")
		if err == nil || recoveryCode.MatchString(said) {
			t.Errorf("the code was wrong: %v:\n%s", err, said)
		}
		m.lose = "/2fa/setup"
		said = p.does("Signed in.", "enable", "code -1", "password", "code 0")
		first := recoveryCode.FindAllString(said, -1)
		if len(first) != 10 || strings.Count(said, "or a recovery code") != 1 {
			t.Fatalf("no recovery codes, or a setup that asks for one:\n%s", said)
		}
		p.does("Two-factor authentication is on.", "status")

		m.lose = "/2fa/codes/new"
		said = p.does("Signed in.", "codes", first[0], "password", "code 1")
		if second := recoveryCode.FindAllString(said, -1); len(second) != 10 || slices.Contains(first, second[0]) {
			t.Errorf("no new recovery codes:\n%s", said)
		}
		p.does("10 recovery codes are left.", "status")
	}
}

// An app with a short secret is replaced where the host demands that.
func TestMustReplace(t *testing.T) {
	t.Parallel()
	m, p := newHost(t, true)
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
