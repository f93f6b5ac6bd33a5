package hosttest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// An app is a small application with pages. It is right, but for its one fault.
type app struct {
	fault     string
	stateless bool // the page has the challenge, and not the session
	guard     *enrollment.Guard
	store     *transactions
	log       *slog.Logger
	mu        sync.Mutex
	users     map[string]hosttest.User // by login
	sessions  map[string]session       // by the value of the cookie
	keys      map[string]string        // by user id, for a fault
	steps     map[string]string        // receipts of step-ups by user id, for a fault
	receipts  map[string]string        // receipts by user id, for a fault
	pending   map[string]string        // challenges by user id, for a fault
	mandated  map[string]bool          // by user id
	now       func() time.Time
}

// A session is what the server keeps of a browser.
type session struct {
	user      string // who is signed in
	stamp     enrollment.Stamp
	unstamped bool   // there is no stamp, because of a fault
	pending   string // who has entered the password
	challenge string
	receipt   string
	stepped   string // receipt of the step-up
	steppedAt time.Time
	marked    bool   // a code was entered, which a fault takes for a proof
	setup     string // token
	enroll    string // token of a sign-in that demands the setup
	enrolling string // whose setup is demanded, for a fault
	purpose   enrollment.Purpose
}

// newApp returns an application with that fault, or "".
func newApp(t *testing.T, lab *hosttest.Lab, fault string) *app {
	t.Helper()
	a := &app{
		fault: fault, store: &transactions{Store: memory.New()}, log: slog.New(slog.NewTextHandler(lab.Log, nil)),
		users: make(map[string]hosttest.User), sessions: make(map[string]session), keys: make(map[string]string),
		steps: make(map[string]string), receipts: make(map[string]string), pending: make(map[string]string), now: lab.Clock.Now,
		mandated: make(map[string]bool),
	}
	switch fault {
	case challengeInPage, "the session says who it is", "the page says the purpose", "other sites can send codes":
		a.stateless = true
	}
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	config := enrollment.Config{
		Issuer: "Acme", Logger: a.log,
		ReauthDisables: fault == passwordDisables || fault == "a mark is a proof" || fault == "nothing is a proof",
	}
	if a.guard, err = lab.NewGuard(a.store, keys, config); err != nil {
		t.Fatal(err)
	}
	return a
}

// host tells the suite how to use the application.
func (a *app) host() hosttest.Host {
	// form sends the form of a page, with the code and the password.
	form := func(page, action string) func(*hosttest.Browser, string) {
		return func(b *hosttest.Browser, code string) {
			b.Get(page)
			b.Submit(action, "code", code, "password", b.User.Password)
		}
	}
	return hosttest.Host{
		Handler: a.handler(),
		NewUser: func(login, password string) string {
			a.mu.Lock()
			defer a.mu.Unlock()
			u := hosttest.User{ID: fmt.Sprintf("user-%d", len(a.users)), Login: login, Password: password}
			a.users[login] = u
			return u.ID
		},
		SignIn: func(b *hosttest.Browser) {
			b.Get("/login")
			b.Submit("/login", "login", b.User.Login, "password", b.User.Password)
		},
		SendCode:  func(b *hosttest.Browser, code string) { b.Submit("/code", "code", code) },
		SignedIn:  func(b *hosttest.Browser) bool { return b.Get("/account").Contains("Hello, " + b.User.Login) },
		Protected: []string{"/account", "/security"},
		Mandate: func(userID string) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.mandated[userID] = true
		},
		Clocked:    true,
		Begin:      form("/security", "/security/begin"),
		Confirm:    func(b *hosttest.Browser, code string) { b.Submit("/security/confirm", "code", code) },
		Disable:    form("/security", "/security/disable"),
		RenewCodes: form("/security", "/security/codes"),
		StepUp:     form("/step", "/step"),
		Sensitive: func(b *hosttest.Browser) bool {
			b.Get("/secret")
			return b.Page().Contains("the secret of " + b.User.Login)
		},
		OtherFlow: func(b *hosttest.Browser) { b.Submit("/forgot", "login", b.User.Login) },
	}
}

// handler returns the whole application.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", a.loginForm)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /forgot", a.forgot)
	mux.HandleFunc("GET /code", a.codePage)
	mux.HandleFunc("POST /code", a.code)
	account := a.signedIn(a.account)
	if a.fault == "a page opens before the setup" {
		account = a.settingUp(func(w http.ResponseWriter, r *http.Request, u hosttest.User) {
			if a.session(r).user == "" {
				a.show(w, enrollPage, nil)
				return
			}
			a.account(w, r, u)
		})
	}
	mux.HandleFunc("GET /account", account)
	mux.HandleFunc("GET /security", a.signedIn(a.security))
	mux.HandleFunc("GET /enroll", func(w http.ResponseWriter, r *http.Request) { a.show(w, enrollPage, nil) })
	mux.HandleFunc("POST /security/begin", a.settingUp(a.begin))
	mux.HandleFunc("POST /security/confirm", a.settingUp(a.confirm))
	mux.HandleFunc("POST /security/disable", a.signedIn(a.disable))
	mux.HandleFunc("POST /security/codes", a.signedIn(a.renew))
	mux.HandleFunc("GET /security/setup", a.signedIn(a.setup))
	mux.HandleFunc("GET /qr", a.signedIn(a.qr))
	mux.HandleFunc("GET /qr/{id}", a.anybodysQR)
	mux.HandleFunc("GET /step", func(w http.ResponseWriter, r *http.Request) { a.show(w, stepPage, nil) })
	mux.HandleFunc("POST /step", a.signedIn(a.step))
	mux.HandleFunc("GET /secret", a.signedIn(a.secret))
	if a.fault == "a link changes settings" {
		mux.HandleFunc("GET /security/disable", a.signedIn(a.disable))
	}
	var h http.Handler = mux
	if a.fault != "other sites can send forms" && a.fault != "other sites can send codes" {
		h = http.NewCrossOriginProtection().Handler(h)
	}
	if a.fault == "forms are logged" {
		h = a.logForms(h)
	}
	if a.fault == "a transaction ends with the answer" || a.fault == "a transaction ends with the request" {
		h = a.store.around(h, a.fault == "a transaction ends with the answer")
	}
	if a.fault == "pages are kept" {
		return h
	}
	return noStore(h)
}

func (a *app) logForms(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		a.log.Info("request", "form", r.Form.Encode())
		h.ServeHTTP(w, r)
	})
}

func noStore(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

func (a *app) show(w http.ResponseWriter, t *template.Template, data any) {
	if err := t.Execute(w, data); err != nil {
		a.log.Error("showing a page", "error", err)
	}
}

// session returns the session of the request.
func (a *app) session(r *http.Request) session {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie("__Host-session"); err == nil {
		return a.sessions[c.Value]
	}
	if c, err := r.Cookie("__Host-remember"); err == nil {
		return a.sessions[c.Value]
	}
	return session{}
}

// keep stores the session under its present id.
func (a *app) keep(r *http.Request, s session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie("__Host-session"); err == nil {
		a.sessions[c.Value] = s
	}
}

// renew stores the session under a new id and forgets the old one.
func (a *app) renewID(w http.ResponseWriter, r *http.Request, s session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := rand.Text()
	if c, err := r.Cookie("__Host-session"); err == nil {
		switch {
		case a.fault == "the id stays after the password" && s.challenge != "", a.fault == "the id stays after the code" && s.user != "":
			id = c.Value
		case a.fault != "a spent challenge is good enough":
			delete(a.sessions, c.Value)
		}
	}
	a.sessions[id] = s
	site := http.SameSiteLaxMode
	if a.fault == "other sites can send forms" {
		site = http.SameSiteDefaultMode
	}
	http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: site})
}

// fail answers what is not a success.
func (a *app) fail(w http.ResponseWriter, err error) {
	if denied := new(enrollment.Denied); errors.As(err, &denied) {
		http.Error(w, "that is not possible: "+string(denied.Reason), http.StatusUnprocessableEntity)
		return
	}
	a.log.Error("request failed", "error", err)
	http.Error(w, "try again later", http.StatusInternalServerError)
}

// signedIn lets only users through who are signed in.
func (a *app) signedIn(next func(http.ResponseWriter, *http.Request, hosttest.User)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := a.session(r)
		u, ok := a.user(s.user)
		if !ok && (s.enroll != "" || s.enrolling != "") {
			http.Redirect(w, r, "/enroll", http.StatusSeeOther)
			return
		}
		if !ok {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		status, err := a.guard.Status(r.Context(), u.ID)
		switch {
		case err != nil && (a.fault == "sessions go on while the Guard fails" || a.fault == "a step-up counts while the Guard fails" && r.URL.Path == "/secret"):
			next(w, r, u)
		case err != nil && a.fault == "a user looks signed out while the Guard fails":
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case err != nil:
			a.fail(w, err)
		case status.Stamp != s.stamp && !s.unstamped && a.fault != "sessions go on after a change":
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		default:
			next(w, r, u)
		}
	}
}

// user returns the user with that id.
func (a *app) user(id string) (hosttest.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range a.users {
		if u.ID == id {
			return u, true
		}
	}
	return hosttest.User{}, false
}

// transactions is a store that takes part in a transaction of the application: a copy of
// all records that is put back.
type transactions struct {
	*memory.Store
	mu sync.Mutex
}

// around runs each request in a transaction. It is rolled back if the answer is an error,
// or if the client has left.
func (t *transactions) around(next http.Handler, onError bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		ctx := context.WithoutCancel(r.Context())
		var before []store.Record
		page, err := t.List(ctx, store.Query{})
		if err == nil {
			before = page.Records
		}
		status := &statusWriter{w, http.StatusOK}
		next.ServeHTTP(status, r)
		if onError && status.status >= 400 || !onError && r.Context().Err() != nil {
			for _, old := range before {
				now, err := t.Load(ctx, old.UserID)
				if err != nil || now.Version == old.Version {
					continue
				}
				if err := errors.Join(t.Erase(ctx, old.UserID), t.Save(ctx, old, 0)); err != nil {
					panic(err)
				}
			}
		}
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// These make other applications, which are right as well.
const (
	challengeInPage  = "the challenge is in the page"
	passwordDisables = "the password disables"
)

// recently is how long a step-up counts.
const recently = 5 * time.Minute

// A shop is what the examples test.
type shop struct{ handler http.Handler }

func newShop(*enrollment.Guard, *slog.Logger) shop          { return shop{http.NotFoundHandler()} }
func (shop) addUser(login, password string) (userID string) { return login }
