package main

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// A handler answers a request of a user, which is the zero User on a page for everybody.
// fail answers for it if it returns an error.
type handler func(w http.ResponseWriter, r *http.Request, u accounts.User) error

// answer makes it one of net/http.
func (a *app) answer(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := next(w, r, accounts.User{}); err != nil {
			a.fail(w, r, err)
		}
	})
}

// A hint is an error that the user reads about on the page at a path.
type hint struct{ text, to string }

func (h hint) Error() string { return h.text }

// A problem is an error that has a page of its own.
type problem struct {
	status      int
	Title, Text string
	wait        string // seconds after which the user can try again, or ""
	inside      bool   // with the navigation: the session was read
}

func (p *problem) Error() string { return p.Text }

var (
	notFound    = &problem{http.StatusNotFound, "Page not found", "There is no page at this address.", "", true}
	noPage      = &problem{http.StatusNotAcceptable, "That is not possible here", "This page is for browsers.", "", true}
	signedOut   = &problem{http.StatusUnauthorized, "That did not work", "Sign in first.", "", true}
	noMethod    = &problem{http.StatusMethodNotAllowed, "That is not possible here", "This page does not take such a request.", "", true}
	tooLarge    = &problem{http.StatusRequestEntityTooLarge, "That did not work", "That was too much to read.", "", false}
	unreadable  = &problem{http.StatusBadRequest, "That did not work", "We could not read that form.", "", false}
	crossOrigin = &problem{http.StatusForbidden, "That did not work", "The request came from another site, so we refused it.", "", false}
	tooMany     = &problem{http.StatusTooManyRequests, "Too many tries", "Please wait half a minute, then try again.", "30", false}
	busy        = &problem{http.StatusServiceUnavailable, "We are busy", "Please try again in a moment. A code you entered was not used.", "2", false}
	broken      = &problem{http.StatusInternalServerError, "Something went wrong", "The problem is on our side. Please try again in a moment.", "", false}
)

// fail answers a request after an error. What the Guard has denied becomes a sentence on the
// security page. What is not the user's business is logged and not described: the user must
// not learn whether a code was right or wrong.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var (
		elsewhere hint
		denied    *enrollment.Denied
		known     *problem
	)
	switch {
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil: // the client has left
	case front.SpeaksJSON(r):
		a.failJSON(w, r, err)
	case errors.As(err, &elsewhere):
		a.say(w, r, keyBad, elsewhere.text, elsewhere.to)
	case errors.As(err, &denied):
		a.say(w, r, keyBad, languageOf(r).Describe(denied, a.config.Now()).Text, twoFactorPath+"/")
	case errors.Is(err, enrollment.ErrBusy):
		a.errorPage(w, r, busy)
	case errors.As(err, &known) && known.inside:
		if err := a.render(w, r, known.status, "error", known); err != nil {
			a.fail(w, r, err)
		}
	case errors.As(err, &known):
		a.errorPage(w, r, known)
	default:
		a.config.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		a.errorPage(w, r, broken)
	}
}

// failJSON is fail for a client that speaks JSON.
func (a *app) failJSON(w http.ResponseWriter, r *http.Request, err error) {
	var (
		elsewhere hint
		known     *problem
	)
	said := languageOf(r).Describe(err, a.config.Now())
	status, text, wait := said.Status, said.Text, said.RetryAfter()
	switch {
	case errors.As(err, &known):
		status, text, wait = known.status, known.Text, known.wait
	case errors.As(err, &elsewhere):
		status, text = http.StatusUnprocessableEntity, elsewhere.text
	case status == http.StatusInternalServerError:
		a.config.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	_ = front.WriteJSON(w, status, map[string]string{"text": languageOf(r).say(text)}) // which can be encoded
}

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
