package main

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
)

const (
	// memberRows is the number of users on a page of the list.
	memberRows = 50

	// accountSweep is the time between two sweeps of the accounts.
	accountSweep = time.Minute
)

// A member is a user with the status of the second factor.
type member struct {
	user
	Status enrollment.Status
	Err    error // the account can't be opened, so the status is unknown
}

// all returns the users in the order of their e-mail addresses, starting after
// the given address. It reads a page of users from our table, and asks the
// library for all their accounts with one call.
func (a *app) all(ctx context.Context, after string) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		for {
			page, err := a.users.page(ctx, after, memberRows)
			if err != nil {
				yield(member{}, err)
				return
			}
			var ids []string
			for _, u := range page {
				ids = append(ids, u.ID)
			}
			found, err := a.directory.Statuses(ctx, ids)
			var unreadable *enrollment.UnreadableError
			if err != nil && !errors.As(err, &unreadable) {
				yield(member{}, err)
				return
			}
			for _, u := range page {
				m := member{user: u, Status: found[u.ID]}
				if unreadable != nil {
					m.Err = unreadable.Users[u.ID]
				}
				if !yield(m, nil) {
					return
				}
				after = u.Email
			}
			if len(page) < memberRows {
				return
			}
		}
	}
}

// membersPage is a page of the list.
type membersPage struct {
	Factor string // "on", "off" or "" for both
	Rows   []member
	Next   string // URL of the next page, or ""
	File   string
}

// shows reports whether a member matches the filter. An account that can't be
// opened matches every filter.
func shows(factor string, m member) bool {
	return m.Err != nil || factor == "" || (factor == "on") == m.Status.Enabled()
}

func readFilter(r *http.Request) string {
	switch f := r.URL.Query().Get("factor"); f {
	case "on", "off":
		return f
	}
	return ""
}

// members lists the users: all, or only those with or without a second factor.
func (a *app) members(w http.ResponseWriter, r *http.Request, _ user) {
	page := membersPage{Factor: readFilter(r)}
	query := url.Values{"factor": {page.Factor}}
	page.File = "/admin/members.csv?" + query.Encode()
	for m, err := range a.all(r.Context(), r.URL.Query().Get("after")) {
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		if !shows(page.Factor, m) {
			continue
		}
		if len(page.Rows) == memberRows {
			query.Set("after", page.Rows[memberRows-1].Email)
			page.Next = "/admin/members?" + query.Encode()
			break
		}
		if m.Err != nil {
			a.log.ErrorContext(r.Context(), "account can't be opened", "user", m.ID, "error", m.Err)
		}
		page.Rows = append(page.Rows, m)
	}
	a.render(w, r, http.StatusOK, "members", page)
}

// membersFile sends the list as a CSV file.
func (a *app) membersFile(w http.ResponseWriter, r *http.Request, _ user) {
	factor := readFilter(r)
	var row member // the member of the current row, for our own columns
	list := func(yield func(enrollment.Member, error) bool) {
		for m, err := range a.all(r.Context(), "") {
			if err != nil {
				yield(enrollment.Member{}, err)
				return
			}
			if row = m; shows(factor, m) && !yield(enrollment.Member{UserID: m.ID, Status: m.Status}, m.Err) {
				return
			}
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="members.csv"`)
	_, err := report.WriteCSV(w, list,
		report.Column{Header: "email", Value: func(enrollment.Member) string { return row.Email }},
		report.Column{Header: "joined", Value: func(enrollment.Member) string { return row.Joined.Format(time.RFC3339) }},
	)
	if err != nil {
		a.log.ErrorContext(r.Context(), "writing the list of members", "error", err)
		panic(http.ErrAbortHandler) // a truncated file must not look complete
	}
}

// sweepAccounts calls Sweep every minute until the context ends. Sweep delivers
// notifications that are due: reminders of requests for a reset, and events that
// a crash left undelivered.
func (a *app) sweepAccounts(ctx context.Context) {
	ticker := time.NewTicker(accountSweep)
	defer ticker.Stop()
	for {
		done, err := a.directory.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("sweeping accounts", "error", err)
		}
		for _, f := range done.Failed.First {
			a.log.Error("sweeping an account", "user", f.UserID, "error", f.Err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
