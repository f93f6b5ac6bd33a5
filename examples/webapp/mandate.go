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
	Form     accounts.Mandate // as it was sent
	Days     string           // in the form
	MaxGrace int
	Problem  string
	Clients  int64 // how many users are clients
	Hit      int   // how many have no second factor, and have to set one up
}

// mandate shows the current mandate.
func (a *app) mandate(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	m, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	return a.showMandate(w, r, m, m, strconv.Itoa(m.GraceDays), "")
}

func (a *app) showMandate(w http.ResponseWriter, r *http.Request, m, form accounts.Mandate, days, problem string) (err error) {
	page := mandatePage{Mandate: m, Since: time.Unix(m.Since, 0), Form: form, Days: days, MaxGrace: maxGrace, Problem: problem}
	if page.Clients, err = a.accounts.Count(r.Context(), accounts.RoleClient); err != nil {
		return err
	}
	all, err := a.search(r.Context(), "")
	if err != nil {
		return err
	}
	for _, x := range all {
		if !x.Status.Enabled() && x.Err == nil && (x.Role != accounts.RoleClient || !m.ExemptClients) {
			page.Hit++
		}
	}
	if problem != "" {
		return a.wrong(w, r, "mandate", page, problem)
	}
	return a.render(w, r, http.StatusOK, "mandate", page)
}

// setMandate changes the mandate. A new number of days counts from the day it was
// turned on, not from today.
func (a *app) setMandate(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	old, err := a.accounts.Mandate(ctx)
	if err != nil {
		return err
	}
	m := accounts.Mandate{Mandatory: r.PostFormValue("mandatory") == "yes", ExemptClients: r.PostFormValue("exempt") != "", Since: a.config.Now().Unix()}
	days := r.PostFormValue("days")
	if m.GraceDays, err = strconv.Atoi(days); err != nil || m.GraceDays < 0 || m.GraceDays > maxGrace {
		return a.showMandate(w, r, old, m, days, languageOf(r).say("Enter a number of days from 0 to %v.", maxGrace))
	}
	if old.Mandatory {
		m.Since = old.Since
	}
	if err := a.accounts.SetMandate(ctx, m); err != nil {
		return err
	}
	a.config.Logger.InfoContext(ctx, "mandate set", "by", u.ID, "mandatory", m.Mandatory, "grace_days", m.GraceDays)
	text := "Saved. Two-factor authentication is not required."
	switch {
	case m.Mandatory && m.ExemptClients:
		text = "Saved. Two-factor authentication is required for everyone except clients."
	case m.Mandatory:
		text = "Saved. Two-factor authentication is required for everyone."
	}
	return a.say(w, r, keyNotice, text, "/admin/mandate")
}
