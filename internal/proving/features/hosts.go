package features

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// A signIn is the least that a host with a second factor has: a client sends a name and
// a password, then the challenge and a code, and gets a token.
type signIn struct {
	guard     *enrollment.Guard
	mu        sync.Mutex
	passwords map[string]string
}

func (s *signIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("user")
	switch r.URL.Path {
	case "/password":
		s.mu.Lock()
		right := s.passwords[user] != "" && s.passwords[user] == r.PostFormValue("password")
		s.mu.Unlock()
		d, err := s.guard.SignIn(r.Context(), user, enrollment.SignInOptions{})
		if !right || err != nil || d.Next != enrollment.AskCode {
			refuse(w, err)
			return
		}
		w.Header().Set("Challenge", d.Challenge.Reveal())
	case "/code":
		ok, err := s.guard.Answer(r.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(r.Header.Get("Challenge")), r.PostFormValue("code"))
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Receipt", ok.Receipt.Reveal())
	case "/":
		ok, err := s.guard.RecentlyVerified(r.Context(), r.Header.Get("User"), enrollment.PurposeSignIn, enrollment.ReceiptOf(r.Header.Get("Receipt")), enrollment.ReceiptTTL)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Write([]byte("hello " + ok.UserID))
	}
}

// refuse answers no. An error that is no denial is a fault.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusForbidden
	if denied := (*enrollment.Denied)(nil); err != nil && !errors.As(err, &denied) {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
}

// N12: a host's own wiring is tested. Here the wiring is that of a small host which is
// right; package hosttest has the hosts with faults.
func TestFeatureN12_SuiteForHosts(t *testing.T, open proving.Open) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		keys, err := keyring.Generate("first")
		if err != nil {
			t.Fatal(err)
		}
		guard, err := lab.NewGuard(open(t), keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		s := &signIn{guard: guard, passwords: make(map[string]string)}
		return hosttest.Host{
			Handler: s,
			NewUser: func(login, password string) string {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.passwords[login] = password
				return login
			},
			SignIn: func(b *hosttest.Browser) {
				page := b.Submit("/password", "user", b.User.Login, "password", b.User.Password)
				b.Header.Set("Challenge", page.Header.Get("Challenge"))
			},
			SendCode: func(b *hosttest.Browser, code string) {
				page := b.Submit("/code", "code", code)
				b.Header.Set("Receipt", page.Header.Get("Receipt"))
			},
			SignedIn: func(b *hosttest.Browser) bool {
				b.Header.Set("User", b.User.Login)
				return b.Get("/").Contains("hello " + b.User.Login)
			},
		}
	})
}
