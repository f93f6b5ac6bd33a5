package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// An app is the application. A real one keeps users in its database, with hashes of
// their passwords, and limits how often a password is tried.
type app struct {
	passwords map[string]string // of users
	insecure  bool              // cookies travel over plain HTTP
	sessions  sessions
	guard     *enrollment.Guard
	pages     *web.Pages
}

func newApp() *app {
	return &app{passwords: map[string]string{"alice": rand.Text()[:12]}}
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { show(w, loginPage, "") })
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("GET /{$}", a.home)
	mux.Handle("/2fa/", a.pages)
	mux.Handle("GET /danger", a.pages.RequireRecent("danger", 5*time.Minute)(http.HandlerFunc(a.danger)))
	return http.NewCrossOriginProtection().Handler(mux)
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("user")
	password, known := a.passwords[user]
	if !known || subtle.ConstantTimeCompare([]byte(password), []byte(r.PostFormValue("password"))) != 1 {
		show(w, loginPage, "Wrong name or password.")
		return
	}
	a.pages.SignIn(w, r, user, enrollment.SignInOptions{})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.endSession(w, r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	if user := a.user(w, r); user != "" {
		show(w, homePage, user)
	}
}

func (a *app) danger(w http.ResponseWriter, r *http.Request) {
	if user := a.user(w, r); user != "" {
		show(w, dangerPage, user)
	}
}

// user returns who is signed in. If nobody is, it leads to the login.
func (a *app) user(w http.ResponseWriter, r *http.Request) string {
	user, err := a.signedIn(r)
	switch {
	case err != nil:
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
	case user == "":
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	}
	return user
}
