package main

import (
	"embed"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

//go:embed static
var static embed.FS

// maxBody is the largest form we read. Real ones are much smaller.
const maxBody = 16 << 10

// unrouted answers what no route takes, or not by that method.
func (a *app) unrouted(w http.ResponseWriter, r *http.Request, taken []string) {
	answer := notFound
	if len(taken) > 0 {
		answer = noMethod
	}
	a.fail(w, r, answer)
}

// received refuses what another site has sent, and reads the form, up to maxBody bytes. Pages
// read its fields with PostFormValue. FormValue would also accept a code in the URL, and URLs
// end up in logs and browser histories. The guard learns where the request comes from. No
// cache keeps the answer: each page names the user, and some show secrets.
func (a *app) received(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if origins.Check(r) != nil {
			a.fail(w, r, crossOrigin)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		err := r.ParseForm()
		if err == nil && !strings.HasPrefix(r.URL.Path, twoFactorPath+"/") { // where package web reads it
			err = front.ReadJSON(r)
		}
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			a.fail(w, r, tooLarge)
		case err != nil:
			a.fail(w, r, unreadable)
		default:
			next.ServeHTTP(w, r.WithContext(enrollment.WithOrigin(r.Context(), front.Origin(r))))
		}
	})
}

// health tells a load balancer whether this process can serve.
func (a *app) health(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if err := a.accounts.SQL.PingContext(r.Context()); err != nil {
		http.Error(w, "no database", http.StatusServiceUnavailable)
		return nil
	}
	_, err := w.Write([]byte("ok\n"))
	return err
}
