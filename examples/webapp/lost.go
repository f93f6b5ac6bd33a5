package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// lostPage is for users who have lost both their phone and their codes.
type lostPage struct {
	Wait    string
	Asked   bool
	Matures time.Time
}

// resetWait is the time in which the owner can cancel a request.
const resetWait = 3 * 24 * time.Hour

// lostForm explains a request and how long it takes. It needs a challenge in the
// session. The Guard checks later that the challenge is one of a sign-in.
func (a *app) lostForm(w http.ResponseWriter, r *http.Request) {
	if a.sessions.GetString(r.Context(), keyChallenge) == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "lost", lostPage{Wait: inWords(resetWait)})
}

func (a *app) lost(w http.ResponseWriter, r *http.Request) {
	challenge := a.sessions.GetString(r.Context(), keyChallenge)
	if challenge == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	request, err := a.guard.ResetRequests().Open(r.Context(), enrollment.ChallengeOf(challenge))
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

// keepFactor cancels the request for the owner, who is signed in.
func (a *app) keepFactor(w http.ResponseWriter, r *http.Request, u user) {
	if err := a.guard.ResetRequests().Cancel(r.Context(), u.ID); err != nil {
		a.fail(w, r, err)
		return
	}
	a.say(w, r, keyNotice, "Request cancelled. If you did not make it, change your password: someone else knows it.", "/security")
}
