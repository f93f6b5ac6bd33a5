package main

import (
	"errors"
	"net/http"
	"time"
)

// enrollTTL is how long a user who must set up a second factor can take. After
// that, the password is needed again.
const enrollTTL = 30 * time.Minute

// mustEnroll sends a user to the setup after the password was right, because a
// second factor is mandatory and the user has none. The user is not signed in
// until the setup is confirmed: only the setup pages accept keyEnrolling.
func (a *app) mustEnroll(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	if err := a.restart(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyEnrolling, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.generation)
	a.sessions.Put(ctx, keyEnrolledAt, a.now().Unix())
	a.say(w, r, keyNotice, "Two-factor authentication is required here. Set it up to finish signing in.", "/security/begin")
}

// settingUp allows users who are signed in, and users who must set up a second
// factor before they are signed in.
func (a *app) settingUp(next func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	whole := a.signedIn(next)
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := a.enrolling(r)
		switch {
		case errors.Is(err, errNoUser):
			whole(w, r)
		case err != nil:
			a.internalError(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

// enrolling returns the user who must set up a second factor, or errNoUser. It
// returns errNoUser also if the user has set one up in another browser: they
// sign in with it.
func (a *app) enrolling(r *http.Request) (user, error) {
	ctx := r.Context()
	id := a.sessions.GetString(ctx, keyEnrolling)
	began := time.Unix(a.sessions.GetInt64(ctx, keyEnrolledAt), 0)
	if id == "" || a.now().Sub(began) > enrollTTL {
		return user{}, errNoUser
	}
	u, err := a.users.byID(ctx, id)
	if err != nil {
		return user{}, err
	}
	if u.generation != a.sessions.GetInt64(ctx, keyGeneration) {
		return user{}, errNoUser
	}
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		return user{}, err
	}
	if status.Enabled() {
		return user{}, errNoUser
	}
	return u, nil
}
