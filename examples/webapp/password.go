package main

import (
	"context"
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

func passwordQuestion() question {
	return question{
		Title:   "Confirm it’s you",
		Text:    []string{"You need a code to change your password, so that someone else at your computer can’t lock you out."},
		Action:  "/security/password/code",
		Button:  "Continue",
		Cancel:  "/security",
		AskCode: true,
	}
}

// mayChangePassword reports whether the user has entered a code a short time ago,
// or has no second factor.
func (a *app) mayChangePassword(r *http.Request, u user) (bool, error) {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil || !status.Enabled() {
		return err == nil, err
	}
	_, recent, err := a.recently(r, u, passwordPurpose, passwordTTL)
	return recent, err
}

func (a *app) passwordForm(w http.ResponseWriter, r *http.Request, u user) {
	may, err := a.mayChangePassword(r, u)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case !may:
		a.ask(w, r, passwordQuestion(), nil)
	default:
		a.render(w, r, http.StatusOK, "password", passwordPage{Action: "/security/password", Old: true})
	}
}

func (a *app) passwordCode(w http.ResponseWriter, r *http.Request, u user) {
	a.stepUp(w, r, u, passwordPurpose, passwordQuestion(), "/security/password")
}

func (a *app) changePassword(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	may, err := a.mayChangePassword(r, u)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if !may { // the code has expired
		http.Redirect(w, r, "/security/password", http.StatusSeeOther)
		return
	}
	form := passwordPage{Action: "/security/password", Old: true}
	_, err = a.users.authenticate(ctx, u.Email, r.PostFormValue("old"))
	if err == nil {
		err = a.newPassword(ctx, u, r.PostFormValue("password"))
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
		a.say(w, r, keyNotice, "Password changed. You are signed out everywhere else.", "/security")
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "password", form)
}

// newPassword sets the password and tells the owner. It first ends trust in all
// devices, because a thief of the old password may have trusted one. It also ends
// all sessions.
func (a *app) newPassword(ctx context.Context, u user, password string) error {
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
	a.mailbox.put(ctx, letter{
		Via: "email", To: u.Email, Subject: "Your password was changed",
		Text: "Your password was changed. If it was not you, ask for a link to reset it, and tell us.",
		Link: "/forgot",
	})
	return nil
}
