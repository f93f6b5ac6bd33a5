package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/try"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/testenv"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

func TestBudget(t *testing.T) { try.Budget(t, "chi") }

func TestImports(t *testing.T) { try.Imports(t) }

func TestBusyPort(t *testing.T) { try.BusyPort(t) }

// open returns a database of its own.
func open(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), testenv.PostgresDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestScript(t *testing.T) {
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TWOFACTOR_KEYS", keys.Reveal())
	pool := open(t)
	a, err := newApp(t.Context(), pool, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.openSecondFactor(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	server := httptest.NewServer(a.handler())
	defer server.Close()
	try.Script(t, server.URL, "alice", "correct horse battery")
}

// The sessions are in memory: what they hold does not depend on where they are.
func TestNextUser(t *testing.T) {
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	guard, err := enrollment.New(memory.New(), keys, enrollment.Config{Issuer: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{sessions: scs.New()}
	a.sessions.Cookie.Secure = false
	if err := a.addSecondFactor(guard); err != nil {
		t.Fatal(err)
	}
	put := func(_ http.ResponseWriter, r *http.Request) { a.sessions.Put(r.Context(), "basket", "of alice") }
	var basket string
	get := func(_ http.ResponseWriter, r *http.Request) { basket = a.sessions.GetString(r.Context(), "basket") }
	try.NextUser(t, a.handler(), a.users.Add, a.sessions.LoadAndSave(http.HandlerFunc(put)).ServeHTTP, func(r *http.Request) string {
		a.sessions.LoadAndSave(http.HandlerFunc(get)).ServeHTTP(httptest.NewRecorder(), r)
		return basket
	})
}

func TestTwoFactor(t *testing.T) {
	if testing.Short() {
		t.Skip("a database for each case")
	}
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		pool := open(t)
		accounts := sqlstore.New(stdlib.OpenDBFromPool(pool), sqlstore.PostgreSQL)
		if err := accounts.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		guard, err := lab.NewGuard(accounts, keys, enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		a, err := newApp(t.Context(), pool, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.addSecondFactor(guard); err != nil {
			t.Fatal(err)
		}
		host := try.Pages()
		host.Handler, host.NewUser = a.handler(), a.users.Add
		host.Mandate = try.Mandate(t, lab, guard)
		return host
	})
}
