package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/web"
	"github.com/seed-1b6a03a1/twofactor/examples/webapp/accounts"
)

// twoFactorPath is where the pages of package web are. The security page is one of them.
const twoFactorPath = "/security"

// newTwoFactor returns the pages of the second factor: the code of a sign-in, the setup,
// recovery codes, devices, the security page, and the code before something sensitive.
func (a *app) newTwoFactor() (*web.Pages, error) {
	return web.New(a.guard, web.Config{
		User:   a.codeUser,
		Start:  a.startSession,
		Reauth: func(r *http.Request) (time.Time, error) { return a.enteredPassword(r), nil },
		Account: func(ctx context.Context, id string) (string, error) {
			u, err := a.accounts.ByID(ctx, id)
			return u.Email, err
		},
		Issuer:  a.issuer,
		Address: a.readPhone,
		Render: func(w http.ResponseWriter, r *http.Request, page web.Page) {
			if err := a.renderTwoFactor(w, r, page); err != nil {
				a.fail(w, r, err)
			}
		},
		Text:         a.twoFactorText,
		Fail:         a.fail,
		Path:         twoFactorPath,
		Login:        "/sign-in",
		Insecure:     !a.config.secure,
		TrustDevices: true,
		Resets:       true,
	})
}

// codeUser returns the id of the user whose second factor a page is about: the one who
// is signed in, or on the pages of a reset the one whose link it is.
func (a *app) codeUser(r *http.Request) (string, error) {
	find := a.current
	if forReset(r) {
		find = a.resetting
	}
	u, err := find(r.Context())
	if errors.Is(err, accounts.ErrNoUser) {
		return "", nil
	}
	return u.ID, err
}

// startSession signs in, or goes on with a session after a change of factors.
func (a *app) startSession(_ http.ResponseWriter, r *http.Request, in web.SignedIn) (any, error) {
	ctx := r.Context()
	u, err := a.accounts.ByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	if in.Renewed {
		err := a.renewSession(r, u, in.Stamp)
		return a.sessions.Token(ctx), err
	}
	if err := a.start(ctx, u, in.Stamp); err != nil {
		return nil, err
	}
	if language := languageOf(r).Tag; language != u.Language {
		u.Language = language
		if err := a.accounts.Update(ctx, u, "Language"); err != nil {
			return nil, err
		}
	}
	if !in.EnrollBy.IsZero() {
		a.sessions.Put(ctx, keyEnrollBy, in.EnrollBy.Unix())
	}
	return a.sessions.Token(ctx), a.welcome(ctx, languageOf(r), u, in.Factor)
}

// renewSession goes on with the session that has changed a factor. A code before a new
// password starts none.
func (a *app) renewSession(r *http.Request, u accounts.User, stamp enrollment.Stamp) error {
	ctx := r.Context()
	if forReset(r) || a.sessions.GetString(ctx, keyUser) != u.ID {
		return nil
	}
	a.sessions.Put(ctx, keyStamp, string(stamp))
	a.sessions.Remove(ctx, keyEnrollBy)
	return a.sessions.RenewToken(ctx)
}

// welcome tells users who signed in without their app what that means for them, and of a
// request for a reset that no code has cancelled. A pass ends the session when it ends.
func (a *app) welcome(ctx context.Context, l language, u accounts.User, factor enrollment.Factor) error {
	status, err := a.guard.Status(ctx, u.ID)
	if err != nil {
		return err
	}
	warning := l.resetAsked(status)
	switch factor {
	case enrollment.FactorRecovery:
		warning = l.recoveryUsed(status.CodesLeft)
	case enrollment.FactorBypass:
		a.sessions.Put(ctx, keyUntil, status.BypassUntil.Unix())
		warning = l.say("You signed in with the pass from your administrator. It ends on %v, and you are signed out then.", l.time(status.BypassUntil)) + " " + warning
	}
	a.sessions.Put(ctx, keyWarning, warning)
	return nil
}

// enteredPassword returns when the password was last entered in the session. If that is not
// known, it is long ago.
func (a *app) enteredPassword(r *http.Request) time.Time {
	return time.Unix(a.sessions.GetInt64(r.Context(), keyPasswordAt), 0)
}

// twoFactorText has the words that this application says in its own way.
func (a *app) twoFactorText(r *http.Request, key string) string {
	l := languageOf(r)
	switch {
	case key == "step.why" && forReset(r):
		return l.say("Anyone who can read your e-mail can open that link. Enter a code to show that it was you.")
	case key == "step.why" && r.URL.Query().Get("for") == string(adminPurpose):
		return l.say("You need a code to manage other people’s accounts. We ask again after %v.", l.Duration(counts[adminPurpose]))
	}
	return l.say(ownTexts[key])
}

var ownTexts = map[string]string{
	"signin.send":       "Text me a code",
	"signin.send_again": "Text me another code",
	"begin.messages":    "Use text messages instead",
	"address.other":     "Send it again, or to another number",
	"problem.address":   "That is not a phone number that we can send to.",
}
