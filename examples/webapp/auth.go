package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// homePage is the start page.
type homePage struct {
	EnrollBy time.Time // until when a second factor has to be there
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	var page homePage
	// The session knows it from the Decision of the sign-in. Switching
	// two-factor authentication on starts a new session.
	if at := a.sessions.GetInt64(r.Context(), keyEnrollBy); at > 0 {
		page.EnrollBy = time.Unix(at, 0)
	}
	a.render(w, r, http.StatusOK, "home", page)
}

// credentials is the form of sign-up and sign-in, without the password.
type credentials struct {
	Email   string
	Problem string // with the whole
	BadName string // with the e-mail address
	BadWord string // with the password
}

func (a *app) signUpForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "sign-up", credentials{})
}

func (a *app) signUp(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	form := credentials{Email: r.PostFormValue("email")}
	u, err := a.users.create(ctx, form.Email, r.PostFormValue("password"))
	switch {
	case errors.Is(err, errEmail), errors.Is(err, errTaken):
		form.BadName = signUpWords(err)
	case errors.Is(err, errPassword):
		form.BadWord = signUpWords(err)
	case err != nil:
		a.internalError(w, r, err)
		return
	default:
		a.signedUp(w, r, u)
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "sign-up", form)
}

// signedUp leads a new user on: to the sign-in, or at once into the setup where
// a second factor is mandatory.
func (a *app) signedUp(w http.ResponseWriter, r *http.Request, u user) {
	rule, err := a.mandates.get(r.Context())
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	decision, err := a.guard.SignIn(r.Context(), u.ID, rule.login(u))
	switch {
	case err != nil:
		a.fail(w, r, err)
	case decision.Next == enrollment.MustEnroll:
		a.mustEnroll(w, r, u)
	case u.Admin:
		a.say(w, r, keyNotice, "Your account is there. It is the first one, and so it is an administrator’s. Sign in with it.", "/sign-in")
	default:
		a.say(w, r, keyNotice, "Your account is there. Sign in with it.", "/sign-in")
	}
}

func (a *app) signInForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "sign-in", credentials{})
}

// signIn is the first step. Only after the password was right does the Guard
// hear of it.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	form := credentials{Email: r.PostFormValue("email")}
	u, err := a.users.authenticate(ctx, form.Email, r.PostFormValue("password"))
	if errors.Is(err, errNoUser) {
		form.Problem = "The e-mail address or the password is not right."
		a.render(w, r, http.StatusUnprocessableEntity, "sign-in", form)
		return
	}
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	rule, err := a.mandates.get(ctx)
	if err != nil {
		a.internalError(w, r, err)
		return
	}

	// A host that keeps two-factor accounts in another database than its users
	// also sets SignInOptions.Enrolled, from a column of its own.
	login := rule.login(u)
	login.Device = a.deviceToken(r)
	decision, err := a.guard.SignIn(ctx, u.ID, login)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	switch decision.Next {
	case enrollment.Proceed:
		a.proceed(w, r, u, decision)
	case enrollment.AskCode:
		if err := a.restart(ctx); err != nil {
			a.internalError(w, r, err)
			return
		}
		a.keepChallenge(ctx, decision)
		http.Redirect(w, r, signInStep.path, http.StatusSeeOther)
	case enrollment.MustEnroll:
		a.mustEnroll(w, r, u)
	default:
		a.internalError(w, r, errors.New("unexpected decision: "+decision.Next.String()))
	}
}

// proceed signs in whom no code is asked for.
func (a *app) proceed(w http.ResponseWriter, r *http.Request, u user, d enrollment.Decision) {
	ctx := r.Context()
	if err := a.start(ctx, u); err != nil {
		a.internalError(w, r, err)
		return
	}
	if !d.EnrollBy.IsZero() {
		a.sessions.Put(ctx, keyEnrollBy, d.EnrollBy.Unix())
	}
	if d.Waived == enrollment.FactorBypass {
		a.say(w, r, keyNotice, "You have signed in with the pass that an administrator has given you.", "/")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// answered signs in who has answered with a code. Who that is stands in the
// challenge, and nowhere else.
func (a *app) answered(w http.ResponseWriter, r *http.Request, ok enrollment.Success) {
	ctx := r.Context()
	u, err := a.users.byID(ctx, ok.UserID)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	if err := a.start(ctx, u); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.keepReceipt(ctx, ok.Receipt, ok.At)
	if r.PostFormValue("trust") != "" {
		a.trust(w, r, ok)
	}
	switch {
	case !ok.NewCode.IsZero():
		a.showNewCode(w, r, u, ok.NewCode)
	case ok.Factor == enrollment.FactorRecovery:
		a.say(w, r, keyNotice, recoveryUsed(ok.CodesLeft), "/security")
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.Destroy(r.Context()); err != nil {
		a.internalError(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
