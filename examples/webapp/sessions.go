package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// The keys of a session. After the first step alone a session has keyChallenge or
// keyEnrolling, but no keyUser, so a forgotten check can't sign anyone in. The
// Guard seals challenges, receipts and setup tokens, so the sessions table holds
// no secrets.
const (
	keyUser       = "user"       // the user who is signed in
	keyGeneration = "generation" // user.generation of keyUser or keyEnrolling
	keyStamp      = "stamp"      // the enrollment.Stamp of keyUser

	keyChallenge = "challenge" // the challenge to answer, for a sign-in or another purpose
	keyDelivered = "delivered" // the code may come by message
	keyNoApp     = "no-app"    // the user has no authenticator app
	keySent      = "sent"      // the challenge of the message that was sent
	keySentTo    = "sent-to"   // a hint of the number it was sent to

	keyEnrolling  = "enrolling"    // the user who must first set up a second factor
	keyEnrolledAt = "enrolling-at" // since when, in Unix seconds
	keyEnrollBy   = "enroll-by"    // deadline for a setup, in Unix seconds

	keyReceipt   = "receipt"    // the receipt of the last code
	keyReceiptAt = "receipt-at" // when it was entered, in Unix seconds
	keyStepped   = "stepped-"   // plus a purpose: the receipt of the last code for it
	keyAfter     = "after"      // the page to continue to after a code

	keySetup  = "setup"   // token of the first setup, if this browser started it
	keyPhone  = "phone"   // token of a phone number that is not yet confirmed
	keyReset  = "reset"   // hash of the link that resets a password
	keyNotice = "notice"  // good news for the next page
	keyBad    = "problem" // bad news for the next page
)

const (
	sessionLifetime = 12 * time.Hour
	sweepInterval   = time.Hour
)

func (a *app) newSessions(secure bool) *scs.SessionManager {
	s := scs.New()
	s.Store = sessionTable{a.db}
	s.HashTokenInStore = true // a reader of the database can't take over a session
	s.Lifetime = sessionLifetime
	s.Cookie.Name = "session"
	if secure {
		s.Cookie.Name = "__Host-session" // browsers accept it over HTTPS only, and not from subdomains
	}
	s.Cookie.Secure = secure
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Persist = false
	s.ErrorFunc = a.internalError
	return s
}

// restart empties the session and gives it a new token. A token that an attacker
// planted before is then worthless.
func (a *app) restart(ctx context.Context) error {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	return a.sessions.Clear(ctx)
}

// start signs the user in. The session ends with the next change of password or second
// factor that another session makes.
func (a *app) start(ctx context.Context, u user, stamp enrollment.Stamp) error {
	if err := a.restart(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.generation)
	a.sessions.Put(ctx, keyStamp, string(stamp))
	return nil
}

// stay keeps the session signed in after a change of second factor that it has made
// itself. After an error it has ended, and the user signs in again.
func (a *app) stay(ctx context.Context, u user) {
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		a.log.ErrorContext(ctx, "keeping a session", "user", u.ID, "error", err)
		return
	}
	a.sessions.Put(ctx, keyStamp, string(status.Stamp))
}

// current returns the user who is signed in, or errNoUser.
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
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		return user{}, err
	}
	if string(status.Stamp) != a.sessions.GetString(ctx, keyStamp) {
		return user{}, errNoUser
	}
	return u, nil
}

// keepReceipt stores the receipt of a code that the user has just entered.
func (a *app) keepReceipt(ctx context.Context, receipt enrollment.Receipt, at time.Time) {
	a.sessions.Put(ctx, keyReceipt, receipt.Reveal())
	a.sessions.Put(ctx, keyReceiptAt, at.Unix())
}

// sweepSessions deletes expired sessions and links once an hour.
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

// sessionTable keeps sessions in the database, so that they survive a restart. It
// uses the clock of the machine, as scs does.
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

// DeleteCtx empties the session and leaves its row to the sweep. Another request
// of the same session may still be running. It writes the session at its end, and
// would restore a row that was deleted.
func (t sessionTable) DeleteCtx(ctx context.Context, token string) error {
	if _, err := t.db.ExecContext(ctx, t.db.sql(`UPDATE sessions SET data = ?2 WHERE token = ?1`), token, []byte{}); err != nil {
		return fmt.Errorf("deleting a session: %w", err)
	}
	return nil
}

// scs.Store requires these three methods. scs calls those with a context instead.

func (t sessionTable) Find(token string) ([]byte, bool, error) {
	return t.FindCtx(context.Background(), token)
}

func (t sessionTable) Commit(token string, data []byte, expires time.Time) error {
	return t.CommitCtx(context.Background(), token, data, expires)
}

func (t sessionTable) Delete(token string) error {
	return t.DeleteCtx(context.Background(), token)
}
