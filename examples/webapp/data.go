package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// dataPurpose is the purpose of the code for the page of personal data. dataTTL is how
// long that code counts.
const (
	dataPurpose enrollment.Purpose = "personal-data"
	dataTTL                        = 5 * time.Minute
)

type dataPage struct {
	JSON  string
	Asked bool // a code was asked for
}

// data is a page that needs a code, even from a user who is signed in. A user without a
// second factor can't be asked for one. A service that requires a code here sends the
// user to the security page instead.
func (a *app) data(w http.ResponseWriter, r *http.Request, u user) {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
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
	a.render(w, r, http.StatusOK, "data", dataPage{string(text), status.Enabled()})
}
