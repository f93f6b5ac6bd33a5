package hosttest_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/hosttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
)

// An api is an application without pages or cookies: its clients keep a bearer token and
// send JSON.
type api struct {
	guard    *enrollment.Guard
	mu       sync.Mutex
	users    map[string]hosttest.User // by login, which is the id as well
	mandated map[string]bool          // who must have a second factor
	tokens   map[string]session
}

// newAPI returns an api without users.
func newAPI(t *testing.T, lab *hosttest.Lab) *api {
	t.Helper()
	a := &api{users: make(map[string]hosttest.User), mandated: make(map[string]bool), tokens: make(map[string]session)}
	keys, err := keyring.Generate("test")
	if err != nil {
		t.Fatal(err)
	}
	if a.guard, err = lab.NewGuard(memory.New(), keys, enrollment.Config{Issuer: "Acme"}); err != nil {
		t.Fatal(err)
	}
	return a
}

// host tells the suite how a client uses the api.
func (a *api) host() hosttest.Host {
	// What has a token in its answer goes on with that token, and so does what has one
	// for a setup.
	call := func(b *hosttest.Browser, path string, body map[string]string) {
		page := b.SendJSON(http.MethodPost, path, body)
		if token := page.JSON("token"); token != "" {
			b.Header.Set("Authorization", "Bearer "+token)
		} else if token := page.JSON("enroll_token"); token != "" {
			b.Header.Set("Authorization", "Enroll "+token)
		}
	}
	return hosttest.Host{
		Handler: a.handler(),
		NewUser: func(login, password string) string {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.users[login] = hosttest.User{ID: login, Login: login, Password: password}
			return login
		},
		SignIn: func(b *hosttest.Browser) {
			call(b, "/login", map[string]string{"login": b.User.Login, "password": b.User.Password})
		},
		SendCode: func(b *hosttest.Browser, code string) {
			call(b, "/code", map[string]string{"challenge": b.Page().JSON("challenge"), "code": code})
		},
		SignedIn:  func(b *hosttest.Browser) bool { return b.Get("/me").JSON("user.login") == b.User.Login },
		Protected: []string{"/me"},
		Mandate: func(userID string) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.mandated[userID] = true
		},
		Clocked: true,
		Begin: func(b *hosttest.Browser, code string) {
			b.SendJSON(http.MethodPost, "/2fa", map[string]string{"code": code, "password": b.User.Password})
		},
		Confirm: func(b *hosttest.Browser, code string) {
			call(b, "/2fa/confirm", map[string]string{"setup": b.Page().JSON("setup"), "code": code})
		},
		Disable: func(b *hosttest.Browser, code string) {
			b.SendJSON(http.MethodDelete, "/2fa", map[string]string{"code": code})
		},
	}
}

// handler returns the whole api.
func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /code", a.code)
	mux.HandleFunc("GET /me", a.signedIn(func(_ *http.Request, u hosttest.User, _ map[string]string) (any, error) {
		return map[string]any{"user": map[string]string{"login": u.Login}}, nil
	}))
	mux.HandleFunc("POST /2fa", a.enrolling(func(r *http.Request, u hosttest.User, in map[string]string) (any, error) {
		setup, err := a.guard.Begin(r.Context(), u.ID, enrollment.BeginOptions{Account: u.Login, Proof: proofOf(u, in)})
		if err != nil {
			return nil, err
		}
		return map[string]string{"setup": setup.Token.Reveal(), "uri": setup.URI()}, nil
	}))
	mux.HandleFunc("POST /2fa/confirm", a.enrolling(func(r *http.Request, u hosttest.User, in map[string]string) (any, error) {
		done, err := a.guard.Confirm(r.Context(), u.ID, enrollment.SetupTokenOf(in["setup"]), in["code"])
		if err != nil {
			return nil, err
		}
		if in["enroll_token"] != "" && done.Success.Purpose != enrollment.PurposeSignIn {
			return map[string]any{"codes": done.Codes.Reveal()}, nil // too late for the sign-in
		}
		return map[string]any{"token": a.start(u.ID, done.Success.Stamp), "codes": done.Codes.Reveal()}, nil
	}))
	mux.HandleFunc("DELETE /2fa", a.signedIn(func(r *http.Request, u hosttest.User, in map[string]string) (any, error) {
		return struct{}{}, a.guard.Disable(r.Context(), u.ID, enrollment.ByCode(in["code"]))
	}))
	return noStore(mux)
}

// proofOf is the token of a sign-in that demands a setup, the code, or the password for
// users who have no second factor yet.
func proofOf(u hosttest.User, in map[string]string) enrollment.Proof {
	switch {
	case in["enroll_token"] != "":
		return enrollment.ByEnrollToken(enrollment.EnrollTokenOf(in["enroll_token"]), "")
	case in["code"] != "":
		return enrollment.ByCode(in["code"])
	case in["password"] == u.Password:
		return enrollment.ByReauth("password")
	}
	return enrollment.Proof{}
}

// read returns the object in the body.
func read(r *http.Request) (in map[string]string) {
	if r.Header.Get("Content-Type") == "application/json" {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	return in
}

// reply sends what was made, or why it was not.
func reply(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if denied := new(enrollment.Denied); errors.As(err, &denied) {
		w.WriteHeader(http.StatusForbidden)
		value = denied
	} else if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		value = struct{}{}
	}
	_ = json.NewEncoder(w).Encode(value)
}

// start makes a token for a user who is signed in.
func (a *api) start(userID string, stamp enrollment.Stamp) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := rand.Text()
	a.tokens[token] = session{user: userID, stamp: stamp}
	return token
}

func (a *api) login(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	a.mu.Lock()
	u, ok := a.users[in["login"]]
	require := a.mandated[u.ID]
	a.mu.Unlock()
	if !ok || u.Password != in["password"] {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	d, err := a.guard.SignIn(r.Context(), u.ID, enrollment.SignInOptions{Require: require})
	switch d.Next {
	case enrollment.Proceed:
		reply(w, map[string]string{"token": a.start(u.ID, d.Stamp)}, nil)
	default:
		reply(w, d, err)
	}
}

func (a *api) code(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	ok, err := a.guard.Answer(r.Context(), enrollment.PurposeSignIn, enrollment.ChallengeOf(in["challenge"]), in["code"])
	if err != nil {
		reply(w, nil, err)
		return
	}
	reply(w, map[string]string{"token": a.start(ok.UserID, ok.Stamp)}, nil)
}

// enrolling calls what belongs to a setup: of a user who is signed in, or of one whose
// sign-in demands it.
func (a *api) enrolling(do func(*http.Request, hosttest.User, map[string]string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, demanded := strings.CutPrefix(r.Header.Get("Authorization"), "Enroll ")
		if !demanded {
			a.signedIn(do)(w, r)
			return
		}
		id, err := a.guard.EnrollingUser(r.Context(), enrollment.EnrollTokenOf(token), "")
		if err != nil {
			reply(w, nil, err)
			return
		}
		in := map[string]string{"enroll_token": token}
		maps.Copy(in, read(r))
		a.mu.Lock()
		u := a.users[id]
		a.mu.Unlock()
		value, err := do(r, u, in)
		reply(w, value, err)
	}
}

// signedIn calls what needs a user who is signed in.
func (a *api) signedIn(do func(*http.Request, hosttest.User, map[string]string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		a.mu.Lock()
		s, ok := a.tokens[token]
		u := a.users[s.user]
		a.mu.Unlock()
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		status, err := a.guard.Status(r.Context(), u.ID)
		switch {
		case err != nil:
			reply(w, nil, err)
		case status.Stamp != s.stamp:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			value, err := do(r, u, read(r))
			reply(w, value, err)
		}
	}
}
