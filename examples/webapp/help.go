package main

import (
	"context"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The actions of an administrator. The user is told about each one, with the
// reason.

func (a *app) resetFactor(w http.ResponseWriter, r *http.Request, u user) {
	a.takeAway(w, r, u, enrollment.Admin.Reset)
}

func (a *app) approveReset(w http.ResponseWriter, r *http.Request, u user) {
	a.takeAway(w, r, u, enrollment.Admin.ApproveReset)
}

// takingAway is Reset or ApproveReset.
type takingAway func(x enrollment.Admin, ctx context.Context, userID string, o enrollment.ResetOptions) (enrollment.Ticket, error)

// takeAway turns off the user's second factor. This also ends the user's sessions, which
// may be someone else's: their stamp is an old one. The ticket is shown in the response and
// stored nowhere.
func (a *app) takeAway(w http.ResponseWriter, r *http.Request, u user, how takingAway) {
	ctx := r.Context()
	var ticket enrollment.Ticket
	o := enrollment.ResetOptions{Ticket: r.PostFormValue("ticket") != ""}
	done := "Two-factor authentication is now off for this user."
	if o.Ticket {
		done = "" // the page with the ticket says it
	}
	ok := a.administer(w, r, u, done, func(admin enrollment.Admin, id string) (err error) {
		ticket, err = how(admin, ctx, id, o)
		return err
	})
	if ok && o.Ticket {
		a.showMember(w, r, u, r.PostFormValue("id"), ticket)
	}
}

func (a *app) refuseReset(w http.ResponseWriter, r *http.Request, u user) {
	a.administer(w, r, u, "Request refused.", func(admin enrollment.Admin, id string) error {
		return admin.RefuseReset(r.Context(), id)
	})
}

func (a *app) unlock(w http.ResponseWriter, r *http.Request, u user) {
	a.administer(w, r, u, "The user can try again.", func(admin enrollment.Admin, id string) error {
		return admin.Unlock(r.Context(), id)
	})
}

// pass lets the user sign in without a code for a day.
func (a *app) pass(w http.ResponseWriter, r *http.Request, u user) {
	a.administer(w, r, u, "The user can sign in without a code for "+inWords(passTime)+".", func(admin enrollment.Admin, id string) error {
		return admin.Bypass(r.Context(), id, a.now().Add(passTime))
	})
}

// rights changes whether a user is an administrator and whether a mandate applies
// to the user. The Guard knows nothing about either.
func (a *app) rights(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	id := r.PostFormValue("id")
	if id == u.ID { // one administrator must remain
		a.say(w, r, keyBad, deniedInWords(&enrollment.Denied{Reason: enrollment.ReasonOwnAccount}, a.now()), memberPath(id))
		return
	}
	for _, flag := range []string{"admin", "exempt"} {
		if err := a.users.setFlag(ctx, id, flag, r.PostFormValue(flag) != ""); err != nil {
			a.internalError(w, r, err)
			return
		}
	}
	a.log.InfoContext(ctx, "rights set", "by", u.ID, "user", id,
		"admin", r.PostFormValue("admin") != "", "exempt", r.PostFormValue("exempt") != "")
	a.say(w, r, keyNotice, "Rights changed.", memberPath(id))
}

// erase deletes the user and the two-factor account. The account goes first, so
// that erase can be called again if the rest fails.
func (a *app) erase(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	if r.PostFormValue("sure") == "" {
		a.say(w, r, keyBad, "Tick the box if you are sure.", memberPath(r.PostFormValue("id")))
		return
	}
	ok := a.administer(w, r, u, "", func(admin enrollment.Admin, id string) error {
		if err := admin.Erase(ctx, id); err != nil {
			return err
		}
		return a.users.remove(ctx, id)
	})
	if ok {
		a.say(w, r, keyNotice, "User deleted.", "/admin/members")
	}
}

// cleanReason makes a valid reason from what the administrator typed.
func cleanReason(reason string) string { return cleanText(reason, enrollment.MaxAdminReason) }
