package main

import (
	"errors"
	"net/http"
	"time"
)

// enrollTTL is how long somebody who has to set up a second factor can take for
// it, before the password is needed again.
const enrollTTL = 30 * time.Minute

// mustEnroll leads a user whose password was right, and who must have a second
// factor and has none, into the setup. There is no session until it is
// confirmed: the setup's pages take keyEnrolling for a user, and no others do.
func (a *app) mustEnroll(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	if err := a.restart(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyEnrolling, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.generation)
	a.sessions.Put(ctx, keyEnrolledAt, a.now().Unix())
	a.say(w, r, keyNotice, "A second step is mandatory here. Set it up, and you are signed in.", "/security/begin")
}

// settingUp lets those through who are signed in, and those who have to set up
// a second factor before they are.
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

// enrolling returns who has to set up a second factor, or errNoUser. Who has got
// one meanwhile, in another browser, signs in with it.
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
