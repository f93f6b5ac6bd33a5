package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// stepUp checks a code from a user who is signed in, before an action that needs
// one, and redirects to a page of this site. The session gets a new token, because
// it has more rights from now on.
func (a *app) stepUp(w http.ResponseWriter, r *http.Request, u user, purpose enrollment.Purpose, q question, to string) {
	ctx := r.Context()
	ok, err := a.guard.Verify(ctx, u.ID, purpose, r.PostFormValue("code"))
	if err != nil {
		if !a.ask(w, r, q, err) {
			a.fail(w, r, err)
		}
		return
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyStamp, string(ok.Stamp)) // a recovery code changes it
	a.keepReceipt(ctx, ok.Receipt, ok.At)
	a.sessions.Put(ctx, keyStepped+string(purpose), ok.Receipt.Reveal())
	if !ok.NewCode.IsZero() {
		a.showNewCode(w, r, u, ok.NewCode)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// recently reports whether the user has entered a code for that purpose in this
// session a short time ago, and when. The Guard reads this from the receipt. Any
// change of factor invalidates receipts.
func (a *app) recently(r *http.Request, u user, purpose enrollment.Purpose, within time.Duration) (at time.Time, recent bool, err error) {
	receipt := a.sessions.GetString(r.Context(), keyStepped+string(purpose))
	if receipt == "" {
		return time.Time{}, false, nil
	}
	ok, err := a.guard.RecentlyVerified(r.Context(), u.ID, purpose, enrollment.ReceiptOf(receipt), within)
	if errors.Is(err, enrollment.ErrProof) {
		return time.Time{}, false, nil
	}
	return ok.At, err == nil, err
}
