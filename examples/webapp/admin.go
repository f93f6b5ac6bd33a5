package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
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
		if x.possible(status, a.now()) {
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
