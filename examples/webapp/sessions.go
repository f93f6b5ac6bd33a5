package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// What a session holds. Whoever has passed the first step only has keyChallenge
// in it, or keyEnrolling, and no user: forgetting a check somewhere can't turn
// that into a session of somebody. Challenges, receipts and setup tokens are
// sealed by the Guard, so that the table of sessions holds no secret.
const (
	keyUser       = "user"       // who is signed in
	keyGeneration = "generation" // see user.generation, of keyUser or keyEnrolling

	keyChallenge = "challenge" // that waits for its code, of a sign-in or something else
	keyDelivered = "delivered" // may the code come in a message
	keyNoApp     = "no-app"    // can't it come from an app
	keySent      = "sent"      // the challenge of the message that was sent
	keySentTo    = "sent-to"   // where it went, as far as its owner knows it

	keyEnrolling  = "enrolling"    // who has to set up a second factor before anything else
	keyEnrolledAt = "enrolling-at" // since when, in Unix seconds
	keyEnrollBy   = "enroll-by"    // until when that can be put off, in Unix seconds

	keyReceipt   = "receipt"    // of the code that was answered last
	keyReceiptAt = "receipt-at" // when that was, in Unix seconds
	keyStepped   = "stepped-"   // with a purpose behind it: the receipt of the code for it
	keyAfter     = "after"      // the page to go on to after the code

	keySetup  = "setup"   // token of the first setup, if this browser began it
	keyPhone  = "phone"   // token of the phone number that waits for its code
	keyReset  = "reset"   // hash of the link by which a password is being reset
	keyNotice = "notice"  // what to say on the next page
	keyBad    = "problem" // the same, if it is bad
)

const (
	sessionLifetime = 12 * time.Hour
	sweepInterval   = time.Hour
)

func (a *app) newSessions(secure bool) *scs.SessionManager {
	s := scs.New()
	s.Store = sessionTable{a.db}
	s.HashTokenInStore = true // who reads the database can't take over a session
	s.Lifetime = sessionLifetime
	s.Cookie.Name = "session"
	if secure {
		s.Cookie.Name = "__Host-session" // browsers take it by HTTPS only, and from no subdomain
	}
	s.Cookie.Secure = secure
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Persist = false
	s.ErrorFunc = a.internalError
	return s
}

// restart makes the session a new one: another token, so that one which was
// planted before is worth nothing, and nothing left of what was in it.
func (a *app) restart(ctx context.Context) error {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	return a.sessions.Clear(ctx)
}

// start signs the user in.
func (a *app) start(ctx context.Context, u user) error {
	if err := a.restart(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.generation)
	return nil
}

// current returns who is signed in, or errNoUser.
func (a *app) current(ctx context.Context) (user, error) {
	id := a.sessions.GetString(ctx, keyUser)
	if id == "" {
		return user{}, errNoUser
	}
	u, err := a.users.byID(ctx, id)
	if err != nil {
		return user{}, err
	}
	if u.generation != a.sessions.GetInt64(ctx, keyGeneration) {
		return user{}, errNoUser
	}
	return u, nil
}

// keepReceipt remembers that the user has just answered with a code.
func (a *app) keepReceipt(ctx context.Context, receipt string, at time.Time) {
	a.sessions.Put(ctx, keyReceipt, receipt)
	a.sessions.Put(ctx, keyReceiptAt, at.Unix())
}

// sweepSessions deletes sessions and links that have ended, now and then.
func (a *app) sweepSessions(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		for _, table := range []string{"sessions", "password_links"} {
			_, err := a.db.ExecContext(ctx, a.db.sql(`DELETE FROM `+table+` WHERE expires <= ?1`), time.Now().Unix())
			if err != nil && ctx.Err() == nil {
				a.log.Error("sweeping "+table, "error", err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sessionTable keeps sessions in the database, so that they outlive the
// process. The time is the machine's: scs reads no other.
type sessionTable struct{ db database }

var _ scs.CtxStore = sessionTable{}

func (t sessionTable) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = t.db.QueryRowContext(ctx, t.db.sql(`SELECT data FROM sessions WHERE token = ?1 AND expires > ?2 AND length(data) > 0`),
		token, time.Now().Unix()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("finding a session: %w", err)
	}
	return data, true, nil
}

func (t sessionTable) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	_, err := t.db.ExecContext(ctx, t.db.sql(`INSERT INTO sessions (token, data, expires) VALUES (?1, ?2, ?3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires
		WHERE length(sessions.data) > 0`), token, data, expires.Unix())
	if err != nil {
		return fmt.Errorf("saving a session: %w", err)
	}
	return nil
}

// DeleteCtx empties the session and leaves its token to the sweep: a request that
// is still under way with the session writes it back in the end, and would
// bring one to life that its owner has ended.
func (t sessionTable) DeleteCtx(ctx context.Context, token string) error {
	if _, err := t.db.ExecContext(ctx, t.db.sql(`UPDATE sessions SET data = ?2 WHERE token = ?1`), token, []byte{}); err != nil {
		return fmt.Errorf("deleting a session: %w", err)
	}
	return nil
}

// The same for callers without a context. scs asks for them and calls those
// above.

func (t sessionTable) Find(token string) ([]byte, bool, error) {
	return t.FindCtx(context.Background(), token)
}

func (t sessionTable) Commit(token string, data []byte, expires time.Time) error {
	return t.CommitCtx(context.Background(), token, data, expires)
}

func (t sessionTable) Delete(token string) error {
	return t.DeleteCtx(context.Background(), token)
}
