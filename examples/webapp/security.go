package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// fewCodes is the number of recovery codes from which on we warn the user.
const fewCodes = 3

// securityPage is the security page. Nearly all of it comes from one Status.
type securityPage struct {
	enrollment.Status
	Now       time.Time
	Trusted   []enrollment.Device
	Locked    []string // one sentence for each lock
	Activity  []activity
	FewCodes  bool
	CanAdd    bool
	CanRemove bool
	CanResume bool // this browser has started a first setup
	CanShow   bool // recovery codes can be shown again
	CanPhone  bool // the user can add a phone number
	Mandatory bool // a second factor is mandatory for this user
}

type activity struct {
	At   time.Time
	Text string
	From string // where the user was; "" if that is not known
}

// activities returns the history as the user sees it. Where an administrator was is
// not shown.
func activities(history enrollment.History) (list []activity) {
	for _, e := range history {
		x := activity{At: e.At, Text: describe(e)}
		if e.Actor == "" {
			x.From = e.Origin
		}
		list = append(list, x)
	}
	return list
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
	page.Activity = activities(status.History)
	a.render(w, r, http.StatusOK, "security", page)
}

func removeQuestion(id, name string) question {
	return question{
		Title:   "Remove “" + name + "”",
		Text:    []string{"Codes from this authenticator will no longer work. Your other authenticators and your recovery codes stay."},
		Action:  "/security/remove",
		Button:  "Remove",
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
	a.stay(r.Context(), u)
	a.say(w, r, keyNotice, "“"+name+"” was removed.", "/security")
}

// authenticatorName returns the name of the authenticator.
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
		Title:   "Turn off two-factor authentication",
		Text:    []string{"After this, your password alone is enough to sign in, also for someone who stole it."},
		Warning: "This takes effect at once. It deletes your authenticators and recovery codes. To turn it on again, you start from the beginning.",
		Action:  "/security/disable",
		Button:  "Turn off",
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
			q.BadWord = "Wrong password."
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
	a.stay(ctx, u)
	for _, key := range []string{keyReceipt, keyReceiptAt, keySetup} {
		a.sessions.Remove(ctx, key)
	}
	a.say(w, r, keyNotice, "Two-factor authentication is off.", "/security")
}
