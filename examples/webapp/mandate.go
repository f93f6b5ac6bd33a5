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
	Form     mandateForm
	MaxGrace int
	Problem  string
	Clients  int64 // how many users are clients
	Hit      int   // how many have no second factor, and have to set one up
}

// mandateForm is the form as it is shown: with the current mandate, or as it was sent.
type mandateForm struct {
	All, Exempt bool
	Days        string
}

// mandate shows the current mandate.
func (a *app) mandate(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	m, err := a.accounts.Mandate(r.Context())
	if err != nil {
		return err
	}
	return a.showMandate(w, r, m, mandateForm{m.Mandatory, m.ExemptClients, strconv.Itoa(m.GraceDays)}, "")
}

func (a *app) showMandate(w http.ResponseWriter, r *http.Request, m accounts.Mandate, form mandateForm, problem string) (err error) {
	page := mandatePage{Mandate: m, Since: time.Unix(m.Since, 0), Form: form, MaxGrace: maxGrace, Problem: problem}
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
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return a.render(w, r, status, "mandate", page)
}

// setMandate changes the mandate. A new number of days counts from the day it was
// turned on, not from today.
func (a *app) setMandate(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	ctx := r.Context()
	old, err := a.accounts.Mandate(ctx)
	if err != nil {
		return err
	}
	form := mandateForm{r.PostFormValue("mandatory") == "yes", r.PostFormValue("exempt") != "", r.PostFormValue("days")}
	days, err := strconv.Atoi(form.Days)
	if err != nil || days < 0 || days > maxGrace {
		return a.showMandate(w, r, old, form, languageOf(r).say("Enter a number of days from 0 to %v.", maxGrace))
	}
	m := accounts.Mandate{Mandatory: form.All, Since: a.config.Now().Unix(), GraceDays: days, ExemptClients: form.Exempt}
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
