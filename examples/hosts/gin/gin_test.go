package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/gin-gonic/gin"
	gormsqlite "github.com/libtnb/sqlite"
	"gorm.io/gorm"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/try"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	m.Run()
}

func TestBudget(t *testing.T) { try.Budget(t, "gin") }

func TestImports(t *testing.T) { try.Imports(t) }

func TestBusyPort(t *testing.T) { try.BusyPort(t) }

// open returns a database of its own.
func open(t *testing.T) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(gormsqlite.Open("file:"+filepath.Join(t.TempDir(), "gin.db")+settings), &gorm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return db
}

func newKeys(t *testing.T) *keyring.Ring {
	t.Helper()
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestScript(t *testing.T) {
	t.Setenv("TWOFACTOR_KEYS", newKeys(t).Reveal())
	a := newApp(open(t), t.TempDir(), false)
	if err := a.openSecondFactor(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	server := httptest.NewServer(a.handler())
	defer server.Close()
	try.Script(t, server.URL, "alice", "correct horse battery")
}

func TestNextUser(t *testing.T) {
	guard, err := enrollment.New(memory.New(), newKeys(t), enrollment.Config{Issuer: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(nil, t.TempDir(), false)
	if err := a.addSecondFactor(guard); err != nil {
		t.Fatal(err)
	}
	try.NextUser(t, a.handler(), a.users.Add, func(w http.ResponseWriter, r *http.Request) {
		s := a.session(r)
		s.Values["basket"] = "of alice"
		if err := s.Save(r, w); err != nil {
			t.Error(err)
		}
	}, func(r *http.Request) string {
		basket, _ := a.session(r).Values["basket"].(string)
		return basket
	})
}

func TestTwoFactor(t *testing.T) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		guard, err := lab.NewGuard(memory.New(), newKeys(t), enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		a := newApp(nil, t.TempDir(), true)
		if err := a.addSecondFactor(guard); err != nil {
			t.Fatal(err)
		}
		host := try.Pages()
		host.Handler, host.NewUser = a.handler(), a.users.Add
		host.Mandate = try.Mandate(t, lab, guard)
		return host
	})
}
