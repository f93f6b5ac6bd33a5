package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// passwordPurpose is what a code is asked for before another password is
// accepted from a user who is signed in, and passwordTTL how long it is good.
const (
	passwordPurpose enrollment.Purpose = "change-password"
	passwordTTL                        = 5 * time.Minute
)

// passwordPage is the form for another password: with the old one for who is
// signed in, and without for who has come by a link.
type passwordPage struct {
	Action  string
	Old     bool
	BadOld  string
	BadWord string
}

func passwordQuestion() question {
	return question{
		Title:   "Is it you?",
		Text:    []string{"Another password takes a code first. Whoever finds your computer open could otherwise shut you out."},
		Action:  "/security/password/code",
		Button:  "Go on",
		Cancel:  "/security",
		AskCode: true,
	}
}

// mayChangePassword reports whether the user has stepped up, or has nothing to
// step up with.
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
	if !may { // it has taken too long
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
		form.BadOld = "That is not your password."
	case errors.Is(err, errPassword):
		form.BadWord = signUpWords(err)
	case err != nil:
		a.internalError(w, r, err)
		return
	default:
		if u, err = a.users.byID(ctx, u.ID); err == nil {
			err = a.start(ctx, u) // the other sessions have ended
		}
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		a.say(w, r, keyNotice, "You have a new password. Everywhere else you are signed out.", "/security")
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "password", form)
}

// newPassword sets the password and tells the owner. It ends all sessions, and
// the trust in devices first: who has had the old password may have trusted one.
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
		Via: "email", To: u.Email, Subject: "Your password",
		Text: "Your password was changed. If it was not you, ask for a link to change it again, and tell us.",
		Link: "/forgot",
	})
	return nil
}
