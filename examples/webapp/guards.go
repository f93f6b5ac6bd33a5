package main

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

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
		if errors.Is(err, accounts.ErrNoUser) {
			to := "/sign-in"
			if r.Method == http.MethodGet {
				to += "?" + url.Values{"return": {r.URL.RequestURI()}}.Encode()
			}
			return redirect(w, r, to)
		}
		if err != nil {
			return err
		}
		return next(w, r, u)
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
			a.keepReason(r)
			return next(w, r, u)
		})
	}
	refuse := func(http.ResponseWriter, *http.Request, accounts.User) error {
		return hint{"Turn on two-factor authentication first. Administrators need it.", twoFactorPath + "/"}
	}
	return a.withCode(adminPurpose, admin, refuse, next)
}

// keepReason keeps the reason that an administrator has typed, in case a code is needed
// first, which the user enters on another page.
func (a *app) keepReason(r *http.Request) {
	if reason := r.PostForm.Get("reason"); reason != "" {
		a.sessions.Put(r.Context(), keyReason, cleanReason(reason))
	}
}
