package main

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/examples/hosts/try"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

func TestBudget(t *testing.T) { try.Budget(t, "echo") }

func TestImports(t *testing.T) { try.Imports(t) }

func TestBusyPort(t *testing.T) { try.BusyPort(t) }

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
	a := newApp()
	if err := a.openSecondFactor(t.Context(), filepath.Join(t.TempDir(), "echo.db")); err != nil {
		t.Fatal(err)
	}
	a.users.Add("alice", "correct horse battery")
	server := httptest.NewServer(a.handler())
	defer server.Close()
	try.Script(t, server.URL, "alice", "correct horse battery")
}

// A client learns nothing of a fault, and the log has it.
func TestFault(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	guard, err := enrollment.New(faulty{memory.New()}, newKeys(t), enrollment.Config{Issuer: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	a := newApp()
	if err := a.addSecondFactor(guard); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+a.start(r, session{user: "alice"}))
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "database") || !strings.Contains(logged.String(), "GET /: ") || !strings.Contains(logged.String(), "no database") {
		t.Errorf("%d: %s, and %q is logged", w.Code, w.Body, &logged)
	}
}

// faulty is a store that can't be read.
type faulty struct{ store.Store }

func (faulty) Load(context.Context, string) (store.Record, error) {
	return store.Record{}, errors.New("no database")
}

func TestTwoFactor(t *testing.T) {
	hosttest.Run(t, func(t *testing.T, lab *hosttest.Lab) hosttest.Host {
		guard, err := lab.NewGuard(memory.New(), newKeys(t), enrollment.Config{Issuer: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		a := newApp()
		if err := a.addSecondFactor(guard); err != nil {
			t.Fatal(err)
		}
		host := try.API()
		host.Handler, host.NewUser = a.handler(), a.users.Add
		host.Mandate = try.Mandate(t, lab, guard)
		return host
	})
}
