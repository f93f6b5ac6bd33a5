package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// homePage is the home page.
type homePage struct {
	EnrollBy time.Time // deadline for setting up a second factor, or zero
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	var page homePage
	// The sign-in stored the deadline in the session. Turning on two-factor
	// authentication starts a new session, without a deadline.
	if at := a.sessions.GetInt64(r.Context(), keyEnrollBy); at > 0 {
		page.EnrollBy = time.Unix(at, 0)
	}
	a.render(w, r, http.StatusOK, "home", page)
}

// credentials is the form of sign-up and sign-in, without the password.
type credentials struct {
	Email   string
	Problem string // with the form as a whole
	BadName string // problem with the e-mail address
	BadWord string // problem with the password
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

// signedUp sends a new user to the sign-in page, or straight to the setup if a
// second factor is mandatory.
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
		a.say(w, r, keyNotice, "Account created. As the first user, you are an administrator. Please sign in.", "/sign-in")
	default:
		a.say(w, r, keyNotice, "Account created. Please sign in.", "/sign-in")
	}
}

func (a *app) signInForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "sign-in", credentials{})
}

// signIn is the first step. It calls the Guard only after the password was right.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	form := credentials{Email: r.PostFormValue("email")}
	u, err := a.users.authenticate(ctx, form.Email, r.PostFormValue("password"))
	if errors.Is(err, errNoUser) {
		form.Problem = "Wrong e-mail address or password."
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

	// A host that keeps two-factor accounts and users in different databases
	// also sets SignInOptions.Enrolled, from a column of its users table.
	login := rule.login(u)
	login.Device = enrollment.DeviceTokenOf(a.deviceToken(r))
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

// proceed signs in a user who needs no code.
func (a *app) proceed(w http.ResponseWriter, r *http.Request, u user, d enrollment.Decision) {
	ctx := r.Context()
	if err := a.start(ctx, u, d.Stamp); err != nil {
		a.internalError(w, r, err)
		return
	}
	if !d.EnrollBy.IsZero() {
		a.sessions.Put(ctx, keyEnrollBy, d.EnrollBy.Unix())
	}
	if d.Waived == enrollment.FactorBypass {
		a.say(w, r, keyNotice, "You signed in with the pass from your administrator.", "/")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// answered signs in a user who has entered a right code. The challenge identifies
// the user; see Success.UserID.
func (a *app) answered(w http.ResponseWriter, r *http.Request, ok enrollment.Success) {
	ctx := r.Context()
	u, err := a.users.byID(ctx, ok.UserID)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	if err := a.start(ctx, u, ok.Stamp); err != nil {
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
