package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// homePage has the deadline for setting up a second factor, or zero.
type homePage struct{ EnrollBy time.Time }

func (a *app) home(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	var page homePage
	if at := a.sessions.GetInt64(r.Context(), keyEnrollBy); at > 0 {
		page.EnrollBy = time.Unix(at, 0)
	}
	return a.render(w, r, http.StatusOK, "home", page)
}

// credentials is the form of sign-up and sign-in, without the password.
type credentials struct {
	Email   string
	Return  string // where to go after the sign-in
	Problem string // with the form as a whole
	BadName string // problem with the e-mail address
	BadWord string // problem with the password
}

// wrongPassword does not say whether there is such a user.
const wrongPassword = "Wrong e-mail address or password."

func (a *app) signUpForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	return a.render(w, r, http.StatusOK, "sign-up", credentials{})
}

func (a *app) signUp(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	form := credentials{Email: r.PostFormValue("email")}
	if !a.limits.Allow(r, "") {
		return tooMany
	}
	u, err := a.accounts.Create(r.Context(), form.Email, r.PostFormValue("password"), languageOf(r).Tag)
	switch {
	case err == nil:
		return a.signedUp(w, r, u)
	case errors.Is(err, accounts.ErrEmail), errors.Is(err, accounts.ErrTaken):
		form.BadName = languageOf(r).signUp(err)
	case errors.Is(err, accounts.ErrPassword):
		form.BadWord = languageOf(r).signUp(err)
	default:
		return err
	}
	return a.wrong(w, r, "sign-up", form, form.BadName+form.BadWord)
}

// signedUp sends a new user to the sign-in page, or straight to the setup if a second
// factor is mandatory.
func (a *app) signedUp(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	rule, err := a.accounts.Mandate(r.Context())
	switch {
	case err != nil:
		return err
	case rule.For(u).Require:
		a.twofactor.SignIn(w, r, u.ID, rule.For(u))
		return nil
	case u.Admin():
		return a.say(w, r, keyNotice, "Account created. As the first user, you are an administrator. Please sign in.", "/sign-in")
	}
	return a.say(w, r, keyNotice, "Account created. Please sign in.", "/sign-in")
}

// signInForm also asks a user who is signed in for the password again, where a page
// needs it.
func (a *app) signInForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	form := credentials{Return: r.URL.Query().Get("return"), Email: a.sessions.PopString(r.Context(), keyEmail)}
	u, err := a.current(r.Context())
	if err != nil && !errors.Is(err, accounts.ErrNoUser) {
		return err
	}
	if err == nil && form.Return != "" {
		form.Email = u.Email
		return a.render(w, r, http.StatusOK, "confirm", form)
	}
	return a.render(w, r, http.StatusOK, "sign-in", form)
}

// signIn checks the password. The rest is up to package web.
func (a *app) signIn(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	form := credentials{Email: r.PostFormValue("email"), Return: r.PostFormValue("return")}
	u, err := a.checkPassword(r, form.Email, "password")
	if errors.Is(err, accounts.ErrNoUser) {
		form.Problem = wrongPassword
		return a.wrong(w, r, "sign-in", form, form.Problem)
	}
	if err != nil {
		return err
	}
	rule, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		return err
	}
	if warning := languageOf(r).resetAsked(status); warning != "" { // on the page for the code
		a.sessions.Put(r.Context(), keyWarning, warning)
	}
	a.twofactor.SignIn(w, r, u.ID, rule.For(u))
	return nil
}

// confirmPassword notes that the user who is signed in has entered the password again.
func (a *app) confirmPassword(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	form := credentials{Email: u.Email, Return: r.PostFormValue("return")}
	_, err := a.checkPassword(r, u.Email, "password")
	if errors.Is(err, accounts.ErrNoUser) {
		form.Problem = "Wrong password."
		return a.wrong(w, r, "confirm", form, form.Problem)
	}
	if err == nil {
		err = a.sessions.RenewToken(r.Context())
	}
	if err != nil {
		return err
	}
	a.sessions.Put(r.Context(), keyPasswordAt, a.config.Now().Unix())
	return a.redirect(w, r, front.LocalPath(form.Return))
}

// checkPassword returns the user with the password in that field. It returns
// accounts.ErrNoUser if that is wrong, and tooMany if it was guessed too often.
func (a *app) checkPassword(r *http.Request, email, field string) (accounts.User, error) {
	if !a.limits.Allow(r, accounts.CleanEmail(email)) {
		return accounts.User{}, tooMany
	}
	return a.accounts.Authenticate(r.Context(), email, r.PostFormValue(field))
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	if err := a.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	return a.redirect(w, r, "/")
}
