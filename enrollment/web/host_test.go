package web_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// An application that leaves everything to this package does what one must do.
func TestHost(t *testing.T) {
	t.Parallel()
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		keys, err := keyring.Generate("test")
		if err != nil {
			t.Fatal(err)
		}
		guard, err := lab.NewGuard(memory.New(), keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		h := &host{t: t, kit: &enrollmenttest.Kit{Guard: guard}, sessions: map[string]web.SignedIn{}}
		var entered sync.Map  // when each user has entered the password
		var mandated sync.Map // who must have a second factor
		h.pages, err = web.New(guard, web.Config{
			User: h.user, Start: h.start,
			Reauth: func(r *http.Request) (time.Time, error) {
				user, err := h.user(r)
				at, ok := entered.Load(user)
				if !ok {
					return time.Time{}, err
				}
				return at.(time.Time), err
			},
			Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
				fmt.Fprintln(lab.Log, err)
				w.WriteHeader(http.StatusInternalServerError)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle("/2fa/", h.pages)
		mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
			user := r.PostFormValue("user")
			entered.Store(user, lab.Clock.Now())
			_, must := mandated.Load(user)
			h.pages.SignIn(w, r, user, enrollment.SignInOptions{Require: must})
		})
		mux.Handle("/delete", h.pages.RequireRecent("delete", 5*time.Minute)(http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "deleted") })))
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			user, err := h.user(r)
			fmt.Fprintf(w, "home of %q %v", user, err)
		})
		// change sends the form of a page, after the code that leads to it.
		change := func(path string) func(*hosttest.Browser, string) {
			return func(b *hosttest.Browser, code string) {
				b.Get(path)
				if code != "" {
					b.Submit("/2fa/step", "code", code)
				}
				b.Submit(path)
			}
		}
		return hosttest.Host{
			Handler:    mux,
			NewUser:    func(login, _ string) string { return login },
			SignIn:     func(b *hosttest.Browser) { b.Submit("/login", "user", b.User.Login) },
			SendCode:   func(b *hosttest.Browser, code string) { b.Submit("/2fa/sign-in", "code", code) },
			SignedIn:   func(b *hosttest.Browser) bool { return b.Get("/").Contains("home of \"" + b.User.Login) },
			Protected:  []string{"/2fa/"},
			Mandate:    func(user string) { mandated.Store(user, true) },
			Clocked:    true,
			Begin:      change("/2fa/setup/begin"),
			Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/2fa/setup", "code", code) },
			Disable:    change("/2fa/disable"),
			RenewCodes: change("/2fa/codes/new"),
			StepUp: func(b *hosttest.Browser, code string) {
				b.Get("/delete")
				b.Submit("/2fa/step", "code", code)
			},
			Sensitive: func(b *hosttest.Browser) bool { return b.Get("/delete").Contains("deleted") },
		}
	})
}
