package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// passTime is how long a pass lasts: the library's default maximum.
const passTime = 24 * time.Hour

// An action is what an administrator can do for a user. The user is told, with the
// reason.
type action struct {
	Name, Label, Hint string
	Danger            bool
	possible          func(memberPage) bool
	do                func(a *app, r *http.Request, admin enrollment.Admin, id string) (result, error)
}

// result is what an action has done. A ticket is shown on the page of the user.
type result struct {
	text   string
	ticket enrollment.Ticket
	gone   bool // there is no such user any more
}

var actions = []action{
	{
		Name: "unlock", Label: "Unlock", Hint: "The user can try codes again.",
		possible: func(p memberPage) bool { return len(p.Status.Locks) > 0 },
		do: func(_ *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return result{text: "The user can try again."}, admin.Unlock(r.Context(), id)
		},
	},
	{
		Name: "refuse", Label: "Refuse the request for a reset", Hint: "Two-factor authentication stays on.",
		possible: func(p memberPage) bool { return p.Status.Reset != nil },
		do: func(_ *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return result{text: "Request refused."}, admin.RefuseReset(r.Context(), id)
		},
	},
	{
		Name: "approve", Label: "Approve the request for a reset", Danger: true,
		Hint:     "First make sure that it was the user: call, or ask in person. It turns off two-factor authentication.",
		possible: memberPage.Matured,
		do: func(_ *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return takenAway(admin.ApproveReset(r.Context(), id, resetOptions(r)))
		},
	},
	{
		Name: "pass", Label: "Give a pass for 24 hours",
		Hint:     "The user can sign in without a code, for example after leaving the phone at home. The session ends with the pass. A user without two-factor authentication must then set it up.",
		possible: func(memberPage) bool { return true },
		do: func(a *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return result{text: "The user can sign in without a code for 24 hours."}, admin.Bypass(r.Context(), id, a.now().Add(passTime))
		},
	},
	{
		Name: "reset", Label: "Turn off two-factor authentication", Danger: true,
		Hint:     "This deletes the user’s authenticators, recovery codes and trusted devices, and signs the user out.",
		possible: func(p memberPage) bool { return p.Status.Enabled() },
		do: func(_ *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return takenAway(admin.Reset(r.Context(), id, resetOptions(r)))
		},
	},
	{
		Name: "ticket", Label: "Demand a ticket for the next setup",
		Hint:     "You give it to the user. Without it, someone who stole the password could set up a phone first.",
		possible: func(p memberPage) bool { return !p.Status.Enabled() },
		do: func(_ *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			return takenAway(admin.Reset(r.Context(), id, enrollment.ResetOptions{Ticket: true}))
		},
	},
	{
		Name: "erase", Label: "Delete the user", Danger: true, Hint: "This can’t be undone.",
		possible: func(memberPage) bool { return true },
		do: func(a *app, r *http.Request, admin enrollment.Admin, id string) (result, error) {
			// The account goes first, so that this can be done again if the rest fails.
			if err := admin.Erase(r.Context(), id); err != nil {
				return result{}, err
			}
			return result{text: "User deleted.", gone: true}, a.users.remove(r.Context(), id)
		},
	},
}

func resetOptions(r *http.Request) enrollment.ResetOptions {
	return enrollment.ResetOptions{Ticket: r.PostFormValue("ticket") != ""}
}

func takenAway(ticket enrollment.Ticket, err error) (result, error) {
	return result{text: "Two-factor authentication is now off for this user.", ticket: ticket}, err
}

// help does what the administrator has chosen. What is no longer possible, for example by
// a second click, the library refuses.
func (a *app) help(w http.ResponseWriter, r *http.Request, u user) {
	id, chosen := r.PostFormValue("id"), r.PostFormValue("action")
	if _, ok := a.memberOf(w, r, id); !ok {
		return
	}
	if chosen == "role" {
		a.setRole(w, r, u, id)
		return
	}
	reason := cleanReason(r.PostFormValue("reason"))
	switch {
	case reason == "":
		a.say(w, r, keyBad, "Enter a reason. The user will see it.", memberPath(id))
		return
	case chosen == "erase" && r.PostFormValue("sure") == "":
		a.say(w, r, keyBad, "Tick the box if you are sure.", memberPath(id))
		return
	}
	for _, x := range actions {
		if x.Name == chosen {
			done, err := x.do(a, r, a.guard.Admin(u.ID, reason), id)
			a.helped(w, r, id, done, err)
			return
		}
	}
	a.say(w, r, keyBad, "Choose what to do.", memberPath(id))
}

// helped says what was done. The page that follows has no form to be sent again.
func (a *app) helped(w http.ResponseWriter, r *http.Request, id string, done result, err error) {
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		a.say(w, r, keyBad, deniedInWords(denied, a.now()), memberPath(id))
		return
	case err != nil:
		a.fail(w, r, err)
		return
	}
	a.sessions.Remove(r.Context(), keyReason)
	if !done.ticket.IsZero() {
		a.keepTicket(w, id, done.ticket)
	}
	to := memberPath(id)
	if done.gone {
		to = "/admin/members"
	}
	a.say(w, r, keyNotice, done.text, to)
}

// setRole changes what a user may do and whether a mandate applies. The Guard knows
// nothing about either.
func (a *app) setRole(w http.ResponseWriter, r *http.Request, u user, id string) {
	to := role(r.PostFormValue("role"))
	switch {
	case id == u.ID: // one administrator must remain
		a.say(w, r, keyBad, deniedInWords(&enrollment.Denied{Reason: enrollment.ReasonOwnAccount}, a.now()), memberPath(id))
		return
	case to != roleAdmin && to != roleMember && to != roleClient:
		a.say(w, r, keyBad, "Choose a role.", memberPath(id))
		return
	}
	if err := a.users.setRole(r.Context(), id, to); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "role set", "by", u.ID, "user", id, "role", to)
	a.say(w, r, keyNotice, "Role changed.", memberPath(id))
}
