package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// fewCodes is how many recovery codes are so few that we say so.
const fewCodes = 3

// securityPage is the security page: nearly all of it comes from one Status.
type securityPage struct {
	enrollment.Status
	Now       time.Time
	Trusted   []enrollment.Device
	Locked    []string // in words
	Activity  []activity
	FewCodes  bool
	CanAdd    bool
	CanRemove bool
	CanResume bool // this browser has begun a first setup
	CanShow   bool // the recovery codes are kept
	CanPhone  bool // codes can be sent to a phone
	Mandatory bool // for this user
}

type activity struct {
	At   time.Time
	Text string
}

func (a *app) security(w http.ResponseWriter, r *http.Request, u user) {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	trusted, err := a.guard.Devices().List(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	rule, err := a.mandates.get(r.Context())
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	page := securityPage{
		Status:    status,
		Now:       a.now(),
		Trusted:   trusted,
		FewCodes:  status.Enabled() && status.CodesLeft <= fewCodes,
		CanAdd:    len(status.Authenticators) < enrollment.MaxAuthenticators,
		CanRemove: len(status.Authenticators) > 1,
		CanResume: a.sessions.GetString(r.Context(), keySetup) != "",
		CanShow:   a.config.keepCodes,
		CanPhone:  status.Enabled() || a.config.messagesAlone,
		Mandatory: rule.login(u).Require,
	}
	for _, l := range status.Locks {
		page.Locked = append(page.Locked, lockInWords(l, page.Now))
	}
	for _, e := range status.History {
		page.Activity = append(page.Activity, activity{e.At, describe(e)})
	}
	a.render(w, r, http.StatusOK, "security", page)
}

func removeQuestion(id, name string) question {
	return question{
		Title:   "Remove “" + name + "”",
		Text:    []string{"Codes of this authenticator are not accepted any more. Your other authenticators and your recovery codes stay."},
		Action:  "/security/remove",
		Button:  "Remove it",
		Danger:  true,
		Cancel:  "/security",
		ID:      id,
		AskCode: true,
	}
}

func (a *app) removeForm(w http.ResponseWriter, r *http.Request, u user) {
	id := r.URL.Query().Get("id")
	name, err := a.authenticatorName(r, u, id)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.ask(w, r, removeQuestion(id, name), nil)
}

func (a *app) remove(w http.ResponseWriter, r *http.Request, u user) {
	id := r.PostFormValue("id")
	name, err := a.authenticatorName(r, u, id)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	err = a.guard.Remove(r.Context(), u.ID, id, enrollment.ByCode(r.PostFormValue("code")))
	if err != nil {
		if !a.ask(w, r, removeQuestion(id, name), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.say(w, r, keyNotice, "“"+name+"” is removed.", "/security")
}

// authenticatorName returns what the user calls that authenticator.
func (a *app) authenticatorName(r *http.Request, u user, id string) (string, error) {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		return "", err
	}
	for _, x := range status.Authenticators {
		if x.ID == id {
			return x.Name, nil
		}
	}
	return "", &enrollment.Denied{Reason: enrollment.ReasonUnknownAuthenticator}
}

func (a *app) disableQuestion() question {
	return question{
		Title:   "Switch two-factor authentication off",
		Text:    []string{"Your password alone will sign in, to you and to anybody who gets hold of it."},
		Warning: "It takes effect at once. All your authenticators and recovery codes are deleted; switching it on again starts from the beginning.",
		Action:  "/security/disable",
		Button:  "Switch it off",
		Danger:  true,
		Cancel:  "/security",
		AskCode: !a.config.passwordDisables,
		AskWord: a.config.passwordDisables,
	}
}

func (a *app) disableForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, a.disableQuestion(), nil)
}

func (a *app) disable(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	proof := enrollment.ByCode(r.PostFormValue("code"))
	if a.config.passwordDisables {
		_, err := a.users.authenticate(ctx, u.Email, r.PostFormValue("password"))
		if errors.Is(err, errNoUser) {
			q := a.disableQuestion()
			q.BadWord = "That is not your password."
			a.render(w, r, http.StatusUnprocessableEntity, "question", q)
			return
		}
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		proof = enrollment.ByReauth("password")
	}
	err := a.guard.Disable(ctx, u.ID, proof)
	if err != nil {
		if !a.ask(w, r, a.disableQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	for _, key := range []string{keyReceipt, keyReceiptAt, keySetup} {
		a.sessions.Remove(ctx, key)
	}
	a.say(w, r, keyNotice, "Two-factor authentication is off.", "/security")
}
