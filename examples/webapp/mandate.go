package main

import (
	"context"
	"database/sql"
	"errors"
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
}

// login returns the options of a sign-in of the user. The mandate does not apply
// to exempt users. Users who joined after it began have no days of grace.
func (m mandate) login(u user) enrollment.SignInOptions {
	if !m.Mandatory || u.Exempt {
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
	err = t.db.QueryRowContext(ctx, `SELECT mandatory = 1, since, grace_days FROM mandate WHERE id = 1`).
		Scan(&m.Mandatory, &since, &m.GraceDays)
	if errors.Is(err, sql.ErrNoRows) {
		return mandate{}, nil
	}
	if err != nil {
		return mandate{}, fmt.Errorf("reading the mandate: %w", err)
	}
	m.Since = time.Unix(since, 0).UTC()
	return m, nil
}

func (t mandates) set(ctx context.Context, m mandate) error {
	on := 0
	if m.Mandatory {
		on = 1
	}
	_, err := t.db.ExecContext(ctx, t.db.sql(`INSERT INTO mandate (id, mandatory, since, grace_days) VALUES (1, ?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET mandatory = excluded.mandatory, since = excluded.since, grace_days = excluded.grace_days`),
		on, m.Since.Unix(), m.GraceDays)
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
	Exempt   []user
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
	exempt, err := a.users.exempt(r.Context())
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	a.render(w, r, status, "mandate", mandatePage{mandate: m, MaxGrace: maxGrace, Deadline: m.deadline(), Problem: problem, Exempt: exempt})
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
	m := mandate{Mandatory: r.PostFormValue("mandatory") == "yes", Since: a.now(), GraceDays: days}
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
		text = "Saved. Two-factor authentication is required for everyone except exempt users."
	}
	a.say(w, r, keyNotice, text, "/admin/mandate")
}
