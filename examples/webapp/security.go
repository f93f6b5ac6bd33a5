package main

import (
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// fewCodes is how many recovery codes are so few that we say so.
const fewCodes = 3

// securityPage is the security page: all of it comes from one Status.
type securityPage struct {
	enrollment.Status
	Now       time.Time
	Locked    []string // in words
	Activity  []activity
	FewCodes  bool
	CanAdd    bool
	CanRemove bool
	CanResume bool // the setup that waits was begun in this browser
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
	page := securityPage{
		Status:    status,
		Now:       a.now(),
		FewCodes:  status.Enabled() && status.CodesLeft <= fewCodes,
		CanAdd:    len(status.Authenticators) < enrollment.MaxAuthenticators,
		CanRemove: len(status.Authenticators) > 1,
		CanResume: a.sessions.GetString(r.Context(), keySetup) != "",
	}
	for _, l := range status.Locks {
		page.Locked = append(page.Locked, lockInWords(l, page.Now))
	}
	for _, e := range status.History {
		page.Activity = append(page.Activity, activity{e.At, describe(e)})
	}
	a.render(w, r, http.StatusOK, "security", page)
}

// question is a page that asks for a code before it does something.
type question struct {
	Title   string
	Text    []string
	Warning string
	Action  string // where the form goes
	Button  string
	Danger  bool
	Cancel  string // where to go instead
	ID      string // the authenticator it is about, or ""
	AskName bool   // for a name of an authenticator
	AskCode bool
	Code    codeField
}

// ask shows the question. err is how the attempt before went, or nil; ask
// reports whether it could answer that.
func (a *app) ask(w http.ResponseWriter, r *http.Request, q question, err error) bool {
	status := http.StatusOK
	problem := ""
	if err != nil {
		var about bool
		if problem, status, about = a.aboutCode(w, err); !about {
			return false
		}
	}
	q.Code = newCodeField(r, problem)
	a.render(w, r, status, "question", q)
	return true
}

func newCodesQuestion() question {
	return question{
		Title:   "Make new recovery codes",
		Text:    []string{"You get ten new codes. Each signs you in once when you do not have your authenticator app at hand."},
		Warning: "Your earlier recovery codes stop working at once, also those you have not used.",
		Action:  "/security/codes",
		Button:  "Make new codes",
		Cancel:  "/security",
		AskCode: true,
	}
}

func (a *app) newCodesForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, newCodesQuestion(), nil)
}

func (a *app) newCodes(w http.ResponseWriter, r *http.Request, u user) {
	done, err := a.guard.NewCodes(r.Context(), u.ID, enrollment.ByCode(r.PostFormValue("code")))
	if err != nil {
		if !a.ask(w, r, newCodesQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	a.keepReceipt(r.Context(), done.Receipt, a.now()) // the code has just been answered
	a.showCodes(w, r, u, done.Codes, "These are your new recovery codes. The earlier ones do not work any more.")
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
	return "", &enrollment.Denied{Reason: enrollment.UnknownAuthenticator}
}

func disableQuestion() question {
	return question{
		Title:   "Switch two-factor authentication off",
		Text:    []string{"Your password alone will sign in, to you and to anybody who gets hold of it."},
		Warning: "It takes effect at once. All your authenticators and recovery codes are deleted; switching it on again starts from the beginning.",
		Action:  "/security/disable",
		Button:  "Switch it off",
		Danger:  true,
		Cancel:  "/security",
		AskCode: true,
	}
}

func (a *app) disableForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.ask(w, r, disableQuestion(), nil)
}

func (a *app) disable(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	err := a.guard.Disable(ctx, u.ID, enrollment.ByCode(r.PostFormValue("code")))
	if err != nil {
		if !a.ask(w, r, disableQuestion(), err) {
			a.fail(w, r, err)
		}
		return
	}
	for _, key := range []string{keyReceipt, keyReceiptAt, keyDataAt, keySetup} {
		a.sessions.Remove(ctx, key)
	}
	a.say(w, r, keyNotice, "Two-factor authentication is off.", "/security")
}
