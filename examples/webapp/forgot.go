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

// resetPurpose is what the second factor is asked for before a link in an e-mail
// can change a password. A challenge for it does not sign in.
const resetPurpose enrollment.Purpose = "password-reset"

const (
	// linkTTL is how long a link to change a password is good.
	linkTTL = 30 * time.Minute

	// resetTTL is how long the second factor counts for it.
	resetTTL = 10 * time.Minute
)

// links is the table of links that change a password. It holds hashes: who reads
// the database can't open one.
type links struct {
	db  database
	now func() time.Time
}

// add makes a link for the user. The id may be empty: the link then leads
// nowhere, and takes as long to make.
func (t links) add(ctx context.Context, userID string) (token string, err error) {
	token = rand.Text()
	_, err = t.db.ExecContext(ctx, t.db.sql(`INSERT INTO password_links (hash, user_id, expires) VALUES (?1, ?2, ?3)`),
		hashLink(token), userID, t.now().Add(linkTTL).Unix())
	if err != nil {
		return "", fmt.Errorf("making a link: %w", err)
	}
	return token, nil
}

// find returns whose link it is, or errNoUser.
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

// spend deletes the link. It returns errNoUser if it is gone: of two who use it
// at once, one is too late.
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

// forgot sends a link, if there is an account. The page says the same in both
// cases, and takes as long. A real service also limits how often this is asked,
// by address and by account.
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
			Via: "email", To: u.Email, Subject: "Another password",
			Text: "Somebody has asked for a link to change your password. It is good for " + inWords(linkTTL) + ". If it was not you, do nothing.",
			Link: "/forgot/link?" + url.Values{"token": {token}}.Encode(),
		})
	}
	a.say(w, r, keyNotice, "If there is an account with that address, there is a message with a link on its way to it.", "/sign-in")
}

// openLink takes the link out of the address, so that it does not stay in the
// history, and asks for the second factor. What the link is good for is bound to
// a token that nobody can have planted.
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

// resetting returns who has come by a link that is still good, or errNoUser.
func (a *app) resetting(r *http.Request) (user, error) {
	ctx := r.Context()
	id, err := a.links.find(ctx, a.sessions.GetString(ctx, keyReset))
	if err != nil {
		return user{}, err
	}
	return a.users.byID(ctx, id)
}

// mayReset asks the Guard whether whoever has come by the link needs a second
// factor, and whether it was given. What the first factor came over is named,
// so that no code is sent the same way.
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

// resetAnswered goes on after the code. The receipt in the session is what
// counts from here on: for the user who has answered alone, whichever link is
// opened, and not for signing in.
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
	a.sessions.Put(r.Context(), keyStepped+string(resetPurpose), ok.Receipt)
	if !ok.NewCode.IsZero() {
		a.showNewCode(w, r, u, ok.NewCode)
		return
	}
	http.Redirect(w, r, "/forgot/password", http.StatusSeeOther)
}

// reset changes the password. Nobody is signed in by it.
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
	a.say(w, r, keyNotice, "You have a new password. Sign in with it.", "/sign-in")
}

func (a *app) failReset(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoUser) {
		a.say(w, r, keyBad, "That link is not good any more. Ask for another one.", "/forgot")
		return
	}
	a.fail(w, r, err)
}
