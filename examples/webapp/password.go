package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// passwordPurpose is the purpose of the code that a signed-in user needs to change
// the password. passwordTTL is how long that code counts.
const (
	passwordPurpose enrollment.Purpose = "change-password"
	passwordTTL                        = 5 * time.Minute
)

// passwordPage is the form for a new password. Users who are signed in also enter
// the old one. Users with a link do not.
type passwordPage struct {
	Action  string
	Old     bool
	BadOld  string
	BadWord string
}

func (a *app) passwordForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.render(w, r, http.StatusOK, "password", passwordPage{Action: "/password", Old: true})
}

func (a *app) changePassword(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	form := passwordPage{Action: "/password", Old: true}
	if !a.limits.allow(r, u.Email) {
		a.tooMany(w, r)
		return
	}
	_, err := a.users.authenticate(ctx, u.Email, r.PostFormValue("old"))
	if err == nil {
		err = a.newPassword(r, u)
	}
	switch {
	case errors.Is(err, errNoUser):
		form.BadOld = "Wrong password."
	case errors.Is(err, errPassword):
		form.BadWord = signUpWords(err)
	case err != nil:
		a.internalError(w, r, err)
		return
	default:
		stamp := enrollment.Stamp(a.sessions.GetString(ctx, keyStamp))
		if u, err = a.users.byID(ctx, u.ID); err == nil {
			err = a.start(ctx, u, stamp) // all sessions have ended, this one too
		}
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		a.say(w, r, keyNotice, "Password changed. You are signed out everywhere else.", twoFactorPath+"/")
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "password", form)
}

// newPassword sets the password in the form and tells the owner. It first ends trust in all
// devices, because a thief of the old password may have trusted one. It also ends
// all sessions.
func (a *app) newPassword(r *http.Request, u user) error {
	ctx, password := r.Context(), r.PostFormValue("password")
	if err := checkPassword(password); err != nil {
		return err
	}
	if err := a.guard.Devices().RevokeAll(ctx, u.ID); err != nil {
		return err
	}
	if err := a.users.setPassword(ctx, u.ID, password); err != nil {
		return err
	}
	if err := a.links.removeOf(ctx, u.ID); err != nil {
		return err
	}
	a.mailbox.put(ctx, passwordMail(u, a.now(), originOf(r)))
	return nil
}
