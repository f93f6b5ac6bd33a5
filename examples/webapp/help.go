package main

import (
	"context"
	"net/http"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// What an administrator can do for a user. Each is an event that the user hears
// of, with the reason.

func (a *app) resetFactor(w http.ResponseWriter, r *http.Request, u user) {
	a.takeAway(w, r, u, enrollment.Admin.Reset)
}

func (a *app) approveReset(w http.ResponseWriter, r *http.Request, u user) {
	a.takeAway(w, r, u, enrollment.Admin.ApproveReset)
}

// takingAway is Reset or ApproveReset.
type takingAway func(x enrollment.Admin, ctx context.Context, userID string, o enrollment.ResetOptions) (recovery.Code, error)

// takeAway switches the user's second factor off. The user's sessions end with
// it: whose they are is what is in doubt. A ticket is shown on the page that
// answers, and is kept nowhere.
func (a *app) takeAway(w http.ResponseWriter, r *http.Request, u user, how takingAway) {
	ctx := r.Context()
	var ticket recovery.Code
	o := enrollment.ResetOptions{Ticket: r.PostFormValue("ticket") != ""}
	done := "Two-factor authentication is off for this user."
	if o.Ticket {
		done = "" // the page with the ticket says so
	}
	ok := a.administer(w, r, u, done, func(admin enrollment.Admin, id string) (err error) {
		if ticket, err = how(admin, ctx, id, o); err != nil {
			return err
		}
		if _, err := a.users.renew(ctx, id); err != nil {
			a.log.ErrorContext(ctx, "ending sessions", "user", id, "error", err)
		}
		return nil
	})
	if ok && o.Ticket {
		a.showMember(w, r, u, r.PostFormValue("id"), ticket)
	}
}

func (a *app) refuseReset(w http.ResponseWriter, r *http.Request, u user) {
	a.administer(w, r, u, "The request is refused.", func(admin enrollment.Admin, id string) error {
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

// rights changes who is an administrator, and to whom a mandate applies. It is no
// matter of two-factor authentication, and so the Guard does not hear of it.
func (a *app) rights(w http.ResponseWriter, r *http.Request, u user) {
	ctx := r.Context()
	id := r.PostFormValue("id")
	if id == u.ID { // so that one administrator is always left
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
	a.say(w, r, keyNotice, "The rights are changed.", memberPath(id))
}

// erase deletes the user, two-factor account and all. The account goes first: if
// the rest fails, the user can be erased again.
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
		a.say(w, r, keyNotice, "The user is deleted.", "/admin/members")
	}
}

// cleanReason makes what an administrator typed fit to be a reason.
func cleanReason(reason string) string { return cleanText(reason, enrollment.MaxAdminReason) }
