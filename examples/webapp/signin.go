package main

import (
	"errors"
	"net/http"
	"time"
)

// homePage is the home page.
type homePage struct {
	EnrollBy time.Time // deadline for setting up a second factor, or zero
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	var page homePage
	if at := a.sessions.GetInt64(r.Context(), keyEnrollBy); at > 0 {
		page.EnrollBy = time.Unix(at, 0)
	}
	a.render(w, r, http.StatusOK, "home", page)
}

// credentials is the form of sign-up and sign-in, without the password.
type credentials struct {
	Email   string
	Return  string // where to go after the sign-in
	Problem string // with the form as a whole
	BadName string // problem with the e-mail address
	BadWord string // problem with the password
}

func (a *app) signUpForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "sign-up", credentials{})
}

func (a *app) signUp(w http.ResponseWriter, r *http.Request) {
	form := credentials{Email: r.PostFormValue("email")}
	if !a.limits.allow(r, "") {
		a.tooMany(w, r)
		return
	}
	u, err := a.users.create(r.Context(), form.Email, r.PostFormValue("password"), languageOf(r))
	switch {
	case err == nil:
		a.signedUp(w, r, u)
		return
	case errors.Is(err, errEmail), errors.Is(err, errTaken):
		form.BadName = signUpWords(err)
	case errors.Is(err, errPassword):
		form.BadWord = signUpWords(err)
	default:
		a.internalError(w, r, err)
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "sign-up", form)
}

// signedUp sends a new user to the sign-in page, or straight to the setup if a second
// factor is mandatory.
func (a *app) signedUp(w http.ResponseWriter, r *http.Request, u user) {
	rule, err := a.mandates.get(r.Context())
	switch {
	case err != nil:
		a.internalError(w, r, err)
	case rule.options(u).Require:
		a.twofactor.SignIn(w, r, u.ID, rule.options(u))
	case u.admin():
		a.say(w, r, keyNotice, "Account created. As the first user, you are an administrator. Please sign in.", "/sign-in")
	default:
		a.say(w, r, keyNotice, "Account created. Please sign in.", "/sign-in")
	}
}

// signInForm also asks a user who is signed in for the password again, where a page
// needs it.
func (a *app) signInForm(w http.ResponseWriter, r *http.Request) {
	form := credentials{Return: r.URL.Query().Get("return"), Email: a.sessions.PopString(r.Context(), keyEmail)}
	u, err := a.current(r.Context())
	switch {
	case err == nil && form.Return != "":
		form.Email = u.Email
		a.render(w, r, http.StatusOK, "confirm", form)
	case err != nil && !errors.Is(err, errNoUser):
		a.internalError(w, r, err)
	default:
		a.render(w, r, http.StatusOK, "sign-in", form)
	}
}

// signIn checks the password. The rest is up to package web.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	form := credentials{Email: r.PostFormValue("email"), Return: r.PostFormValue("return")}
	u, ok := a.checkPassword(w, r, form.Email, func(problem string) {
		form.Problem = problem
		a.render(w, r, http.StatusUnprocessableEntity, "sign-in", form)
	})
	if !ok {
		return
	}
	rule, err := a.mandates.get(r.Context())
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if status.Reset != nil {
		a.sessions.Put(r.Context(), keyWarning, "Someone has asked to turn off your two-factor authentication. That is possible from "+inUTC(status.Reset.Matures)+". Signing in with a code cancels it.")
	}
	a.twofactor.SignIn(w, r, u.ID, rule.options(u))
}

// confirmPassword notes that the user who is signed in has entered the password again.
func (a *app) confirmPassword(w http.ResponseWriter, r *http.Request, u user) {
	form := credentials{Email: u.Email, Return: r.PostFormValue("return")}
	_, ok := a.checkPassword(w, r, u.Email, func(problem string) {
		form.Problem = problem
		a.render(w, r, http.StatusUnprocessableEntity, "confirm", form)
	})
	if !ok {
		return
	}
	if err := a.sessions.RenewToken(r.Context()); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(r.Context(), keyPasswordAt, a.now().Unix())
	http.Redirect(w, r, localPath(form.Return), http.StatusSeeOther)
}

// checkPassword returns the user with that password. Otherwise it answers the request,
// with what the form shows if the password is wrong.
func (a *app) checkPassword(w http.ResponseWriter, r *http.Request, email string, again func(problem string)) (user, bool) {
	if !a.limits.allow(r, cleanEmail(email)) {
		a.tooMany(w, r)
		return user{}, false
	}
	u, err := a.users.authenticate(r.Context(), email, r.PostFormValue("password"))
	switch {
	case err == nil:
		return u, true
	case errors.Is(err, errNoUser):
		again("Wrong e-mail address or password.")
	default:
		a.internalError(w, r, err)
	}
	return user{}, false
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.Destroy(r.Context()); err != nil {
		a.internalError(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
