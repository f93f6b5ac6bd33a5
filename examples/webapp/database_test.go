package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
)

// databases are the values of -db, by name.
var databases = map[string]func(*testing.T) string{
	"SQLite":     func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "app.db") },
	"MariaDB":    func(t *testing.T) string { return "mysql://" + testenv.MariaDBDSN(t) },
	"PostgreSQL": func(t *testing.T) string { return testenv.PostgresURL(t) },
}

// Processes that start at the same time on an empty database all come up, and serve the
// same users.
func TestDatabases(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes servers")
	}
	for name, address := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &site{t: t, clock: newClock(), log: &notes{}}
			s.config = s.settings()
			s.config.database = address(t)
			fast(&s.config)
			var apps [4]*app
			var all sync.WaitGroup
			for i := range apps {
				all.Go(func() {
					var err error
					if apps[i], err = open(t.Context(), s.config); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if t.Failed() {
				return
			}
			for i, a := range apps {
				a.limits = apps[0].limits
				server := httptest.NewServer(a.handler())
				t.Cleanup(func() { server.Close(); a.close() })
				if i == 0 {
					s.app, s.server = a, server
				}
			}
			admin, adminPhone := s.admin()
			bob := s.member("bob@example.com")
			phone, codes := bob.enable()
			s.clock.advance(time.Minute)
			s.mandate(admin, adminPhone, "0")
			admin.get("/admin/members?search=BOB")
			admin.sees("bob@example.com", "All 1", "on 1")
			admin.role(s.idOf("bob@example.com"), "client")
			admin.sees("no, a client")

			// Another process has the session, and knows that the code was used.
			code := phone.next()
			bob.signOutNow()
			bob.signIn("bob@example.com")
			bob.code(code)
			bob.at("/")
			server := httptest.NewServer(apps[1].handler())
			t.Cleanup(server.Close)
			there := *s
			there.server = server
			elsewhere := there.browser()
			elsewhere.setCookies(bob.cookies())
			elsewhere.get("/")
			elsewhere.sees("bob@example.com")
			elsewhere.signOut()
			bob.get("/security/")
			bob.signedOut()
			bob.signIn("bob@example.com")
			bob.code(code)
			bob.denied("That code was already used.")
			bob.code(codes[0])
			bob.at("/")

			bob.get(bob.forgot("bob@example.com"))
			bob.step(phone.next())
			bob.submit("/forgot/password", "password", newPassword)
			bob.signedOut()
			bob.sees("Password changed.")
			s.app.sweep(t.Context())
			if strings.Contains(s.log.String(), "level=ERROR") {
				t.Error(s.log)
			}

			_, err := s.app.accounts.Create(t.Context(), "BOB@example.com ", password, "en")
			if err != accounts.ErrTaken {
				t.Errorf("two users with one address: %v", err)
			}
			admin.force(s.idOf("bob@example.com"), "erase")
			admin.sees("User deleted.")
		})
	}
	if _, err := accounts.Open(t.Context(), "oracle://x", bcrypt.MinCost, time.Now); err == nil {
		t.Error("opens what it does not know")
	}
}
