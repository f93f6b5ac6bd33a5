package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// memberRows is the number of users on a page of the list.
const memberRows = 50

// A member is a user with the status of the second factor.
type member struct {
	accounts.User
	Status enrollment.Status
	Err    error // the account can't be opened, so the status is unknown
}

// search returns the users whose e-mail addresses contain the text, in the order of these.
// It has one query for the users, and the library one for each thousand of their accounts.
func (a *app) search(ctx context.Context, text string) (found []member, err error) {
	users, err := a.accounts.Search(ctx, text)
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	for m, err := range a.directory.Members(ctx, slices.Values(ids)) {
		if m.UserID == "" { // none can be read
			return nil, err
		}
		found = append(found, member{users[len(found)], m.Status, err})
	}
	return found, err
}

// membersPage is a page of the list.
type membersPage struct {
	Search         string
	Factor         string // "on", "off" or "" for both
	Total, On, Off int    // of those that the search finds
	Rows           []member
	Next           string // the address that the next page begins after, or ""
}

// shows reports whether a member matches the filter. An account that can't be
// opened matches every filter.
func shows(factor string, m member) bool {
	return m.Err != nil || factor == "" || (factor == "on") == m.Status.Enabled()
}

func readFilter(r *http.Request) (factor, search string) {
	query := r.URL.Query()
	if f := query.Get("factor"); f == "on" || f == "off" {
		factor = f
	}
	return factor, accounts.CleanEmail(query.Get("search"))
}

// members lists the users that the search finds: all, or only those with or without a
// second factor. It counts them all, so it reads all their accounts.
func (a *app) members(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	var page membersPage
	page.Factor, page.Search = readFilter(r)
	after := r.URL.Query().Get("after")
	all, err := a.search(r.Context(), page.Search)
	if err != nil {
		return err
	}
	page.Total = len(all)
	for _, m := range all {
		switch {
		case m.Err != nil:
			a.config.Logger.ErrorContext(r.Context(), "account can't be opened", "user", m.ID, "error", m.Err)
		case m.Status.Enabled():
			page.On++
		default:
			page.Off++
		}
		switch {
		case m.Email <= after || !shows(page.Factor, m) || page.Next != "":
		case len(page.Rows) == memberRows:
			page.Next = page.Rows[memberRows-1].Email
		default:
			page.Rows = append(page.Rows, m)
		}
	}
	return a.render(w, r, http.StatusOK, "members", page)
}

// membersFile sends the list as a CSV file.
func (a *app) membersFile(w http.ResponseWriter, r *http.Request, _ accounts.User) error {
	factor, search := readFilter(r)
	all, err := a.search(r.Context(), search)
	if err != nil {
		return err
	}
	var row member // the member of the current row, for our own columns
	list := func(yield func(enrollment.Member, error) bool) {
		for _, row = range all {
			if shows(factor, row) && !yield(enrollment.Member{UserID: row.ID, Status: row.Status}, row.Err) {
				return
			}
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="members.csv"`)
	_, err = report.WriteCSV(w, list,
		report.Column{Header: "email", Value: func(enrollment.Member) string { return row.Email }},
		report.Column{Header: "role", Value: func(enrollment.Member) string { return string(row.Role) }},
		report.Column{Header: "joined", Value: func(enrollment.Member) string { return row.JoinedAt().Format(time.RFC3339) }},
	)
	if err != nil {
		a.config.Logger.ErrorContext(r.Context(), "writing the list of members", "error", err)
		panic(http.ErrAbortHandler) // a truncated file must not look complete
	}
	return nil
}
