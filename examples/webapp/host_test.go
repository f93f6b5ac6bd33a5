package main

import (
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
)

// TestHost holds this application against what the library asks of any.
func TestHost(t *testing.T) {
	t.Parallel()
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		a, err := open(t.Context(), config{
			data: t.TempDir(), cost: bcrypt.MinCost, issuer: defaultIssuer, secure: true,
			now: lab.Clock.Now, log: slog.New(slog.NewTextHandler(lab.Log, nil)), newGuard: lab.NewGuard,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.close() })
		// form sends the form of a page that asks for a code, unless it asks for none.
		form := func(path string) func(*hosttest.Browser, string) {
			return func(b *hosttest.Browser, code string) {
				b.Get(path)
				b.Submit(path, "code", code)
			}
		}
		return hosttest.Host{
			Handler: a.handler(),
			NewUser: func(login, password string) string {
				u, err := a.users.create(t.Context(), login, password)
				if err != nil {
					t.Fatal(err)
				}
				return u.ID
			},
			SignIn: func(b *hosttest.Browser) {
				b.Get("/sign-in")
				b.Submit("/sign-in", "email", b.User.Login, "password", b.User.Password)
			},
			SendCode: func(b *hosttest.Browser, code string) { b.Submit("/sign-in/code", "code", code) },
			SignedIn: func(b *hosttest.Browser) bool {
				return b.Get("/").Contains("You are signed in as") && b.Page().Contains(b.User.Login)
			},
			Protected:  []string{"/security", "/security/begin", "/security/codes", "/security/disable", "/data"},
			Begin:      form("/security/begin"),
			Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/security/setup", "code", code) },
			Disable:    form("/security/disable"),
			RenewCodes: form("/security/codes"),
			StepUp:     form("/data"),
			Sensitive:  func(b *hosttest.Browser) bool { return b.Get("/data").Contains(`"joined"`) },
			OtherFlow: func(b *hosttest.Browser) {
				b.Get("/forgot")
				b.Submit("/forgot", "email", b.User.Login)
				for _, l := range a.mailbox.list() {
					if l.To == b.User.Login && strings.HasPrefix(l.Link, "/forgot/link?") {
						b.Get(l.Link)
					}
				}
			},
		}
	})
}
