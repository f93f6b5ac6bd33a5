package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// maxGrace is the largest number of days of grace.
const maxGrace = 90

// A mandate says whether all users must have a second factor. The zero mandate
// says no.
type mandate struct {
	Mandatory bool
	Since     time.Time // when it was turned on
	GraceDays int       // for users who joined before that

	ExemptClients bool // it does not apply to clients
}

// options returns the options of a sign-in of the user. Users who joined after the
// mandate began have no days of grace.
func (m mandate) options(u user) enrollment.SignInOptions {
	if !m.Mandatory || m.ExemptClients && u.Role == roleClient {
		return enrollment.SignInOptions{}
	}
	l := enrollment.SignInOptions{Require: true}
	if u.Joined.Before(m.Since) {
		l.Grace = m.deadline()
	}
	return l
}

func (m mandate) deadline() time.Time { return m.Since.AddDate(0, 0, m.GraceDays) }

// mandates is the table that holds the mandate.
type mandates struct{ db database }

func (t mandates) get(ctx context.Context) (m mandate, err error) {
	var since int64
	err = t.db.row(ctx, `SELECT mandatory = 1, since, grace_days, exempt_clients = 1 FROM rules WHERE id = 1`).
		Scan(&m.Mandatory, &since, &m.GraceDays, &m.ExemptClients)
	if err != nil {
		return mandate{}, fmt.Errorf("reading the mandate: %w", err)
	}
	m.Since = time.Unix(since, 0).UTC()
	return m, nil
}

func (t mandates) set(ctx context.Context, m mandate) error {
	number := map[bool]int{true: 1}
	_, err := t.db.exec(ctx, `UPDATE rules SET mandatory = ?1, since = ?2, grace_days = ?3, exempt_clients = ?4 WHERE id = 1`,
		number[m.Mandatory], m.Since.Unix(), m.GraceDays, number[m.ExemptClients])
	if err != nil {
		return fmt.Errorf("setting the mandate: %w", err)
	}
	return nil
}

type mandatePage struct {
	mandate
	MaxGrace int
	Deadline time.Time
	Problem  string
	Clients  int // how many users are clients
	Hit      int // how many have no second factor, and have to set one up
}

// mandateForm shows the current mandate.
func (a *app) mandateForm(w http.ResponseWriter, r *http.Request, _ user) {
	a.showMandate(w, r, http.StatusOK, "")
}

func (a *app) showMandate(w http.ResponseWriter, r *http.Request, status int, problem string) {
	m, err := a.mandates.get(r.Context())
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	page := mandatePage{mandate: m, MaxGrace: maxGrace, Deadline: m.deadline(), Problem: problem}
	if page.Clients, err = a.users.count(r.Context(), roleClient); err != nil {
		a.internalError(w, r, err)
		return
	}
	for x, err := range a.all(r.Context(), "", "") {
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		if !x.Status.Enabled() && x.Err == nil && (x.Role != roleClient || !m.ExemptClients) {
			page.Hit++
		}
	}
	a.render(w, r, status, "mandate", page)
}

// setMandate changes the mandate. A new number of days counts from the day it was
// turned on, not from today.
func (a *app) setMandate(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	days, err := strconv.Atoi(r.PostFormValue("days"))
	if err != nil || days < 0 || days > maxGrace {
		a.showMandate(w, r, http.StatusUnprocessableEntity, fmt.Sprintf("Enter a number of days from 0 to %d.", maxGrace))
		return
	}
	old, err := a.mandates.get(ctx)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	m := mandate{Mandatory: r.PostFormValue("mandatory") == "yes", Since: a.now(), GraceDays: days, ExemptClients: r.PostFormValue("exempt") != ""}
	if old.Mandatory {
		m.Since = old.Since
	}
	if err := a.mandates.set(ctx, m); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.log.InfoContext(ctx, "mandate set", "by", u.ID, "mandatory", m.Mandatory, "grace_days", m.GraceDays)
	text := "Saved. Two-factor authentication is not required."
	if m.Mandatory {
		text = "Saved. Two-factor authentication is required for everyone."
		if m.ExemptClients {
			text = "Saved. Two-factor authentication is required for everyone except clients."
		}
	}
	a.say(w, r, keyNotice, text, "/admin/mandate")
}
