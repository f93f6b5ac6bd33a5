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
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// The keys of a session. After the password alone it has no keyUser. What a sign-in is
// up to then, and receipts, are in cookies of package web and not here.
const (
	keyUser       = "user"       // the user who is signed in
	keyGeneration = "generation" // user.generation of keyUser
	keyStamp      = "stamp"      // the enrollment.Stamp of keyUser
	keyPasswordAt = "password"   // when the password was entered, in Unix seconds
	keyUntil      = "until"      // when a pass ends, and with it the session
	keyEnrollBy   = "enroll-by"  // deadline for a setup, in Unix seconds
	keyReset      = "reset"      // hash of the link that resets a password
	keyEmail      = "email"      // filled in at the sign-in, in a demonstration
	keyAfter      = "after"      // where a story of the demonstration begins
	keyReason     = "reason"     // what an administrator has typed
	keyNotice     = "notice"     // good news for the next page
	keyWarning    = "warning"    // what the user should know on the next page
	keyBad        = "problem"    // bad news for the next page
)

const sessionLifetime = 12 * time.Hour

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
	a.sessions.Put(ctx, keyPasswordAt, a.now().Unix())
	return nil
}

// current returns the user who is signed in, or errNoUser.
func (a *app) current(ctx context.Context) (user, error) {
	id, until := a.sessions.GetString(ctx, keyUser), a.sessions.GetInt64(ctx, keyUntil)
	if id == "" || until > 0 && a.now().Unix() >= until {
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

// sweepSessions deletes expired sessions and links.
func (a *app) sweepSessions(ctx context.Context) {
	for _, table := range []string{"sessions", "password_links"} {
		_, err := a.db.exec(ctx, `DELETE FROM `+table+` WHERE expires <= ?1`, time.Now().Unix())
		if err != nil && ctx.Err() == nil {
			a.log.Error("sweeping "+table, "error", err)
		}
	}
}

// sessionTable keeps sessions in the database, so that they survive a restart. It
// uses the clock of the machine, as scs does.
type sessionTable struct{ db database }

var _ scs.CtxStore = sessionTable{}

func (t sessionTable) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = t.db.row(ctx, `SELECT data FROM sessions WHERE token = ?1 AND expires > ?2 AND length(data) > 0`,
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
	statement := `INSERT INTO sessions (token, data, expires) VALUES (?1, ?2, ?3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires
		WHERE length(sessions.data) > 0`
	if t.db.dialect == sqlstore.MySQL {
		statement = `INSERT INTO sessions (token, data, expires) VALUES (?1, ?2, ?3)
		ON DUPLICATE KEY UPDATE expires = IF(length(data) > 0, VALUES(expires), expires),
		data = IF(length(data) > 0, VALUES(data), data)`
	}
	_, err := t.db.exec(ctx, statement, token, data, expires.Unix())
	if err != nil {
		return fmt.Errorf("saving a session: %w", err)
	}
	return nil
}

// DeleteCtx empties the session and leaves its row to the sweep. Another request
// of the same session may still be running. It writes the session at its end, and
// would restore a row that was deleted.
func (t sessionTable) DeleteCtx(ctx context.Context, token string) error {
	if _, err := t.db.exec(ctx, `UPDATE sessions SET data = ?2 WHERE token = ?1`, token, []byte{}); err != nil {
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
