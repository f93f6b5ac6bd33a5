package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// maxGrace is the largest number of days of grace.
const maxGrace = 90

type mandatePage struct {
	accounts.Mandate
	Since    time.Time
	MaxGrace int
	Problem  string
	Clients  int64 // how many users are clients
	Hit      int   // how many have no second factor, and have to set one up
}

// mandateForm shows the current mandate.
func (a *app) mandateForm(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	return a.showMandate(w, r, http.StatusOK, "")
}

func (a *app) showMandate(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	m, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	page := mandatePage{Mandate: m, Since: time.Unix(m.Since, 0), MaxGrace: maxGrace, Problem: problem}
	if page.Clients, err = a.accounts.Count(r.Context(), accounts.RoleClient); err != nil {
		return err
	}
	for x, err := range a.search(r.Context(), "") {
		if err != nil {
			return err
		}
		if !x.Status.Enabled() && x.Err == nil && (x.Role != accounts.RoleClient || !m.ExemptClients) {
			page.Hit++
		}
	}
	return a.render(w, r, status, "mandate", page)
}

// setMandate changes the mandate. A new number of days counts from the day it was
// turned on, not from today.
func (a *app) setMandate(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	days, err := strconv.Atoi(r.PostFormValue("days"))
	if err != nil || days < 0 || days > maxGrace {
		return a.showMandate(w, r, http.StatusUnprocessableEntity, languageOf(r).say("Enter a number of days from 0 to %v.", maxGrace))
	}
	old, err := a.accounts.Mandate(ctx)
	if err != nil {
		return err
	}
	m := accounts.Mandate{Mandatory: r.PostFormValue("mandatory") == "yes", Since: a.config.Now().Unix(), GraceDays: days, ExemptClients: r.PostFormValue("exempt") != ""}
	if old.Mandatory {
		m.Since = old.Since
	}
	if err := a.accounts.SetMandate(ctx, m); err != nil {
		return err
	}
	a.config.Logger.InfoContext(ctx, "mandate set", "by", u.ID, "mandatory", m.Mandatory, "grace_days", m.GraceDays)
	text := "Saved. Two-factor authentication is not required."
	if m.Mandatory {
		text = "Saved. Two-factor authentication is required for everyone."
		if m.ExemptClients {
			text = "Saved. Two-factor authentication is required for everyone except clients."
		}
	}
	return a.say(w, r, keyNotice, text, "/admin/mandate")
}
