package main

import (
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// TestHost holds this application against what the library asks of any.
func TestHost(t *testing.T) {
	t.Parallel()
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		a, err := open(t.Context(), config{
			Config: enrollment.Config{Issuer: defaultIssuer, Now: lab.Clock.Now, Logger: slog.New(slog.NewTextHandler(lab.Log, nil))},
			data:   t.TempDir(), cost: bcrypt.MinCost, secure: true, newGuard: lab.NewGuard,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.close() })
		// change goes to the page of a change, by way of the code that it asks for.
		change := func(path string) func(*hosttest.Browser, string) {
			return func(b *hosttest.Browser, code string) {
				if b.Get(path); b.Page().Contains(`action="/security/step"`) {
					b.Submit("/security/step", "code", code)
				}
				b.Submit(path)
			}
		}
		return hosttest.Host{
			Handler: a.handler(),
			Clocked: true,
			NewUser: func(login, password string) string {
				u, err := a.accounts.Create(t.Context(), login, password, "en")
				if err != nil {
					t.Fatal(err)
				}
				return u.ID
			},
			Mandate: func(string) {
				if err := a.accounts.SetMandate(t.Context(), accounts.Mandate{Mandatory: true, Since: a.config.Now().Unix()}); err != nil {
					t.Fatal(err)
				}
			},
			SignIn: func(b *hosttest.Browser) {
				b.Get("/sign-in")
				b.Submit("/sign-in", "email", b.User.Login, "password", b.User.Password)
			},
			SendCode: func(b *hosttest.Browser, code string) { b.Submit("/security/sign-in", "code", code) },
			SignedIn: func(b *hosttest.Browser) bool {
				return b.Get("/").Contains("You are signed in as") && b.Page().Contains(b.User.Login)
			},
			Protected:  []string{"/security/", "/security/setup/begin", "/security/codes/new", "/security/disable", "/data", "/password"},
			Begin:      change("/security/setup/begin"),
			Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/security/setup", "code", code) },
			Disable:    change("/security/disable"),
			RenewCodes: change("/security/codes/new"),
			StepUp: func(b *hosttest.Browser, code string) {
				b.Get("/data")
				b.Submit("/security/step", "code", code)
			},
			Sensitive: func(b *hosttest.Browser) bool { return b.Get("/data").Contains(`"joined"`) },
			OtherFlow: func(b *hosttest.Browser) {
				b.Get("/forgot")
				b.Submit("/forgot", "email", b.User.Login)
				for _, l := range a.mailbox.List() {
					if l.To == b.User.Login && strings.HasPrefix(l.Link, "/forgot/link?") {
						b.Get(l.Link)
					}
				}
			},
		}
	})
}
