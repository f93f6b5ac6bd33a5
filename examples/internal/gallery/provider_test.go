package gallery

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/enrollmenttest"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/chromium"
)

// An OpenID provider leads from the form with the code to the site of its client, if its
// pages name that in form-action. Without that, Chromium stays on the page.
func TestOpenIDProvider(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a browser")
	}
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "<body>Back at the client with ", r.URL.RawQuery)
	}))
	defer client.Close()
	kit := enrollmenttest.New(t)
	pages, err := web.New(kit.Guard, web.Config{
		User:   func(*http.Request) (string, error) { return "", nil },
		Start:  func(http.ResponseWriter, *http.Request, web.SignedIn) (any, error) { return nil, nil },
		Reauth: func(*http.Request) (time.Time, error) { return time.Time{}, nil },
		Render: func(w http.ResponseWriter, _ *http.Request, page web.Page) {
			const name = "Content-Security-Policy"
			w.Header().Set(name, strings.Replace(w.Header().Get(name), "form-action 'self'", "form-action 'self' "+client.URL, 1))
			page.Write(w)
		},
		Insecure: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/2fa/", pages)
	mux.HandleFunc("/login/{user}", func(w http.ResponseWriter, r *http.Request) {
		pages.SignIn(w, r, r.PathValue("user"), enrollment.SignInOptions{})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, client.URL+"/callback?code=1", http.StatusFound)
	})
	provider := httptest.NewServer(mux)
	defer provider.Close()
	u := kit.Enroll("anna")
	b := chromium.Open(t, provider.URL)
	b.Get("/login/anna?return=/authorize")
	b.Sees("Enter your code")
	b.Type("#code", u.App.Code(kit.Clock.Now())+"\r")
	b.Sees("Back at the client with code=1")
}
