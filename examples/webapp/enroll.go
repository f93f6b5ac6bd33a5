package main

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// enrollTTL is how long a user who must set up a second factor can take. After that, the
// password is needed again.
const enrollTTL = 30 * time.Minute

// mustEnroll reports whether the user has to set up a second factor before the sign-in.
func (a *app) mustEnroll(ctx context.Context, status enrollment.Status, u user, o enrollment.SignInOptions) (bool, error) {
	if status.Enabled() || !o.Require && !status.MustEnroll {
		return false, nil
	}
	d, err := a.guard.SignIn(ctx, u.ID, o)
	return d.Next == enrollment.MustEnroll, err
}

// enroll sends a user to the setup after the password was right. The user is not signed
// in until the setup is confirmed: only its pages accept keyEnrolling.
func (a *app) enroll(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	if err := a.restart(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyEnrolling, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.generation)
	a.sessions.Put(ctx, keyPasswordAt, a.now().Unix())
	a.say(w, r, keyWarning, "Two-factor authentication is required here. Set it up to finish signing in.", twoFactorPath+"/setup/begin")
}

// mayEnroll returns the user who must set up a second factor, or errNoUser. It returns
// errNoUser also if the user has set one up elsewhere: they sign in with it.
func (a *app) mayEnroll(r *http.Request) (user, error) {
	u, err := a.enrolling(r)
	if err != nil {
		return user{}, err
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err == nil && status.Enabled() {
		err = errNoUser
	}
	return u, err
}

// enrolling returns the user whose password the session has seen, and whose second
// factor it may set up, or errNoUser.
func (a *app) enrolling(r *http.Request) (user, error) {
	ctx := r.Context()
	id := a.sessions.GetString(ctx, keyEnrolling)
	began := time.Unix(a.sessions.GetInt64(ctx, keyPasswordAt), 0)
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
	return u, nil
}
