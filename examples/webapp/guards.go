package main

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A memberHandler answers a request of a user.
type memberHandler func(http.ResponseWriter, *http.Request, user)

// signedIn allows only users who are fully signed in.
func (a *app) signedIn(next memberHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := a.current(r.Context())
		switch {
		case errors.Is(err, errNoUser):
			to := "/sign-in"
			if r.Method == http.MethodGet {
				to += "?" + url.Values{"return": {r.URL.RequestURI()}}.Encode()
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
		case err != nil:
			a.internalError(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

// withCode asks users with a second factor for a code, unless they have entered one for
// this purpose a short time ago. allow finds out who the user is.
func (a *app) withCode(purpose enrollment.Purpose, within time.Duration, allow func(memberHandler) http.HandlerFunc, next memberHandler) http.HandlerFunc {
	asks := a.twofactor.RequireRecent(purpose, within)(allow(next))
	return allow(func(w http.ResponseWriter, r *http.Request, u user) {
		status, err := a.guard.Status(r.Context(), u.ID)
		switch {
		case err != nil:
			a.fail(w, r, err)
		case status.Enabled():
			asks.ServeHTTP(w, r)
		default:
			next(w, r, u)
		}
	})
}

// administrator allows only administrators who have entered a code a short time ago. They
// can turn off the second factor of others, so they need one. For others, the pages do
// not exist.
func (a *app) administrator(next memberHandler) http.HandlerFunc {
	admin := a.signedIn(func(w http.ResponseWriter, r *http.Request, u user) {
		if !u.admin() {
			a.notFound(w, r)
			return
		}
		next(w, r, u)
	})
	asks := a.twofactor.RequireRecent(adminPurpose, adminTTL)(admin)
	return a.signedIn(func(w http.ResponseWriter, r *http.Request, u user) {
		status, err := a.guard.Status(r.Context(), u.ID)
		switch {
		case !u.admin():
			a.notFound(w, r)
		case err != nil:
			a.fail(w, r, err)
		case !status.Enabled():
			a.say(w, r, keyBad, "Turn on two-factor authentication first. Administrators need it.", twoFactorPath+"/")
		default:
			a.keepReason(r)
			asks.ServeHTTP(w, r)
		}
	})
}

// keepReason keeps the reason that an administrator has typed, in case a code is needed
// first, which the user enters on another page.
func (a *app) keepReason(r *http.Request) {
	if reason := r.PostForm.Get("reason"); reason != "" {
		a.sessions.Put(r.Context(), keyReason, cleanReason(reason))
	}
}

// fail ends a request after an error of the Guard. A denial becomes a sentence on the
// security page. Anything else is a fault.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), twoFactorPath+"/")
	case errors.Is(err, enrollment.ErrBusy):
		a.busy(w, r)
	default:
		a.internalError(w, r, err)
	}
}
