package main

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
)

// memberRows is the number of users on a page of the list.
const memberRows = 50

// A member is a user with the status of the second factor.
type member struct {
	user
	Status enrollment.Status
	Err    error // the account can't be opened, so the status is unknown
}

// all returns the users in the order of their e-mail addresses, starting after the given
// address. Their addresses contain the text that is searched for. It reads a page of users from our table, and asks the
// library for all their accounts with one call.
func (a *app) all(ctx context.Context, search, after string) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		for {
			page, err := a.users.page(ctx, search, after, memberRows)
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
	Search      string
	Factor      string // "on", "off" or "" for both
	Total, On   int    // of those that the search finds
	Unreadable  int
	Rows        []member
	Next, File  string // addresses; Next is "" on the last page
	All, OnlyOn string
	OnlyOff     string
}

// Off returns how many have no second factor.
func (p membersPage) Off() int { return p.Total - p.On - p.Unreadable }

// shows reports whether a member matches the filter. An account that can't be
// opened matches every filter.
func shows(factor string, m member) bool {
	return m.Err != nil || factor == "" || (factor == "on") == m.Status.Enabled()
}

// maxSearch is the length of the longest text to search for, in bytes.
const maxSearch = 100

func readFilter(r *http.Request) (factor, search string) {
	query := r.URL.Query()
	if f := query.Get("factor"); f == "on" || f == "off" {
		factor = f
	}
	search = strings.ToLower(strings.TrimSpace(query.Get("search")))
	if len(search) > maxSearch || !utf8.ValidString(search) || strings.ContainsRune(search, 0) {
		search = ""
	}
	return factor, search
}

// membersAt returns the address of a list.
func membersAt(page, factor, search, after string) string {
	query := url.Values{}
	for name, value := range map[string]string{"factor": factor, "search": search, "after": after} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return page
	}
	return page + "?" + query.Encode()
}

// members lists the users that the search finds: all, or only those with or without a
// second factor. It counts them all, so it reads all their accounts.
func (a *app) members(w http.ResponseWriter, r *http.Request, _ user) {
	const list = "/admin/members"
	factor, search := readFilter(r)
	page := membersPage{
		Search: search, Factor: factor, File: membersAt(list+".csv", factor, search, ""), All: membersAt(list, "", search, ""),
		OnlyOn: membersAt(list, "on", search, ""), OnlyOff: membersAt(list, "off", search, ""),
	}
	after := r.URL.Query().Get("after")
	for m, err := range a.all(r.Context(), search, "") {
		if err != nil {
			a.internalError(w, r, err)
			return
		}
		page.count(m)
		switch {
		case m.Email <= after || !shows(factor, m) || page.Next != "":
		case len(page.Rows) == memberRows:
			page.Next = membersAt(list, factor, search, page.Rows[memberRows-1].Email)
		default:
			page.Rows = append(page.Rows, m)
		}
		if m.Err != nil {
			a.log.ErrorContext(r.Context(), "account can't be opened", "user", m.ID, "error", m.Err)
		}
	}
	a.render(w, r, http.StatusOK, "members", page)
}

func (p *membersPage) count(m member) {
	p.Total++
	switch {
	case m.Err != nil:
		p.Unreadable++
	case m.Status.Enabled():
		p.On++
	}
}

// membersFile sends the list as a CSV file.
func (a *app) membersFile(w http.ResponseWriter, r *http.Request, _ user) {
	factor, search := readFilter(r)
	var row member // the member of the current row, for our own columns
	list := func(yield func(enrollment.Member, error) bool) {
		for m, err := range a.all(r.Context(), search, "") {
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
		report.Column{Header: "role", Value: func(enrollment.Member) string { return string(row.Role) }},
		report.Column{Header: "joined", Value: func(enrollment.Member) string { return row.Joined.Format(time.RFC3339) }},
	)
	if err != nil {
		a.log.ErrorContext(r.Context(), "writing the list of members", "error", err)
		panic(http.ErrAbortHandler) // a truncated file must not look complete
	}
}

// sweepAccounts delivers notifications that are due: reminders of requests for a reset,
// and events that a crash left undelivered.
func (a *app) sweepAccounts(ctx context.Context) {
	done, err := a.directory.Sweep(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.Error("sweeping accounts", "error", err)
	}
	for _, f := range done.Failed.First {
		a.log.Error("sweeping an account", "user", f.UserID, "error", f.Err)
	}
}
