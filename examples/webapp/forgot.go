package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A new password by a link in an e-mail takes a code as well: access to the mailbox is not
// enough. The code has a purpose of its own, so it signs no one in.
const (
	resetPurpose enrollment.Purpose = "password-reset"
	resetPath                       = "/forgot/password"
	resetTTL                        = 10 * time.Minute // how long the code counts
)

// forReset reports whether the request belongs to a reset: the form for the password, or
// the page that asks for the code.
func forReset(r *http.Request) bool {
	if r.URL.Path == resetPath {
		return true
	}
	purpose := r.URL.Query().Get("for")
	if r.Method == http.MethodPost {
		purpose = r.PostForm.Get("for")
	}
	step := twoFactorPath + "/step"
	return purpose == string(resetPurpose) && (r.URL.Path == step || strings.HasPrefix(r.URL.Path, step+"/"))
}

func (a *app) forgotForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "forgot", nil)
}

// forgot sends a link if the account exists. The answer and the time it takes are the
// same if it does not.
func (a *app) forgot(w http.ResponseWriter, r *http.Request) {
	ctx, email := r.Context(), cleanEmail(r.PostFormValue("email"))
	if !a.limits.allow(r, email) {
		a.tooMany(w, r)
		return
	}
	u, _, err := a.users.find(ctx, "email", email)
	if err != nil && !errors.Is(err, errNoUser) {
		a.internalError(w, r, err)
		return
	}
	token, err := a.links.add(ctx, u.ID)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	if u.ID != "" {
		a.mailbox.put(ctx, linkMail(u, "/forgot/link?"+url.Values{"token": {token}}.Encode(), a.now(), originOf(r)))
	}
	a.say(w, r, keyNotice, "If that address has an account, we have sent it a message with a link.", "/sign-in")
}

// openLink moves the link from the URL into the session, so that it does not stay in the
// browser's history. It renews the session token first: an attacker may have planted the
// old one.
func (a *app) openLink(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := a.sessions.RenewToken(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyReset, hashLink(r.URL.Query().Get("token")))
	http.Redirect(w, r, resetPath, http.StatusSeeOther)
}

// resetting returns the user of the link in the session, or errNoUser.
func (a *app) resetting(r *http.Request) (user, error) {
	ctx := r.Context()
	id, err := a.links.find(ctx, a.sessions.GetString(ctx, keyReset))
	if err != nil {
		return user{}, err
	}
	return a.users.byID(ctx, id)
}

// withLink allows only requests of a session that has opened a link which is still good.
func (a *app) withLink(next memberHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := a.resetting(r)
		switch {
		case errors.Is(err, errNoUser):
			a.say(w, r, keyBad, "That link is no longer valid. Ask for a new one.", "/forgot")
		case err != nil:
			a.internalError(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

func (a *app) resetForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.render(w, r, http.StatusOK, "password", passwordPage{Action: resetPath})
}

// reset changes the password. It does not sign the user in. Of two requests at the same
// time, one spends the link.
func (a *app) reset(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	if err := checkPassword(r.PostFormValue("password")); err != nil {
		form := passwordPage{Action: resetPath, BadWord: signUpWords(err)}
		a.render(w, r, http.StatusUnprocessableEntity, "password", form)
		return
	}
	err := a.links.spend(ctx, a.sessions.GetString(ctx, keyReset))
	if errors.Is(err, errNoUser) {
		a.say(w, r, keyBad, "That link is no longer valid. Ask for a new one.", "/forgot")
		return
	}
	if err == nil {
		err = a.newPassword(r, u)
	}
	if err == nil {
		err = a.restart(ctx)
	}
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	a.say(w, r, keyNotice, "Password changed. Please sign in.", "/sign-in")
}
