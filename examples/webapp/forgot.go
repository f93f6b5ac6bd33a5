package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// resetPurpose is the purpose of the code that is needed to change a password by
// a link in an e-mail. A challenge with this purpose signs no one in.
const resetPurpose enrollment.Purpose = "password-reset"

const (
	// linkTTL is the lifetime of a link to change a password.
	linkTTL = 30 * time.Minute

	// resetTTL is how long the code counts.
	resetTTL = 10 * time.Minute
)

// links is the table of links that change a password. It holds hashes, so that a
// reader of the database can't use a link.
type links struct {
	db  database
	now func() time.Time
}

// add creates a link for the user. With an empty id it takes the same time, but
// the link does not work.
func (t links) add(ctx context.Context, userID string) (token string, err error) {
	token = rand.Text()
	_, err = t.db.ExecContext(ctx, t.db.sql(`INSERT INTO password_links (hash, user_id, expires) VALUES (?1, ?2, ?3)`),
		hashLink(token), userID, t.now().Add(linkTTL).Unix())
	if err != nil {
		return "", fmt.Errorf("creating a link: %w", err)
	}
	return token, nil
}

// find returns the id of the user whose link it is, or errNoUser.
func (t links) find(ctx context.Context, hash string) (userID string, err error) {
	err = t.db.QueryRowContext(ctx, t.db.sql(`SELECT user_id FROM password_links WHERE hash = ?1 AND expires > ?2`),
		hash, t.now().Unix()).Scan(&userID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoUser
	}
	if err != nil {
		return "", fmt.Errorf("finding a link: %w", err)
	}
	return userID, nil
}

// spend deletes the link. It returns errNoUser if the link is gone, so that only
// one of two simultaneous requests succeeds.
func (t links) spend(ctx context.Context, hash string) error {
	result, err := t.db.ExecContext(ctx, t.db.sql(`DELETE FROM password_links WHERE hash = ?1`), hash)
	if err != nil {
		return fmt.Errorf("spending a link: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errNoUser, err)
	}
	return nil
}

func (t links) removeOf(ctx context.Context, userID string) error {
	_, err := t.db.ExecContext(ctx, t.db.sql(`DELETE FROM password_links WHERE user_id = ?1`), userID)
	if err != nil {
		return fmt.Errorf("deleting links: %w", err)
	}
	return nil
}

func hashLink(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (a *app) forgotForm(w http.ResponseWriter, r *http.Request) {
	a.render(w, r, http.StatusOK, "forgot", nil)
}

// forgot sends a link if the account exists. The answer and the time it takes are
// the same if it does not. A real service also limits requests by IP address and
// by account.
func (a *app) forgot(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	u, _, err := a.users.find(ctx, "email", cleanEmail(r.PostFormValue("email")))
	if err != nil && !errors.Is(err, errNoUser) {
		a.internalError(w, r, err)
		return
	}
	token, err := a.links.add(ctx, u.ID)
	if err != nil {
		a.internalError(w, r, err)
		return
	}
	if u.ID != "" {
		a.mailbox.put(ctx, letter{
			Via: "email", To: u.Email, Subject: "Reset your password",
			Text: "Someone asked for a link to change your password. The link expires in " + inWords(linkTTL) + ". If it was not you, ignore this message.",
			Link: "/forgot/link?" + url.Values{"token": {token}}.Encode(),
		})
	}
	a.say(w, r, keyNotice, "If that address has an account, we have sent it a message with a link.", "/sign-in")
}

// openLink moves the link from the URL into the session, so that it does not stay
// in the browser's history. It renews the session token first: an attacker may
// have planted the old one.
func (a *app) openLink(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := a.sessions.RenewToken(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(ctx, keyReset, hashLink(r.URL.Query().Get("token")))
	a.sessions.Remove(ctx, keyStepped+string(resetPurpose))
	a.dropChallenge(ctx)
	http.Redirect(w, r, "/forgot/password", http.StatusSeeOther)
}

// resetting returns the user of the link in the session, or errNoUser.
func (a *app) resetting(r *http.Request) (user, error) {
	ctx := r.Context()
	id, err := a.links.find(ctx, a.sessions.GetString(ctx, keyReset))
	if err != nil {
		return user{}, err
	}
	return a.users.byID(ctx, id)
}

// mayReset reports whether the password can be changed: the user has no second
// factor, or has entered a code. Otherwise the decision holds a challenge. The
// first factor came by e-mail, so no code may be sent by e-mail.
func (a *app) mayReset(r *http.Request, u user) (bool, enrollment.Decision, error) {
	decision, err := a.guard.SignIn(r.Context(), u.ID, enrollment.SignInOptions{Purpose: resetPurpose, Channel: "email"})
	if err != nil || decision.Next == enrollment.Proceed {
		return err == nil, decision, err
	}
	_, recent, err := a.recently(r, u, resetPurpose, resetTTL)
	return recent, decision, err
}

func (a *app) resetForm(w http.ResponseWriter, r *http.Request) {
	u, err := a.resetting(r)
	if err != nil {
		a.failReset(w, r, err)
		return
	}
	may, decision, err := a.mayReset(r, u)
	switch {
	case err != nil:
		a.failReset(w, r, err)
	case !may:
		a.keepChallenge(r.Context(), decision)
		http.Redirect(w, r, resetStep.path, http.StatusSeeOther)
	default:
		a.render(w, r, http.StatusOK, "password", passwordPage{Action: "/forgot/password"})
	}
}

// resetAnswered continues after the code. From here on the receipt in the session
// counts. It is valid for that user only, whichever link is opened later, and it
// signs no one in.
func (a *app) resetAnswered(w http.ResponseWriter, r *http.Request, ok enrollment.Success) {
	u, err := a.resetting(r)
	if err != nil {
		a.failReset(w, r, err)
		return
	}
	if err := a.sessions.RenewToken(r.Context()); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.sessions.Put(r.Context(), keyStepped+string(resetPurpose), ok.Receipt.Reveal())
	if !ok.NewCode.IsZero() {
		a.showNewCode(w, r, u, ok.NewCode)
		return
	}
	http.Redirect(w, r, "/forgot/password", http.StatusSeeOther)
}

// reset changes the password. It does not sign the user in.
func (a *app) reset(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	u, err := a.resetting(r)
	if err != nil {
		a.failReset(w, r, err)
		return
	}
	may, _, err := a.mayReset(r, u)
	if err != nil {
		a.failReset(w, r, err)
		return
	}
	if !may {
		http.Redirect(w, r, "/forgot/password", http.StatusSeeOther)
		return
	}
	word := r.PostFormValue("password")
	if err := checkPassword(word); err != nil {
		form := passwordPage{Action: "/forgot/password", BadWord: signUpWords(err)}
		a.render(w, r, http.StatusUnprocessableEntity, "password", form)
		return
	}
	if err := a.links.spend(ctx, a.sessions.GetString(ctx, keyReset)); err != nil {
		a.failReset(w, r, err)
		return
	}
	if err := a.newPassword(ctx, u, word); err != nil {
		a.internalError(w, r, err)
		return
	}
	if err := a.restart(ctx); err != nil {
		a.internalError(w, r, err)
		return
	}
	a.say(w, r, keyNotice, "Password changed. Please sign in.", "/sign-in")
}

func (a *app) failReset(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoUser) {
		a.say(w, r, keyBad, "That link is no longer valid. Ask for a new one.", "/forgot")
		return
	}
	a.fail(w, r, err)
}
