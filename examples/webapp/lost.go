package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// lostPage is for those who have neither their phone nor their codes.
type lostPage struct {
	Wait    string
	Asked   bool
	Matures time.Time
}

// lostForm says what a request means, and how long it takes. Who comes here has
// a challenge in the session; what counts is what the Guard says to it, which
// takes only one that followed a password.
func (a *app) lostForm(w http.ResponseWriter, r *http.Request) {
	if a.sessions.GetString(r.Context(), keyChallenge) == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "lost", lostPage{Wait: inWords(enrollment.DefaultResetWait)})
}

func (a *app) lost(w http.ResponseWriter, r *http.Request) {
	challenge := a.sessions.GetString(r.Context(), keyChallenge)
	if challenge == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	request, err := a.resets.Open(r.Context(), challenge)
	var denied *enrollment.Denied
	if errors.As(err, &denied) && !errors.Is(denied, enrollment.ErrChallenge) {
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), signInStep.path)
		return
	}
	if err != nil {
		a.failStep(w, r, signInStep, err)
		return
	}
	a.render(w, r, http.StatusOK, "lost", lostPage{Asked: true, Matures: request.Matures})
}

// keepFactor cancels the request in the name of the owner, who is signed in.
func (a *app) keepFactor(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.resets.Cancel(r.Context(), u.ID); err != nil {
		a.fail(w, r, err)
		return
	}
	a.say(w, r, keyNotice, "The request is cancelled. If it was not you who made it, change your password: whoever made it knows it.", "/security")
}
