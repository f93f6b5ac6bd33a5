package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

func memberPath(id string) string { return "/admin/member?" + url.Values{"id": {id}}.Encode() }

// memberPage is the page of one user, for administrators.
type memberPage struct {
	Member    accounts.User
	Own       bool // it is the administrator's own account
	Status    enrollment.Status
	Actions   []action // those that are possible now
	Roles     []accounts.Role
	Reason    string // typed before a code was asked for
	Ticket    string // of a reset a moment ago
	Mandatory bool
}

func (a *app) member(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	member, err := a.memberOf(ctx, r.URL.Query().Get("id"))
	if err != nil {
		return err
	}
	status, err := a.guard.Status(ctx, member.ID)
	if err != nil {
		return err
	}
	rule, err := a.accounts.Mandate(ctx)
	if err != nil {
		return err
	}
	page := memberPage{
		Member:    member,
		Own:       member.ID == u.ID,
		Status:    status,
		Roles:     accounts.Roles,
		Reason:    a.sessions.PopString(ctx, keyReason),
		Ticket:    ticketOf(r, member.ID),
		Mandatory: rule.For(member).Require,
	}
	for _, x := range actions {
		if x.possible(status, a.config.Now()) {
			page.Actions = append(page.Actions, x)
		}
	}
	return a.render(w, r, http.StatusOK, "member", page)
}

// memberOf returns the user with that id, or notFound.
func (a *app) memberOf(ctx context.Context, id string) (accounts.User, error) {
	member, err := a.accounts.ByID(ctx, id)
	if errors.Is(err, accounts.ErrNoUser) {
		err = notFound
	}
	return member, err
}

// ticketCookie keeps a ticket in the browser of the administrator who has made it, so that
// a reload shows it again. Nothing else keeps it.
const ticketCookie = "ticket"

func (a *app) keepTicket(w http.ResponseWriter, id string, ticket enrollment.Ticket) {
	http.SetCookie(w, &http.Cookie{
		Name: ticketCookie, Value: id + "." + ticket.Reveal(), Path: "/admin/member",
		MaxAge: 600, HttpOnly: true, Secure: a.config.secure, SameSite: http.SameSiteStrictMode,
	})
}

// ticketOf returns the ticket for that user, or "".
func ticketOf(r *http.Request, id string) string {
	cookie, err := r.Cookie(ticketCookie)
	if err != nil {
		return ""
	}
	if ticket, found := strings.CutPrefix(cookie.Value, id+"."); found {
		return ticket
	}
	return ""
}

// An action is what an administrator can do for a user. The user is told, with the
// reason.
type action struct {
	Name, Label, Hint string
	done              string // what the administrator reads afterwards
}

var actions = []action{
	{Name: "unlock", Label: "Unlock", Hint: "The user can try codes again.", done: "The user can try again."},
	{Name: "refuse", Label: "Refuse the request for a reset", Hint: "Two-factor authentication stays on.", done: "Request refused."},
	{Name: "approve", Label: "Approve the request for a reset",
		Hint: "First make sure that it was the user: call, or ask in person. It turns off two-factor authentication.", done: isOff},
	{Name: "pass", Label: "Give a pass for 24 hours",
		Hint: "The user can sign in without a code, for example after leaving the phone at home. The session ends with the pass. A user without two-factor authentication must then set it up.", done: "The user can sign in without a code for 24 hours."},
	{Name: "reset", Label: "Turn off two-factor authentication",
		Hint: "This deletes the user’s authenticators, recovery codes and trusted devices, and signs the user out.", done: isOff},
	{Name: "ticket", Label: "Demand a ticket for the next setup",
		Hint: "You give it to the user. Without it, someone who stole the password could set up a phone first.", done: isOff},
	{Name: "erase", Label: "Delete the user", Hint: "This can’t be undone.", done: "User deleted."},
}

const isOff = "Two-factor authentication is now off for this user."

// possible reports whether the action makes sense now. The library refuses what does not.
func (x action) possible(s enrollment.Status, now time.Time) bool {
	switch x.Name {
	case "unlock":
		return len(s.Locks) > 0
	case "refuse":
		return s.Reset != nil
	case "approve":
		return s.Reset != nil && !now.Before(s.Reset.Matures)
	case "reset":
		return s.Enabled()
	case "ticket":
		return !s.Enabled()
	}
	return true
}

// act does the action for the user with that id. The next setup may need a ticket, which the
// page of the user then shows.
func (a *app) act(ctx context.Context, x action, admin enrollment.Admin, id string, ticket bool) (enrollment.Ticket, error) {
	var err error
	switch x.Name {
	case "unlock":
		err = admin.Unlock(ctx, id)
	case "refuse":
		err = admin.RefuseReset(ctx, id)
	case "approve":
		return admin.ApproveReset(ctx, id, enrollment.ResetOptions{Ticket: ticket})
	case "pass":
		err = admin.Bypass(ctx, id, a.config.Now().Add(24*time.Hour))
	case "reset", "ticket":
		return admin.Reset(ctx, id, enrollment.ResetOptions{Ticket: ticket || x.Name == "ticket"})
	case "erase": // the account goes first, so that this can be done again if the rest fails
		if err = admin.Erase(ctx, id); err == nil {
			err = a.accounts.Remove(ctx, id)
		}
	}
	return enrollment.Ticket{}, err
}

// help does what the administrator has chosen. What is no longer possible, for example by
// a second click, the library refuses. The page that follows has no form to be sent again.
func (a *app) help(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	id, chosen := r.PostFormValue("id"), r.PostFormValue("action")
	member, err := a.memberOf(r.Context(), id)
	if err != nil {
		return err
	}
	if chosen == "role" {
		return a.setRole(w, r, u, member)
	}
	reason := front.Line(r.PostFormValue("reason"), enrollment.MaxAdminReason)
	i := slices.IndexFunc(actions, func(x action) bool { return x.Name == chosen })
	switch {
	case reason == "":
		return hint{"Enter a reason. The user will see it.", memberPath(id)}
	case i < 0:
		return hint{"Choose what to do.", memberPath(id)}
	case chosen == "erase" && r.PostFormValue("sure") == "":
		return hint{"Tick the box if you are sure.", memberPath(id)}
	}
	ticket, err := a.act(r.Context(), actions[i], a.guard.Admin(u.ID, reason), id, r.PostFormValue("ticket") != "")
	if denied := (*enrollment.Denied)(nil); errors.As(err, &denied) {
		return hint{languageOf(r).Describe(denied, a.config.Now()).Text, memberPath(id)}
	}
	if err != nil {
		return err
	}
	a.sessions.Remove(r.Context(), keyReason)
	switch {
	case ticket.IsZero():
	case front.SpeaksJSON(r):
		return a.sayJSON(w, r, map[string]string{"text": languageOf(r).say(actions[i].done), "ticket": ticket.Reveal()})
	default:
		a.keepTicket(w, id, ticket)
	}
	to := memberPath(id)
	if chosen == "erase" {
		to = "/admin/members"
	}
	return a.say(w, r, keyNotice, actions[i].done, to)
}

// setRole changes what a user may do and whether a mandate applies. The Guard knows
// nothing about either.
func (a *app) setRole(w http.ResponseWriter, r *http.Request, u, member accounts.User) error {
	member.Role = accounts.Role(r.PostFormValue("role"))
	switch {
	case member.ID == u.ID: // one administrator must remain
		return hint{languageOf(r).Describe(enrollment.ReasonOwnAccount, a.config.Now()).Text, memberPath(u.ID)}
	case !slices.Contains(accounts.Roles, member.Role):
		return hint{"Choose a role.", memberPath(member.ID)}
	}
	if err := a.accounts.Update(r.Context(), member, "Role"); err != nil {
		return err
	}
	a.config.Logger.InfoContext(r.Context(), "role set", "by", u.ID, "user", member.ID, "role", member.Role)
	return a.say(w, r, keyNotice, "Role changed.", memberPath(member.ID))
}
