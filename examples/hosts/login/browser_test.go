package login_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/examples/hosts/login"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

// The pages have no barrier, and who was led to the first factor comes back to where it was.
func TestPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a browser")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", login.Page)
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("return"), http.StatusSeeOther)
	})
	mux.HandleFunc("/home", func(w http.ResponseWriter, _ *http.Request) { login.Home(w, "alice", "/danger", "/2fa/") })
	mux.HandleFunc("/danger", login.Danger)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b := chromium.Open(t, server.URL)
	show := func(name string) {
		t.Helper()
		b.Sees(name)
		for _, x := range b.Barriers() {
			t.Errorf("%s: %s: %s: %s", name, x.Rule, x.Where, x.Why)
		}
	}
	b.Get("/login?return=/home")
	show("Sign in")
	b.Type("[name=user]", "alice")
	b.Next(func() { b.Type("[name=password]", "x\r") })
	show("Hello, alice")
	b.Get("/danger")
	show("Something dangerous")
	b.Next(func() { b.Click("button") })
	show("danger done")
}
