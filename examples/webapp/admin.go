package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// adminPurpose is the purpose of the code that administrators enter first. adminTTL is
// how long that code counts.
const (
	adminPurpose enrollment.Purpose = "administration"
	adminTTL                        = 15 * time.Minute
)

func memberPath(id string) string { return "/admin/member?" + url.Values{"id": {id}}.Encode() }

// memberPage is the page of one user, for administrators.
type memberPage struct {
	Member    user
	Own       bool // it is the administrator's own account
	Status    enrollment.Status
	Locked    []string
	Activity  []activity
	Actions   []action // those that are possible now
	Roles     []role
	Reason    string // typed before a code was asked for
	Ticket    string // of a reset a moment ago
	Mandatory bool
	now       time.Time
}

// Matured reports whether the request for a reset can be approved.
func (p memberPage) Matured() bool {
	return p.Status.Reset != nil && !p.now.Before(p.Status.Reset.Matures)
}

func (a *app) member(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	member, ok := a.memberOf(w, r, r.URL.Query().Get("id"))
	if !ok {
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
	page := memberPage{
		Member:    member,
		Own:       member.ID == u.ID,
		Status:    status,
		Locked:    locksInWords(status.Locks, a.now()),
		Activity:  activities(status.History),
		Roles:     []role{roleMember, roleClient, roleAdmin},
		Reason:    a.sessions.PopString(ctx, keyReason),
		Ticket:    ticketOf(r, member.ID),
		Mandatory: rule.options(member).Require,
		now:       a.now(),
	}
	for _, x := range actions {
		if x.possible(page) {
			page.Actions = append(page.Actions, x)
		}
	}
	a.render(w, r, http.StatusOK, "member", page)
}

// memberOf returns the user with that id. If there is none, it answers the request.
func (a *app) memberOf(w http.ResponseWriter, r *http.Request, id string) (user, bool) {
	member, err := a.users.byID(r.Context(), id)
	switch {
	case errors.Is(err, errNoUser):
		a.notFound(w, r)
	case err != nil:
		a.internalError(w, r, err)
	}
	return member, err == nil
}

// ticketCookie keeps a ticket in the browser of the administrator who has made it, so that
// a reload shows it again. Nothing else keeps it.
const (
	ticketCookie = "ticket"
	ticketLife   = 10 * time.Minute
)

func (a *app) keepTicket(w http.ResponseWriter, id string, ticket enrollment.Ticket) {
	http.SetCookie(w, &http.Cookie{
		Name: ticketCookie, Value: id + "." + ticket.Reveal(), Path: "/admin/member", MaxAge: int(ticketLife.Seconds()),
		HttpOnly: true, Secure: a.config.secure, SameSite: http.SameSiteStrictMode,
	})
}

func ticketOf(r *http.Request, id string) string {
	cookie, err := r.Cookie(ticketCookie)
	if err != nil {
		return ""
	}
	ticket, _ := strings.CutPrefix(cookie.Value, id+".")
	if ticket == cookie.Value {
		return ""
	}
	return ticket
}
