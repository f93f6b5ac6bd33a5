package main

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// The keys of a session. After the password alone it has no keyUser. What a sign-in is
// up to then, and receipts, are in cookies of package web and not here.
const (
	keyUser       = "user"       // the user who is signed in
	keyGeneration = "generation" // User.Generation of keyUser
	keyStamp      = "stamp"      // the enrollment.Stamp of keyUser
	keyPasswordAt = "password"   // when the password was entered, in Unix seconds
	keyUntil      = "until"      // when a pass ends, and with it the session
	keyEnrollBy   = "enroll-by"  // deadline for a setup, in Unix seconds
	keyReset      = "reset"      // hash of the link that resets a password
	keyEmail      = "email"      // filled in at the sign-in, in a demonstration
	keyReason     = "reason"     // what an administrator has typed
	keyCountry    = "country"    // of a phone number that can't be read
	keyPhone      = "phone"      // that number, as it was typed
	keyNotice     = "notice"     // good news for the next page
	keyWarning    = "warning"    // what the user should know on the next page
	keyBad        = "problem"    // bad news for the next page
)

func (a *app) newSessions(secure bool) *scs.SessionManager {
	s := scs.New()
	s.Store = a.accounts.Sessions()
	s.HashTokenInStore = true // a reader of the database can't take over a session
	s.Lifetime = 12 * time.Hour
	s.Cookie.Name = "session"
	if secure {
		s.Cookie.Name = "__Host-session" // browsers accept it over HTTPS only, and not from subdomains
	}
	s.Cookie.Secure = secure
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Persist = false
	s.ErrorFunc = a.fail
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
func (a *app) start(ctx context.Context, u accounts.User, stamp enrollment.Stamp) error {
	if err := a.restart(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, u.ID)
	a.sessions.Put(ctx, keyGeneration, u.Generation)
	a.sessions.Put(ctx, keyStamp, string(stamp))
	a.sessions.Put(ctx, keyPasswordAt, a.config.Now().Unix())
	return nil
}

// current returns the user who is signed in, or accounts.ErrNoUser.
func (a *app) current(ctx context.Context) (accounts.User, error) {
	id, until := a.sessions.GetString(ctx, keyUser), a.sessions.GetInt64(ctx, keyUntil)
	if id == "" || until > 0 && a.config.Now().Unix() >= until {
		return accounts.User{}, accounts.ErrNoUser
	}
	u, err := a.accounts.ByID(ctx, id)
	if err != nil {
		return accounts.User{}, err
	}
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		return accounts.User{}, err
	}
	if u.Generation != a.sessions.GetInt64(ctx, keyGeneration) || string(status.Stamp) != a.sessions.GetString(ctx, keyStamp) {
		return accounts.User{}, accounts.ErrNoUser
	}
	return u, nil
}
