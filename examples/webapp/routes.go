package main

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/demo"
)

// A route says what answers a pattern, and what guards it.
type route struct {
	pattern string
	guard   func(handler) handler
	handler handler
}

func (a *app) routes() []route {
	open := func(next handler) handler { return next }
	code := func(purpose enrollment.Purpose, allow func(handler) handler) func(handler) handler {
		return func(next handler) handler { return a.withCode(purpose, allow, next, next) }
	}
	resetting := code(resetPurpose, a.withLink)
	changing := code(passwordPurpose, a.signedIn)
	return []route{
		{"GET /{$}", open, a.home},
		{"GET /sign-up", open, a.signUpForm},
		{"POST /sign-up", open, a.signUp},
		{"GET /sign-in", open, a.signInForm},
		{"POST /sign-in", open, a.signIn},
		{"POST /sign-out", open, a.signOut},
		{"POST /confirm", a.signedIn, a.confirmPassword},

		{twoFactorPath + "/disable", a.signedIn, a.disabling},

		{"GET /forgot", open, a.forgotForm},
		{"POST /forgot", open, a.forgot},
		{"GET /forgot/link", open, a.openLink},
		{"GET " + resetPath, resetting, a.resetForm},
		{"POST " + resetPath, resetting, a.reset},

		{"GET /password", changing, a.passwordForm},
		{"POST /password", changing, a.changePassword},
		{"GET /data", code(dataPurpose, a.signedIn), a.data},
		{"GET /messages", open, a.letters},
		{"GET /health", open, a.health},

		{"GET /admin/members", a.administrator, a.members},
		{"GET /admin/members.csv", a.administrator, a.membersFile},
		{"GET /admin/mandate", a.administrator, a.mandate},
		{"POST /admin/mandate", a.administrator, a.setMandate},
		{"GET /admin/member", a.administrator, a.member},
		{"POST /admin/member", a.administrator, a.help},
	}
}

// handler returns the whole site.
func (a *app) handler() http.Handler {
	site := http.NewServeMux()
	for _, x := range a.routes() {
		a.shows[x.pattern] = demo.Name(x.handler)
		site.Handle(x.pattern, a.answer(x.guard(x.handler)))
	}
	site.Handle(twoFactorPath+"/", a.twofactor)
	site.Handle("GET /.well-known/change-password", http.RedirectHandler("/password", http.StatusSeeOther))
	if a.config.demo != nil {
		a.config.demo.routes(site, a)
	}

	all := http.NewServeMux()
	all.Handle("GET /static/{file}", http.FileServerFS(static)) // without {file}, it would list the folder
	all.Handle("/", front.Bearer(a.received(a.sessions.LoadAndSave(front.Routed(site, a.unrouted))), a.sessions.Cookie.Name))
	return front.Logged(front.Strict(all, a.config.secure), a.config.Logger)
}

// The purposes of the codes that users enter before something sensitive.
const (
	resetPurpose    enrollment.Purpose = "password-reset"
	passwordPurpose enrollment.Purpose = "change-password"
	dataPurpose     enrollment.Purpose = "personal-data"
	adminPurpose    enrollment.Purpose = "administration"
)

// counts is how long such a code counts.
var counts = map[enrollment.Purpose]time.Duration{
	resetPurpose: 10 * time.Minute, passwordPurpose: 5 * time.Minute, dataPurpose: 5 * time.Minute, adminPurpose: 15 * time.Minute,
}

// signedIn allows only users who are fully signed in.
func (a *app) signedIn(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
		u, err := a.current(r.Context())
		switch {
		case err == nil:
			return next(w, r, u)
		case !errors.Is(err, accounts.ErrNoUser):
			return err
		case front.SpeaksJSON(r):
			return signedOut
		case r.Method == http.MethodGet:
			return a.redirect(w, r, "/sign-in?"+url.Values{"return": {r.URL.RequestURI()}}.Encode())
		}
		return a.redirect(w, r, "/sign-in")
	}
}

// withCode asks users with a second factor for a code, unless they have entered one for
// this purpose a short time ago. allow finds out who the user is. Users without a second
// factor get the page without.
func (a *app) withCode(purpose enrollment.Purpose, allow func(handler) handler, without, next handler) handler {
	asks := a.twofactor.RequireRecent(purpose, counts[purpose])(a.answer(allow(next)))
	return allow(func(w http.ResponseWriter, r *http.Request, u accounts.User) error {
		status, err := a.guard.Status(r.Context(), u.ID)
		if err != nil {
			return err
		}
		if !status.Enabled() {
			return without(w, r, u)
		}
		asks.ServeHTTP(w, r)
		return nil
	})
}

// administrator allows only administrators who have entered a code a short time ago. They
// can turn off the second factor of others, so they need one. For others, the pages do
// not exist.
func (a *app) administrator(next handler) handler {
	admin := func(next handler) handler {
		return a.signedIn(func(w http.ResponseWriter, r *http.Request, u accounts.User) error {
			if !u.Admin() {
				return notFound
			}
			if reason := r.PostForm.Get("reason"); reason != "" { // kept in case a code is needed first
				a.sessions.Put(r.Context(), keyReason, front.Line(reason, enrollment.MaxAdminReason))
			}
			return next(w, r, u)
		})
	}
	refuse := func(http.ResponseWriter, *http.Request, accounts.User) error {
		return hint{"Turn on two-factor authentication first. Administrators need it.", twoFactorPath + "/"}
	}
	return a.withCode(adminPurpose, admin, refuse, next)
}
