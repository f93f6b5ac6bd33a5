package main

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A step is a page that asks for a code to answer the challenge in the session.
// It accepts only challenges with its own purpose.
type step struct {
	purpose enrollment.Purpose
	path    string
	title   string
	text    string
	button  string
	start   string // the page of the first factor
	done    func(*app, http.ResponseWriter, *http.Request, enrollment.Success)
}

var (
	signInStep = step{
		purpose: enrollment.PurposeSignIn,
		path:    "/sign-in/code",
		title:   "Enter a code",
		text:    "Your password is correct. Now enter a code to sign in.",
		button:  "Sign in",
		start:   "/sign-in",
		done:    (*app).answered,
	}
	resetStep = step{
		purpose: resetPurpose,
		path:    "/forgot/code",
		title:   "Confirm it’s you",
		text:    "Anyone who can read your e-mail can open that link. Enter a code to show that it was you.",
		button:  "Continue",
		start:   "/forgot",
		done:    (*app).resetAnswered,
	}
)

// stepPage is the page of a step.
type stepPage struct {
	Title, Text, Button string
	Action, Start       string
	SignIn              bool   // offer to trust the device, and a reset
	CanSend             bool   // a code can come by message
	SentTo              string // a hint of the number the last code was sent to
	SendFirst           bool   // a code must be sent before the user can enter one
	Code                codeField
}

// keepChallenge stores the challenge in the session.
func (a *app) keepChallenge(ctx context.Context, d enrollment.Decision) {
	a.sessions.Put(ctx, keyChallenge, d.Challenge.Reveal())
	a.sessions.Remove(ctx, keySent)
	a.sessions.Remove(ctx, keySentTo)
	a.sessions.Put(ctx, keyDelivered, slices.Contains(d.Factors, enrollment.FactorDelivered))
	a.sessions.Put(ctx, keyNoApp, !slices.Contains(d.Factors, enrollment.FactorTOTP))
}

func (a *app) dropChallenge(ctx context.Context) {
	for _, key := range []string{keyChallenge, keyDelivered, keyNoApp, keySent, keySentTo} {
		a.sessions.Remove(ctx, key)
	}
}

// stepForm shows the page.
func (a *app) stepForm(s step) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.sessions.GetString(r.Context(), keyChallenge) == "" {
			http.Redirect(w, r, s.start, http.StatusSeeOther)
			return
		}
		a.showStep(w, r, s, http.StatusOK, "")
	}
}

func (a *app) showStep(w http.ResponseWriter, r *http.Request, s step, status int, problem string) {
	ctx := r.Context()
	page := stepPage{
		Title: s.title, Text: s.text, Button: s.button, Action: s.path, Start: s.start,
		SignIn:  s.purpose == enrollment.PurposeSignIn,
		CanSend: a.sessions.GetBool(ctx, keyDelivered),
		SentTo:  a.sessions.GetString(ctx, keySentTo),
		Code:    newCodeField(r, problem),
	}
	if a.sessions.GetBool(ctx, keyNoApp) { // the user gets codes by message only
		page.Code.NoApp = true
		if page.Code.With == withApp {
			page.Code.With = withMessage
		}
		page.SendFirst = page.SentTo == "" && page.Code.With == withMessage
	}
	a.render(w, r, status, "step", page)
}

// stepCode checks the code. A code from a message answers the challenge that Send
// returned. The first challenge stays valid for a code from the app.
func (a *app) stepCode(s step) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		challenge := a.sessions.GetString(ctx, keyChallenge)
		if sent := a.sessions.GetString(ctx, keySent); sent != "" && r.PostFormValue("with") == withMessage {
			challenge = sent
		}
		if challenge == "" {
			http.Redirect(w, r, s.start, http.StatusSeeOther)
			return
		}
		ok, err := a.guard.Answer(ctx, s.purpose, enrollment.ChallengeOf(challenge), r.PostFormValue("code"))
		if problem, status, about := a.aboutCode(w, err); about {
			a.showStep(w, r, s, status, problem)
			return
		}
		if err != nil {
			a.failStep(w, r, s, err)
			return
		}
		a.dropChallenge(ctx)
		s.done(a, w, r, ok)
	}
}

// stepSend sends a code by message.
func (a *app) stepSend(s step) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		challenge := a.sessions.GetString(ctx, keyChallenge)
		if challenge == "" {
			http.Redirect(w, r, s.start, http.StatusSeeOther)
			return
		}
		if earlier := a.sessions.GetString(ctx, keySent); earlier != "" {
			challenge = earlier // the user wants another code than that one
		}
		sent, err := a.guard.Messages().Send(ctx, s.purpose, enrollment.ChallengeOf(challenge))
		var denied *enrollment.Denied
		switch {
		case errors.Is(err, enrollment.ErrNotSent):
			a.log.ErrorContext(ctx, "sending a code", "error", err)
			a.say(w, r, keyBad, "We could not send you a code. Please try again in a minute, or use a recovery code.", s.path)
			return
		case errors.As(err, &denied) && !errors.Is(err, enrollment.ErrChallenge):
			to := s.path
			if a.sessions.GetString(ctx, keySent) != "" { // the code that was sent is still valid
				to += "?with=" + withMessage
			}
			a.say(w, r, keyBad, deniedInWords(denied, a.now()), to)
			return
		case err != nil:
			a.failStep(w, r, s, err)
			return
		}
		a.sessions.Put(ctx, keySent, sent.Challenge.Reveal())
		a.sessions.Put(ctx, keySentTo, sent.Address.Hint)
		http.Redirect(w, r, s.path+"?with="+withMessage, http.StatusSeeOther)
	}
}

// failStep ends a step after an error. If the challenge is no longer valid, the
// user starts again with the first factor.
func (a *app) failStep(w http.ResponseWriter, r *http.Request, s step, err error) {
	var denied *enrollment.Denied
	if errors.As(err, &denied) && errors.Is(denied, enrollment.ErrChallenge) {
		a.dropChallenge(r.Context())
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), s.start)
		return
	}
	a.fail(w, r, err)
}
