package enrollment

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// SignInOptions is what [Guard.SignIn] is told about a sign-in beyond the user.
type SignInOptions struct {
	// Purpose is what the challenge is for. Defaults to [PurposeSignIn]. A
	// password reset has its own, so that its challenge does not sign in.
	Purpose Purpose

	// Require says that this user must have a second factor. Without one the decision is
	// MustEnroll instead of Proceed. An application that exempts some users leaves it
	// false for them. Defaults to false.
	Require bool

	// Grace is until when a user may put off the enrolment that Require demands.
	// Before that time, the decision is Proceed with Decision.EnrollBy. Defaults
	// to the zero time: no grace.
	Grace time.Time

	// Enrolled says that the application's own records have this user as enrolled. An
	// account that is not confirmed is then ErrMissing: sealing can't notice that a row
	// was deleted, or that a whole old row was put back. Defaults to false.
	//
	// An application that keeps such a flag sets it after Confirm and at each Success, and
	// clears it before Disable, Admin.Reset, ApproveReset, Erase and EraseUnreadable, and
	// with [EventReset]. In the other order, a crash in between would leave a user who can't
	// sign in.
	Enrolled bool

	// Channel names what the first factor came over, for example "email" for a
	// magic link: at most [MaxChannel] printable bytes. A delivered code is refused over
	// the same channel, see BindOptions.Channel. Defaults to "".
	Channel string

	// Browser names the browser of the user, and binds an EnrollToken to it: at most
	// [MaxBrowser] printable bytes, such as the hash of a cookie that the application
	// sets before the sign-in. With another text, the token is worth nothing. Defaults
	// to "": the token is good wherever the client keeps it.
	Browser string

	// Device is the token of a trusted device, from the cookie of this browser.
	// Any other text has no effect, and needs no check. It counts at a sign-in
	// only. Defaults to none.
	Device DeviceToken

	// Import is the second factor that the user has in the system that the application is
	// leaving. SignIn takes it over in one write and then asks for a code, so that users
	// move one by one, each at a sign-in. Defaults to nil: nothing is imported.
	//
	// It is for users who never had a second factor here. If two-factor authentication is
	// on here, was on before, or the user has a ticket, SignIn decides as without it and
	// says so in Decision.NotImported. Import.Again is an error here. If Enrolled is set
	// and the account is gone, the error is ErrMissing as always.
	//
	// As with [Admin.Import], the codes that the app shows now and next count as used; see
	// Decision.NextCode. A pending setup is dropped. Unlike with Admin.Import, an account
	// keeps its waits, budgets and a bypass. The event is [EventImported], without an
	// actor.
	//
	// Pass what the other system has for this user for every purpose, also for a password
	// reset. The other system has to stop accepting codes of the user before the call.
	// After SignIn has returned without an error, this library alone decides about the
	// user, and the secret in the other system is of no use. See MOVING.md.
	Import *Import
}

// SignIn decides what follows after the application has checked the first factor of the
// user. If a code is needed, it mints a challenge. Call it only after that check: a
// challenge says that the first factor was right.
//
// At a sign-in that proceeds, SignIn writes Status.LastSignIn if the user has a
// record. It writes nothing for a user without one, and nothing with a challenge,
// except when it takes SignInOptions.Import over, repairs what a broken clock has
// left behind, or remembers the challenge for Config.AlertUnanswered.
//
// When a bypass has ended and the user still has no second factor, the decision at a
// sign-in is MustEnroll, whatever SignInOptions.Require and SignInOptions.Grace say. For
// other purposes, these two decide.
//
// SignIn returns no [Denied]: every error is a fault, and the decision is Refuse
// then. The error matches [ErrMissing] if SignInOptions.Enrolled contradicts the
// stored account. It names the field, and matches the Reason if there is one, if
// SignInOptions.Import can't be taken over as it is.
func (g *Guard) SignIn(ctx context.Context, userID string, o SignInOptions) (_ Decision, err error) {
	if err := g.check(); err != nil {
		return Decision{}, err
	}
	if o.Purpose == "" {
		o.Purpose = PurposeSignIn
	}
	if err := o.Purpose.validate(); err != nil {
		return Decision{}, err
	}
	if len(o.Channel) > MaxChannel || !typed.Printable(o.Channel) {
		return Decision{}, fmt.Errorf("enrollment: SignInOptions.Channel is not at most %d printable bytes", MaxChannel)
	}
	if err := validBrowser(o.Browser); err != nil {
		return Decision{}, err
	}
	login := account.Login{
		SignIn:   o.Purpose == PurposeSignIn,
		Require:  o.Require,
		Grace:    o.Grace,
		Enrolled: o.Enrolled,
		Device:   g.deviceHash(userID, o.Device),
		Channel:  o.Channel,
		Delivers: g.config.Sender != nil,
	}
	if err := g.draw(login.Challenge[:]); err != nil {
		return Decision{}, err
	}
	var from seed
	if g.config.ReplenishCodes {
		var err error
		if from, err = g.newSeed(); err != nil {
			return Decision{}, err
		}
	}
	old, err := g.readMoveIn(o.Import)
	if err != nil {
		return Decision{}, err
	}
	e := edit{guard: g, user: userID, reads: true}
	defer e.conclude(ctx, &err)
	d, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Decision], error) {
		moved, not, err := old.moveIn(a, m, o.Enrolled)
		if err != nil {
			return nil, err
		}
		d, err := a.SignIn(m, login)
		if e.op, e.via = "", d.Waived; moved || d.Waived != account.NoFactor {
			e.op = opSignIn
		}
		stamp := g.stampOf(userID, a)
		return func(ctx context.Context) (Decision, error) {
			public, err := g.decision(ctx, userID, o, d, stamp, from)
			public.NotImported = not
			return public, err
		}, err
	})
	if err == nil && d.Next == Refuse {
		err = ErrMissing
	}
	return d, err
}
