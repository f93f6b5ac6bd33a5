package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// resetPath is the form for a new password by a link in an e-mail. Access to the mailbox is not
// enough: it takes a code as well. The code has a purpose of its own, so it signs no one in.
const resetPath = "/forgot/password"

var errLink = hint{"That link is no longer valid. Ask for a new one.", "/forgot"}

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

func (a *app) forgotForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	return a.render(w, r, http.StatusOK, "forgot", nil)
}

// forgot sends a link if the account exists. The answer and the time it takes are the
// same if it does not.
func (a *app) forgot(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	ctx, email := r.Context(), accounts.CleanEmail(r.PostFormValue("email"))
	if !a.limits.Allow(r, email) {
		return tooMany
	}
	u, err := a.accounts.ByEmail(ctx, email)
	if err != nil && !errors.Is(err, accounts.ErrNoUser) {
		return err
	}
	token, err := a.accounts.AddLink(ctx, u.ID)
	if err != nil {
		return err
	}
	if u.ID != "" {
		a.mailbox.Put(ctx, linkMail(u, "/forgot/link?"+url.Values{"token": {token}}.Encode(), a.config.Now(), front.Origin(r)))
	}
	return a.say(w, r, keyNotice, "If that address has an account, we have sent it a message with a link.", "/sign-in")
}

// openLink moves the link from the URL into the session, so that it does not stay in the
// browser's history. It renews the session token first: an attacker may have planted the
// old one.
func (a *app) openLink(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if err := a.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	a.sessions.Put(r.Context(), keyReset, accounts.HashLink(r.URL.Query().Get("token")))
	return a.redirect(w, r, resetPath)
}

// resetting returns the user of the link in the session, or accounts.ErrNoUser.
func (a *app) resetting(ctx context.Context) (accounts.User, error) {
	return a.accounts.ByLink(ctx, a.sessions.GetString(ctx, keyReset))
}

// withLink allows only requests of a session that has opened a link which is still good.
func (a *app) withLink(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
		u, err := a.resetting(r.Context())
		if errors.Is(err, accounts.ErrNoUser) {
			return errLink
		}
		if err != nil {
			return err
		}
		return next(w, r, u)
	}
}

func (a *app) resetForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	return a.render(w, r, http.StatusOK, "password", passwordPage{Action: resetPath})
}

// reset changes the password. It does not sign the user in. Of two requests at the same
// time, one spends the link.
func (a *app) reset(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	if err := accounts.CheckPassword(r.PostFormValue("password")); err != nil {
		form := passwordPage{Action: resetPath, BadWord: languageOf(r).signUp(err)}
		return a.wrong(w, r, "password", form, form.BadWord)
	}
	err := a.accounts.SpendLink(ctx, a.sessions.GetString(ctx, keyReset))
	if errors.Is(err, accounts.ErrNoUser) {
		return errLink
	}
	if err == nil {
		err = a.newPassword(r, u)
	}
	if err == nil {
		err = a.restart(ctx)
	}
	if err != nil {
		return err
	}
	return a.say(w, r, keyNotice, "Password changed. Please sign in.", "/sign-in")
}
