package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// adminPurpose is the purpose of the code that administrators enter first.
// adminTTL is how long that code counts.
const (
	adminPurpose enrollment.Purpose = "administration"
	adminTTL                        = 15 * time.Minute
)

// passTime is how long a pass lasts: the library's default maximum.
const passTime = 24 * time.Hour

// administrator allows only administrators who have entered a code a short time
// ago. They can turn off the second factor of others, so they need one.
func (a *app) administrator(next func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	return a.signedIn(func(w http.ResponseWriter, r *http.Request, u user) {
		if !u.Admin {
			a.notFound(w, r)
			return
		}
		status, err := a.guard.Status(r.Context(), u.ID)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		if !status.Enabled() {
			a.say(w, r, keyBad, "Turn on two-factor authentication first. Administrators need it.", "/security")
			return
		}
		_, recent, err := a.recently(r, u, adminPurpose, adminTTL)
		switch {
		case err != nil:
			a.fail(w, r, err)
		case recent:
			next(w, r, u)
		case r.Method == http.MethodGet:
			a.sessions.Put(r.Context(), keyAfter, r.URL.RequestURI()) // always a page under /admin/
			a.ask(w, r, adminQuestion(), nil)
		default: // the code has expired, and the form is lost
			http.Redirect(w, r, a.back(r), http.StatusSeeOther)
		}
	})
}

// back returns the page with the form that was sent.
func (a *app) back(r *http.Request) string {
	if id := r.PostFormValue("id"); id != "" {
		return memberPath(id)
	}
	return "/admin/mandate"
}

func memberPath(id string) string { return "/admin/member?" + url.Values{"id": {id}}.Encode() }

func adminQuestion() question {
	return question{
		Title:   "Confirm it’s you",
		Text:    []string{"You need a code to manage other people’s accounts. We ask again after " + inWords(adminTTL) + "."},
		Action:  "/admin/code",
		Button:  "Continue",
		Cancel:  "/",
		AskCode: true,
	}
}

func (a *app) adminCode(w http.ResponseWriter, r *http.Request, u user) {
	if !u.Admin {
		a.notFound(w, r)
		return
	}
	to := a.sessions.GetString(r.Context(), keyAfter)
	if !strings.HasPrefix(to, "/admin/") {
		to = "/admin/members"
	}
	a.stepUp(w, r, u, adminPurpose, adminQuestion(), to)
}

// memberPage is the page of one user, for administrators.
type memberPage struct {
	Member    user
	Own       bool // it is the administrator's own account
	Status    enrollment.Status
	Matured   bool // the request for a reset can be approved
	Locked    []string
	Activity  []activity
	Ticket    string // shown only once
	PassTime  string
	Mandatory bool
}

func (a *app) member(w http.ResponseWriter, r *http.Request, u user) {
	a.showMember(w, r, u, r.URL.Query().Get("id"), enrollment.Ticket{})
}

func (a *app) showMember(w http.ResponseWriter, r *http.Request, u user, id string, ticket enrollment.Ticket) {
	ctx := r.Context()
	member, err := a.users.byID(ctx, id)
	if errors.Is(err, errNoUser) {
		a.notFound(w, r)
		return
	}
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	status, err := a.guard.Status(ctx, member.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	rule, err := a.mandates.get(ctx)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	now := a.now()
	page := memberPage{
		Member:    member,
		Own:       member.ID == u.ID,
		Status:    status,
		Matured:   status.Reset != nil && !now.Before(status.Reset.Matures),
		PassTime:  inWords(passTime),
		Mandatory: rule.login(member).Require,
	}
	if !ticket.IsZero() {
		page.Ticket = ticket.Reveal()
	}
	for _, l := range status.Locks {
		page.Locked = append(page.Locked, lockInWords(l, now))
	}
	page.Activity = activities(status.History)
	a.render(w, r, http.StatusOK, "member", page)
}

// administer calls do for the user that the form names, with the administrator's
// id and the reason in the form. It answers the request, except after a success
// if done is empty. It reports whether do succeeded.
func (a *app) administer(w http.ResponseWriter, r *http.Request, u user, done string, do func(admin enrollment.Admin, id string) error) bool {
	id := r.PostFormValue("id")
	if _, err := a.users.byID(r.Context(), id); errors.Is(err, errNoUser) {
		a.notFound(w, r)
		return false
	} else if err != nil {
		a.internalError(w, r, err)
		return false
	}
	reason := cleanReason(r.PostFormValue("reason"))
	if reason == "" {
		a.say(w, r, keyBad, "Enter a reason. The user will see it.", memberPath(id))
		return false
	}
	err := do(a.guard.Admin(u.ID, reason), id)
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), memberPath(id))
	case err != nil:
		a.fail(w, r, err)
	case done != "":
		a.say(w, r, keyNotice, done, memberPath(id))
	}
	return err == nil
}
