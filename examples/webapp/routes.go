package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// handler returns the whole site.
func (a *app) handler() http.Handler {
	site := http.NewServeMux()
	open := func(pattern string, h http.HandlerFunc) {
		a.shows[pattern] = demo.Name(h)
		site.HandleFunc(pattern, h)
	}
	guarded := func(guard func(memberHandler) http.HandlerFunc, pattern string, h memberHandler) {
		a.shows[pattern] = demo.Name(h)
		site.HandleFunc(pattern, guard(h))
	}
	withCode := func(purpose enrollment.Purpose, within time.Duration, allow func(memberHandler) http.HandlerFunc) func(memberHandler) http.HandlerFunc {
		return func(h memberHandler) http.HandlerFunc { return a.withCode(purpose, within, allow, h) }
	}

	open("GET /{$}", a.home)
	open("GET /sign-up", a.signUpForm)
	open("POST /sign-up", a.signUp)
	open("GET /sign-in", a.signInForm)
	open("POST /sign-in", a.signIn)
	open("POST /sign-out", a.signOut)
	guarded(a.signedIn, "POST /confirm", a.confirmPassword)

	site.Handle(twoFactorPath+"/", a.twofactor)
	guarded(a.signedIn, twoFactorPath+"/disable", a.disabling)

	resetting := withCode(resetPurpose, resetTTL, a.withLink)
	open("GET /forgot", a.forgotForm)
	open("POST /forgot", a.forgot)
	open("GET /forgot/link", a.openLink)
	guarded(resetting, "GET "+resetPath, a.resetForm)
	guarded(resetting, "POST "+resetPath, a.reset)

	changing := withCode(passwordPurpose, passwordTTL, a.signedIn)
	guarded(changing, "GET /password", a.passwordForm)
	guarded(changing, "POST /password", a.changePassword)
	site.Handle("GET /.well-known/change-password", http.RedirectHandler("/password", http.StatusSeeOther))
	guarded(withCode(dataPurpose, dataTTL, a.signedIn), "GET /data", a.data)
	open("GET /messages", a.letters)
	open("GET /health", a.health)

	guarded(a.administrator, "GET /admin/members", a.members)
	guarded(a.administrator, "GET /admin/members.csv", a.membersFile)
	guarded(a.administrator, "GET /admin/mandate", a.mandateForm)
	guarded(a.administrator, "POST /admin/mandate", a.setMandate)
	guarded(a.administrator, "GET /admin/member", a.member)
	guarded(a.administrator, "POST /admin/member", a.help)
	if a.config.demo != nil {
		a.config.demo.routes(site, a)
	}

	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(a.crossOrigin))

	all := http.NewServeMux()
	all.Handle("GET /static/{file}", http.FileServerFS(static)) // without {file}, it would list the folder
	all.Handle("/", noStore(origins.Handler(a.bounded(withOrigin(a.sessions.LoadAndSave(a.routed(site)))))))
	return a.logged(a.secured(all))
}

// routed answers what no route takes with a page: there is no such page, or it does not
// take the method.
func (a *app) routed(site *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := site.Handler(r)
		if pattern != "" {
			site.ServeHTTP(w, r)
			return
		}
		said := &quietWriter{header: http.Header{}}
		handler.ServeHTTP(said, r)
		if said.status != http.StatusMethodNotAllowed {
			a.notFound(w, r)
			return
		}
		w.Header().Set("Allow", said.header.Get("Allow"))
		a.render(w, r, said.status, "error", problemPage{"That is not possible here", "This page does not take such a request."})
	})
}

// quietWriter keeps the status and the headers of an answer.
type quietWriter struct {
	header http.Header
	status int
}

func (w *quietWriter) Header() http.Header         { return w.header }
func (w *quietWriter) WriteHeader(status int)      { w.status = status }
func (w *quietWriter) Write(b []byte) (int, error) { return len(b), nil }

// health tells a load balancer whether this process can serve.
func (a *app) health(w http.ResponseWriter, r *http.Request) {
	if err := a.db.PingContext(r.Context()); err != nil {
		http.Error(w, "no database", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ok\n"))
}

// noStore keeps pages out of caches. Each page names the user, and some show
// secrets.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// bounded reads the form, up to maxBody bytes. Handlers read its fields with
// PostFormValue. FormValue would also accept a code in the URL, and URLs end up
// in logs and browser histories.
func (a *app) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		err := r.ParseForm()
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			a.errorPage(w, r, http.StatusRequestEntityTooLarge, problemPage{"That did not work", "That was too much to read."})
			return
		case err != nil:
			a.errorPage(w, r, http.StatusBadRequest, problemPage{"That did not work", "We could not read that form."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusNotFound, "error", problemPage{"Page not found", "There is no page at this address."})
}

func (a *app) crossOrigin(w http.ResponseWriter, r *http.Request) {
	a.errorPage(w, r, http.StatusForbidden, problemPage{"That did not work", "The request came from another site, so we refused it."})
}

func (a *app) tooMany(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "30")
	a.errorPage(w, r, http.StatusTooManyRequests, problemPage{"Too many tries", "Please wait half a minute, then try again."})
}

func (a *app) busy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "2")
	a.errorPage(w, r, http.StatusServiceUnavailable, problemPage{"We are busy", "Please try again in a moment. A code you entered was not used."})
}

// internalError logs the error and shows a page that does not describe it. The
// user must not learn whether a code was right or wrong.
func (a *app) internalError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client has left
	}
	a.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	a.errorPage(w, r, http.StatusInternalServerError, problemPage{"Something went wrong", "The problem is on our side. Please try again in a moment."})
}
