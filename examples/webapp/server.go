package main

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

//go:embed static
var static embed.FS

// maxBody is the largest form we read. Real ones are much smaller.
const maxBody = 16 << 10

// handler returns the whole site.
func (a *app) handler() http.Handler {
	site := http.NewServeMux()
	site.HandleFunc("GET /{$}", a.home)
	site.HandleFunc("/", a.notFound)

	site.HandleFunc("GET /sign-up", a.signUpForm)
	site.HandleFunc("POST /sign-up", a.signUp)
	site.HandleFunc("GET /sign-in", a.signInForm)
	site.HandleFunc("POST /sign-in", a.signIn)
	a.handleStep(site, signInStep)
	site.HandleFunc("GET /sign-in/lost", a.lostForm)
	site.HandleFunc("POST /sign-in/lost", a.lost)
	site.HandleFunc("POST /sign-out", a.signOut)

	site.HandleFunc("GET /forgot", a.forgotForm)
	site.HandleFunc("POST /forgot", a.forgot)
	site.HandleFunc("GET /forgot/link", a.openLink)
	a.handleStep(site, resetStep)
	site.HandleFunc("GET /forgot/password", a.resetForm)
	site.HandleFunc("POST /forgot/password", a.reset)

	site.HandleFunc("GET /security", a.signedIn(a.security))
	site.HandleFunc("GET /security/begin", a.settingUp(a.beginForm))
	site.HandleFunc("POST /security/begin", a.settingUp(a.begin))
	site.HandleFunc("GET /security/setup", a.settingUp(a.setupForm))
	site.HandleFunc("POST /security/setup", a.settingUp(a.confirm))
	site.HandleFunc("POST /security/cancel", a.settingUp(a.cancel))
	site.HandleFunc("GET /security/phone", a.settingUp(a.phoneForm))
	site.HandleFunc("POST /security/phone", a.settingUp(a.bindPhone))
	site.HandleFunc("GET /security/phone/code", a.settingUp(a.phoneCodeForm))
	site.HandleFunc("POST /security/phone/code", a.settingUp(a.confirmPhone))
	site.HandleFunc("GET /security/phone/remove", a.signedIn(a.unbindForm))
	site.HandleFunc("POST /security/phone/remove", a.signedIn(a.unbind))
	site.HandleFunc("GET /security/codes", a.signedIn(a.newCodesForm))
	site.HandleFunc("POST /security/codes", a.signedIn(a.newCodes))
	site.HandleFunc("GET /security/codes/show", a.signedIn(a.codesAgainForm))
	site.HandleFunc("POST /security/codes/show", a.signedIn(a.codesAgain))
	site.HandleFunc("POST /security/device", a.signedIn(a.revokeDevice))
	site.HandleFunc("POST /security/devices", a.signedIn(a.revokeDevices))
	site.HandleFunc("POST /security/keep", a.signedIn(a.keepFactor))
	site.HandleFunc("GET /security/password", a.signedIn(a.passwordForm))
	site.HandleFunc("POST /security/password", a.signedIn(a.changePassword))
	site.HandleFunc("POST /security/password/code", a.signedIn(a.passwordCode))
	site.HandleFunc("GET /security/remove", a.signedIn(a.removeForm))
	site.HandleFunc("POST /security/remove", a.signedIn(a.remove))
	site.HandleFunc("GET /security/disable", a.signedIn(a.disableForm))
	site.HandleFunc("POST /security/disable", a.signedIn(a.disable))

	site.HandleFunc("GET /data", a.signedIn(a.data))
	site.HandleFunc("POST /data", a.signedIn(a.openData))
	site.HandleFunc("GET /messages", a.letters)

	site.HandleFunc("GET /admin/members", a.administrator(a.members))
	site.HandleFunc("GET /admin/members.csv", a.administrator(a.membersFile))
	site.HandleFunc("GET /admin/mandate", a.administrator(a.mandateForm))
	site.HandleFunc("POST /admin/mandate", a.administrator(a.setMandate))
	site.HandleFunc("GET /admin/member", a.administrator(a.member))
	site.HandleFunc("POST /admin/reset", a.administrator(a.resetFactor))
	site.HandleFunc("POST /admin/approve", a.administrator(a.approveReset))
	site.HandleFunc("POST /admin/refuse", a.administrator(a.refuseReset))
	site.HandleFunc("POST /admin/unlock", a.administrator(a.unlock))
	site.HandleFunc("POST /admin/pass", a.administrator(a.pass))
	site.HandleFunc("POST /admin/rights", a.administrator(a.rights))
	site.HandleFunc("POST /admin/erase", a.administrator(a.erase))
	site.HandleFunc("POST /admin/code", a.signedIn(a.adminCode))

	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(a.crossOrigin))

	all := http.NewServeMux()
	all.Handle("GET /static/{file}", http.FileServerFS(static)) // without {file}, it would list the folder
	all.Handle("/", noStore(origins.Handler(a.bounded(withOrigin(a.sessions.LoadAndSave(site))))))
	return a.logged(secured(all))
}

// handleStep registers the pages of a step.
func (a *app) handleStep(site *http.ServeMux, s step) {
	site.HandleFunc("GET "+s.path, a.stepForm(s))
	site.HandleFunc("POST "+s.path, a.stepCode(s))
	site.HandleFunc("POST "+s.path+"/send", a.stepSend(s))
}

// signedIn allows only users who are fully signed in.
func (a *app) signedIn(next func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := a.current(r.Context())
		switch {
		case errors.Is(err, errNoUser):
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		case err != nil:
			a.internalError(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

// secured sets the headers that make browsers strict.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// Only our own files, no inline scripts, no frames. The QR code is a
		// data URL in the page, so that no second response contains it.
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// "no-referrer" would make browsers send forms with "Origin: null",
		// which CrossOriginProtection refuses.
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
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
		if err := r.ParseForm(); err != nil {
			a.errorPage(w, r, http.StatusBadRequest, problemPage{"That did not work", "We could not read that form."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// logged logs one line for each request. It omits the query and the form.
func (a *app) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		a.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", status.status), slog.Duration("took", time.Since(began)))
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

// Unwrap lets http.ResponseController reach the wrapped writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusNotFound, "error", problemPage{"Page not found", "There is no page at this address."})
}

func (a *app) crossOrigin(w http.ResponseWriter, r *http.Request) {
	a.errorPage(w, r, http.StatusForbidden, problemPage{"That did not work", "The request came from another site, so we refused it."})
}

func (a *app) busy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "2")
	a.errorPage(w, r, http.StatusServiceUnavailable, problemPage{"We are busy", "Please try again in a moment. A code you entered was not used."})
}

// internalError logs the error and shows a page that does not describe it. The
// user must not learn whether a code was right or wrong.
func (a *app) internalError(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) { // the client has left
		a.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	a.errorPage(w, r, http.StatusInternalServerError, problemPage{"Something went wrong", "The problem is on our side. Please try again in a moment."})
}
