package web_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
)

// An application with a cookie as its session gets the pages and a sign-in that asks for
// a code.
func ExampleNew() {
	kit := enrollmenttest.New(new(testing.T)) // a Guard
	sessions := map[string]web.SignedIn{}
	id := func(r *http.Request) string {
		cookie, err := r.Cookie("session")
		if err != nil {
			return ""
		}
		return cookie.Value
	}
	session := func(r *http.Request) web.SignedIn { return sessions[id(r)] }
	var pages *web.Pages
	pages, err := web.New(kit.Guard, web.Config{
		User: func(r *http.Request) (string, error) {
			return pages.Current(r.Context(), session(r).UserID, session(r).Stamp)
		},
		Start: func(w http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
			if in.Renewed {
				in.At = session(r).At
			}
			delete(sessions, id(r))
			fresh := rand.Text()
			sessions[fresh] = in
			http.SetCookie(w, &http.Cookie{Name: "session", Value: fresh, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
			return nil, nil
		},
		Reauth: func(r *http.Request) (time.Time, error) { return session(r).At, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/2fa/", pages)
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user := r.FormValue("user") // whose password was right
		pages.SignIn(w, r, user, enrollment.SignInOptions{})
	})

	kit.Enroll("alice")
	var answer *httptest.ResponseRecorder
	for _, user := range []string{"alice", "bob"} {
		answer = httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/login?user="+user, nil))
		fmt.Println(user, "goes to", answer.Header().Get("Location"), "with", len(sessions), "sessions")
	}

	setup := httptest.NewRequest(http.MethodGet, "/2fa/setup/begin", nil)
	for _, cookie := range answer.Result().Cookies() {
		setup.AddCookie(cookie)
	}
	answer = httptest.NewRecorder()
	mux.ServeHTTP(answer, setup)
	fmt.Println("and the setup answers", answer.Code)
	// Output:
	// alice goes to /2fa/sign-in with 0 sessions
	// bob goes to / with 1 sessions
	// and the setup answers 200
}

// An application that is an OpenID provider leads back to its clients after the code, so
// its pages let forms end there.
func ExampleConfig_openIDProvider() {
	kit := enrollmenttest.New(new(testing.T))
	pages, err := web.New(kit.Guard, web.Config{
		User:   func(*http.Request) (string, error) { return "", nil },
		Start:  func(http.ResponseWriter, *http.Request, web.SignedIn) (any, error) { return nil, nil },
		Reauth: func(*http.Request) (time.Time, error) { return time.Time{}, nil },
		Render: func(w http.ResponseWriter, _ *http.Request, page web.Page) {
			const name = "Content-Security-Policy"
			policy := w.Header().Get(name)
			w.Header().Set(name, strings.Replace(policy, "form-action 'self'", "form-action 'self' https://client.example", 1))
			page.Write(w)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	pages.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/2fa/sign-in", nil))
	_, policy, _ := strings.Cut(answer.Header().Get("Content-Security-Policy"), "form-action")
	fmt.Println(policy)
	// Output: 'self' https://client.example; base-uri 'none'; frame-ancestors 'none'
}
