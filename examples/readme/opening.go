package readme

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// start is called once, before the application serves. The context lasts as long as the
// process, and notify hands an event to a queue of messages to users.
func start(ctx context.Context, db *sql.DB, dialect sqlstore.Dialect, notify func(context.Context, enrollment.Event) error) (*enrollment.Guard, error) {
	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
	if err != nil {
		return nil, err
	}
	accounts := sqlstore.New(db, dialect)
	config := enrollment.Config{Issuer: "Acme", Notify: notify}
	guard, directory, err := enrollment.Open(ctx, accounts, keys, config)
	if err != nil {
		return nil, err // also if the keys do not fit the accounts
	}
	go directory.SweepEvery(ctx, 5*time.Minute)

	return guard, nil
}

// pages are the application's own pages and sessions.
type pages struct {
	show         func(enrollment.Setup) error
	showOnce     func(recovery.Codes) error
	startSession func(userID string, stamp enrollment.Stamp) error
	askForCode   func(enrollment.Challenge) error
	leadToSetup  func(enrollment.EnrollToken) error
	askAgain     func(*enrollment.Denied) error
}

// begin answers the form that turns two-factor authentication on and asks for the
// password again.
func (p pages) begin(ctx context.Context, guard *enrollment.Guard, userID, email string) error {
	show := p.show

	setup, err := guard.Begin(ctx, userID, enrollment.BeginOptions{
		Account: email,
		Proof:   enrollment.ByReauth("password"), // this page has just checked it
	})
	if err != nil {
		return err
	}
	return show(setup) // setup.QR(), setup.Secret().Grouped(), setup.Token.Reveal()
}

// confirm answers the form with the first code.
func (p pages) confirm(ctx context.Context, guard *enrollment.Guard, userID, token, code string) error {
	showOnce := p.showOnce

	// The next request: the user has typed the first code.
	done, err := guard.Confirm(ctx, userID, enrollment.SetupTokenOf(token), code)
	if err != nil {
		return err
	}
	return showOnce(done.Codes) // the recovery codes
}

// signIn ends the login handler, when the password was right.
func (p pages) signIn(ctx context.Context, guard *enrollment.Guard, userID string) error {
	startSession, askForCode, leadToSetup := p.startSession, p.askForCode, p.leadToSetup

	d, err := guard.SignIn(ctx, userID, enrollment.SignInOptions{})
	switch d.Next {
	case enrollment.Proceed: // no second factor
		return startSession(userID, d.Stamp)
	case enrollment.AskCode:
		return askForCode(d.Challenge) // no session yet
	case enrollment.MustEnroll: // with SignInOptions.Require, or after a bypass
		return leadToSetup(d.EnrollToken) // no session yet
	default: // enrollment.Refuse
		return err
	}
}

// answer answers the form with the code.
func (p pages) answer(ctx context.Context, guard *enrollment.Guard, challenge, code string) error {
	startSession, askAgain := p.startSession, p.askAgain

	ok, err := guard.Answer(ctx, enrollment.PurposeSignIn, enrollment.ChallengeOf(challenge), code)
	var denied *enrollment.Denied
	switch {
	case errors.As(err, &denied):
		return askAgain(denied) // denied.Reason, denied.RetryAt
	case err != nil:
		return err // a fault: answer 500, or 503 for ErrBusy, and grant nothing
	}
	return startSession(ok.UserID, ok.Stamp)
}
