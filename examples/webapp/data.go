package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// dataPurpose is the purpose of the code for the page of personal data.
const dataPurpose enrollment.Purpose = "personal-data"

// dataTTL is how long that code counts.
const dataTTL = 5 * time.Minute

type dataPage struct {
	User  *user
	JSON  string
	Until time.Time
}

// data is a page that needs a code, even from a user who is signed in.
func (a *app) data(w http.ResponseWriter, r *http.Request, u user) {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	opened, recent, err := a.recently(r, u, dataPurpose, dataTTL)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if status.Enabled() && !recent {
		a.ask(w, r, dataQuestion(), nil)
		return
	}
	// A user without a second factor can't be asked for a code. A service that
	// requires one here sends the user to the security page instead.
	text, err := json.MarshalIndent(struct {
		ID        string            `json:"id"`
		Email     string            `json:"email"`
		Joined    time.Time         `json:"joined"`
		TwoFactor enrollment.Status `json:"two_factor"`
	}{u.ID, u.Email, u.Joined, status}, "", "  ")
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	page := dataPage{User: &u, JSON: string(text)}
	if status.Enabled() {
		page.Until = opened.Add(dataTTL)
	}
	a.render(w, r, http.StatusOK, "data", page)
}

// openData checks the code for the page.
func (a *app) openData(w http.ResponseWriter, r *http.Request, u user) {
	a.stepUp(w, r, u, dataPurpose, dataQuestion(), "/data")
}

func dataQuestion() question {
	return question{
		Title:   "Confirm it’s you",
		Text:    []string{"The next page shows everything we keep about you. Enter a code first, in case someone else is using your computer."},
		Action:  "/data",
		Button:  "Show my data",
		Cancel:  "/",
		AskCode: true,
	}
}
