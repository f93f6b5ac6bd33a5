package main

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// passwordPage is the form for a new password. Users who are signed in also enter
// the old one. Users with a link do not.
type passwordPage struct {
	Action  string
	Old     bool
	BadOld  string
	BadWord string
}

func (a *app) passwordForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	return a.render(w, r, http.StatusOK, "password", passwordPage{Action: "/password", Old: true})
}

// changePassword ends all sessions but this one, which gets a new token.
func (a *app) changePassword(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	form := passwordPage{Action: "/password", Old: true}
	_, err := a.checkPassword(r, u.Email, "old")
	if err == nil {
		err = a.newPassword(r, u)
	}
	switch {
	case errors.Is(err, accounts.ErrNoUser):
		form.BadOld = "Wrong password."
		return a.wrong(w, r, "password", form, form.BadOld)
	case errors.Is(err, accounts.ErrPassword):
		form.BadWord = languageOf(r).signUp(err)
		return a.wrong(w, r, "password", form, form.BadWord)
	case err == nil:
		u, err = a.accounts.ByID(ctx, u.ID)
	}
	if err == nil {
		err = a.sessions.RenewToken(ctx)
	}
	if err != nil {
		return err
	}
	a.sessions.Put(ctx, keyGeneration, u.Generation)
	a.sessions.Put(ctx, keyPasswordAt, a.config.Now().Unix())
	return a.say(w, r, keyNotice, "Password changed. You are signed out everywhere else.", twoFactorPath+"/")
}

// newPassword sets the password in the form and tells the owner. It first ends trust in all
// devices, because a thief of the old password may have trusted one. It also ends
// all sessions.
func (a *app) newPassword(r *http.Request, u accounts.User) error {
	ctx, password := r.Context(), r.PostFormValue("password")
	if err := accounts.CheckPassword(password); err != nil {
		return err
	}
	if err := a.guard.Devices().RevokeAll(ctx, u.ID); err != nil {
		return err
	}
	if err := a.accounts.SetPassword(ctx, u.ID, password); err != nil {
		return err
	}
	if err := a.accounts.RemoveLinks(ctx, u.ID); err != nil {
		return err
	}
	a.mailbox.Put(ctx, passwordMail(u, a.config.Now(), front.Origin(r)))
	return nil
}
