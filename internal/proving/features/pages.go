package features

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A site has a login and sessions, and the pages of package web.
type site struct {
	guard *enrollment.Guard
	pages *web.Pages

	mu        sync.Mutex
	passwords map[string]string
	sessions  map[string]web.SignedIn
}

func newSite(t *testing.T, guard *enrollment.Guard) (*site, http.Handler) {
	t.Helper()
	s := &site{guard: guard, passwords: make(map[string]string), sessions: make(map[string]web.SignedIn)}
	var err error
	s.pages, err = web.New(guard, web.Config{
		User: s.user, Start: s.start, Reauth: func(*http.Request) (time.Time, error) { return guard.Now(), nil },
		Fail: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusInternalServerError) },
	})
	if err != nil {
		t.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := s.user(r)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "hello", user)
	})
	mux := http.NewServeMux()
	mux.Handle("/2fa/", s.pages)
	mux.HandleFunc("POST /login", s.login)
	mux.Handle("/", hello)
	mux.Handle("/sensitive", s.pages.RequireRecent("sensitive", 5*time.Minute)(hello))
	return s, mux
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("user")
	s.mu.Lock()
	right := s.passwords[user] != "" && s.passwords[user] == r.PostFormValue("password")
	s.mu.Unlock()
	if !right {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.pages.SignIn(w, r, user, enrollment.SignInOptions{})
}

func (s *site) user(r *http.Request) (string, error) {
	cookie, err := r.Cookie("__Host-session")
	if err != nil {
		return "", nil
	}
	s.mu.Lock()
	in, ok := s.sessions[cookie.Value]
	s.mu.Unlock()
	if !ok {
		return "", nil
	}
	status, err := s.guard.Status(r.Context(), in.UserID)
	if err != nil || status.Stamp != in.Stamp {
		return "", err
	}
	return in.UserID, nil
}

func (s *site) start(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cookie, err := r.Cookie("__Host-session"); err == nil {
		delete(s.sessions, cookie.Value)
	}
	id := rand.Text()
	s.sessions[id] = in
	http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return nil, nil
}

// X14: three functions of a host, and the pages are there. The suite for hosts
// uses them as people and attackers do.
func TestFeatureX14_PagesOverHTTP(t *testing.T, open proving.Open) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		keys, err := keyring.Generate("first")
		if err != nil {
			t.Fatal(err)
		}
		guard, err := lab.NewGuard(open(t), keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		s, handler := newSite(t, guard)
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
			Handler: handler,
			NewUser: func(login, password string) string {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.passwords[login] = password
				return login
			},
			SignIn: func(b *hosttest.Browser) {
				b.Submit("/login", "user", b.User.Login, "password", b.User.Password)
			},
			SendCode:   func(b *hosttest.Browser, code string) { b.Submit("/2fa/sign-in", "code", code) },
			SignedIn:   func(b *hosttest.Browser) bool { return b.Get("/").Contains("hello " + b.User.Login) },
			Protected:  []string{"/2fa/", "/sensitive"},
			Begin:      change("/2fa/setup/begin"),
			Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/2fa/setup", "code", code) },
			Disable:    change("/2fa/disable"),
			RenewCodes: change("/2fa/codes/new"),
			StepUp: func(b *hosttest.Browser, code string) {
				b.Get("/sensitive")
				b.Submit("/2fa/step", "code", code)
			},
			Sensitive: func(b *hosttest.Browser) bool { return b.Get("/sensitive").Contains("hello") },
		}
	})
}
