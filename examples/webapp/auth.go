package main

import (
	"errors"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "home", nil)
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
	form := credentials{Email: r.PostFormValue("email")}
	_, err := a.users.create(r.Context(), form.Email, r.PostFormValue("password"))
	switch {
	case errors.Is(err, errEmail), errors.Is(err, errTaken):
		form.BadName = signUpWords(err)
	case errors.Is(err, errPassword):
		form.BadWord = signUpWords(err)
	case err != nil:
		a.internalError(w, r, err)
		return
	default:
		a.say(w, r, keyNotice, "Your account is there. Sign in with it.", "/sign-in")
		return
	}
	a.render(w, r, http.StatusUnprocessableEntity, "sign-up", form)
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

	// A host that keeps two-factor accounts in another database than its users
	// sets Login.Enrolled from a column of its own.
	decision, err := a.guard.SignIn(ctx, u.ID, enrollment.Login{})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	switch decision.Next {
	case enrollment.Proceed:
		if err := a.start(ctx, u); err != nil {
			a.internalError(w, r, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case enrollment.AskCode:
		if err := a.restart(ctx); err != nil {
			a.internalError(w, r, err)
			return
		}
		a.sessions.Put(ctx, keyChallenge, decision.Challenge)
		http.Redirect(w, r, "/sign-in/code", http.StatusSeeOther)
	default: // MustEnroll comes only to those who set Login.Require
		a.internalError(w, r, errors.New("unexpected decision: "+decision.Next.String()))
	}
}

func (a *app) codeForm(w http.ResponseWriter, r *http.Request) {
	if a.sessions.GetString(r.Context(), keyChallenge) == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "code", newCodeField(r, ""))
}

// code is the second step. Who answers stands in the challenge, and nowhere
// else.
func (a *app) code(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	challenge := a.sessions.GetString(ctx, keyChallenge)
	if challenge == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	ok, err := a.guard.Answer(ctx, enrollment.SignInPurpose, challenge, r.PostFormValue("code"))
	if problem, status, about := a.aboutCode(w, err); about {
		a.render(w, r, status, "code", newCodeField(r, problem))
		return
	}
	if err != nil {
		if errors.Is(err, enrollment.ErrChallenge) {
			a.sessions.Remove(ctx, keyChallenge) // the password is needed again
		}
		a.fail(w, r, err)
		return
	}
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
	if ok.Factor == enrollment.Recovery {
		a.say(w, r, keyNotice, recoveryUsed(ok.CodesLeft), "/security")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.Destroy(r.Context()); err != nil {
		a.internalError(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
