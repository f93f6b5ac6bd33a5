package main

import (
	"encoding/json"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/examples/internal/front"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

type dataPage struct {
	JSON  string
	Asked bool // a code was asked for
}

// data is a page that needs a code, even from a user who is signed in. A user without a
// second factor can't be asked for one.
func (a *app) data(w http.ResponseWriter, r *http.Request, u accounts.User) error {
	status, err := a.guard.Status(r.Context(), u.ID)
	if err != nil {
		return err
	}
	all := map[string]any{"id": u.ID, "email": u.Email, "joined": u.JoinedAt(), "two_factor": status}
	if front.SpeaksJSON(r) {
		return front.WriteJSON(w, http.StatusOK, all)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return a.render(w, r, http.StatusOK, "data", dataPage{string(text), status.Enabled()})
}
