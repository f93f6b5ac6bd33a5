package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/store"
)

const (
	// MaxActor is the length of the longest actor in bytes, 255: that of a user
	// id.
	MaxActor = account.MaxActor

	// MaxAdminReason is the length of the longest reason of an administrator in
	// bytes, 256.
	MaxAdminReason = account.MaxReason
)

// ErrNoEraser says that the store can't forget a user; see [store.Eraser].
var ErrNoEraser = errors.New("enrollment: the store is no store.Eraser")

// ErrUndelivered says that Config.Notify has not taken what an account has still to
// tell, so that it was not erased. Erase it again later.
var ErrUndelivered = errors.New("enrollment: not erased: events were not taken")

// An Admin acts on the accounts of other users, in the name of an actor and for
// a reason. It is made by [Guard.Admin], and safe for concurrent use.
//
// Whether the actor may do so is for the host to decide before it calls. An
// Admin can neither add an authenticator to an account that has a second factor
// nor see recovery codes; Import and Export, which move users from and to other
// systems, are for programs that the host runs once. What it does is an event
// with actor and reason, in the account's history, in the log, and for
// Config.Notify: the user hears of it.
type Admin struct {
	guard *Guard
	by    account.Admin
}

// Admin returns an Admin that acts in the name of the actor. The actor is the
// administrator's user id, or the name of a program: 1 to [MaxActor] printable
// bytes. The reason, 1 to [MaxAdminReason] printable bytes, is for the history, and
// the user can read it. Each method returns an error for others.
//
// Nobody administers themselves: where the actor equals the user id, each method
// returns a [Denied] of reason ReasonOwnAccount. That takes an actor in the form of a
// user id; an e-mail address, where user ids are numbers, is never the same.
func (g *Guard) Admin(actor, reason string) Admin {
	return Admin{guard: g, by: account.Admin{Actor: actor, Reason: reason}}
}

// edit returns an edit of the user's account in the name of the actor, also
// together with an error: to be concluded.
func (x Admin) edit(op Operation, userID string) (*edit, error) {
	e := &edit{guard: x.guard, op: op, user: userID}
	if err := x.guard.check(); err != nil {
		return e, err
	}
	switch {
	case len(x.by.Actor) == 0 || len(x.by.Actor) > MaxActor || !typed.Printable(x.by.Actor):
		return e, fmt.Errorf("enrollment: the actor is not 1 to %d printable bytes", MaxActor)
	case len(x.by.Reason) == 0 || len(x.by.Reason) > MaxAdminReason || !typed.Printable(x.by.Reason):
		return e, fmt.Errorf("enrollment: the reason is not 1 to %d printable bytes", MaxAdminReason)
	case x.by.Actor == userID:
		return e, deny(ReasonOwnAccount)
	}
	return e, nil
}

func (x Admin) run(ctx context.Context, op Operation, userID string, decide decision) (err error) {
	e, err := x.edit(op, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return err
	}
	return e.run(ctx, decide)
}

// ResetOptions are how [Admin.Reset] and [Admin.ApproveReset] leave the account.
type ResetOptions struct {
	// Ticket asks for a ticket: the next setup of the user has to bring it in
	// BeginOptions.Ticket or BindOptions.Ticket. Where two-factor authentication is
	// mandatory, whoever has the password could otherwise be the first to set
	// it up. The ticket is good until a setup is confirmed, or until the next
	// Reset, which takes it back or hands out another. Defaults to false.
	Ticket bool
}

// Reset switches the user's two-factor authentication off, without a proof:
// everything that Disable takes away is gone with the same write, and so is a
// request for a reset. A bypass is over with it.
//
// It returns the ticket if ResetOptions asks for one, and the zero Ticket
// otherwise. Wrong tickets are not counted. Reset also works for a user who has nothing set up if there is a ticket to
// hand out or to take back; otherwise that is a [Denied] of reason ReasonNotEnrolled.
func (x Admin) Reset(ctx context.Context, userID string, o ResetOptions) (Ticket, error) {
	return x.reset(ctx, opReset, userID, o, (*account.Account).Reset)
}

// ApproveReset carries out the reset that the user has asked for; see [ResetRequests].
// It returns what Reset returns, or a [Denied] of reason ReasonNoReset or
// ReasonResetWaiting.
func (x Admin) ApproveReset(ctx context.Context, userID string, o ResetOptions) (Ticket, error) {
	return x.reset(ctx, opApproveReset, userID, o, (*account.Account).ApproveReset)
}

func (x Admin) reset(ctx context.Context, op Operation, userID string, o ResetOptions, do func(*account.Account, account.Moment, account.Admin, account.TicketHash) error) (ticket Ticket, err error) {
	e, err := x.edit(op, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return Ticket{}, err
	}
	var hash account.TicketHash
	if o.Ticket {
		if ticket, err = x.guard.newTicket(); err != nil {
			return Ticket{}, err
		}
		hash = x.guard.ticketHash(userID, ticket)
	}
	return run(ctx, e, func(a *account.Account, m account.Moment) (Ticket, error) {
		return ticket, do(a, m, x.by, hash)
	})
}

// RefuseReset closes the request for a reset. It returns a [Denied] of reason
// ReasonNoReset.
func (x Admin) RefuseReset(ctx context.Context, userID string) error {
	return x.run(ctx, opRefuseReset, userID, func(a *account.Account, m account.Moment) error { return a.RefuseReset(m, x.by) })
}

// Unlock ends the waits of all factors, enables those that guessing has disabled,
// and leaves at least five guesses for each. Where there are five already, it does
// nothing. It returns a [Denied] of reason ReasonNotEnrolled.
func (x Admin) Unlock(ctx context.Context, userID string) error {
	return x.run(ctx, opUnlock, userID, func(a *account.Account, m account.Moment) error { return a.Unlock(m, x.by) })
}

// Bypass lets the user sign in without a second factor until then, for a phone
// that was left at home. It is good for signing in and for nothing else. It ends
// when a code is right, and with every change that takes a factor away. A later
// Bypass takes its place, also for making it shorter.
//
// The end may be at most Config.MaxBypass ahead. A later one, or one in the past,
// is a [Denied] of reason ReasonInvalidBypass. After it, a user who has a second
// factor is asked for a code again. One who has none, because a Reset went
// before, then has to set it up: SignIn says MustEnroll until a setup is
// confirmed, also if another Reset ends the bypass.
func (x Admin) Bypass(ctx context.Context, userID string, until time.Time) error {
	until = until.UTC().Truncate(time.Microsecond)
	return x.run(ctx, opBypass, userID, func(a *account.Account, m account.Moment) error {
		if !until.After(m.Now) || until.Sub(m.Now) > x.guard.config.MaxBypass {
			return deny(ReasonInvalidBypass)
		}
		return a.Grant(m, until, x.by)
	})
}

// Erase deletes the user's record, history included: for a user who is deleted.
// A record that can't be opened (see [ErrCorrupt]) is deleted as well, but not
// one that belongs to another user. Config.Notify is handed what it has still to
// hear of the account, and [EventErased] at last. If it does not take all of
// that, nothing is deleted, and the error is [ErrUndelivered]; of a record that can't
// be opened only the last event is left, which is lost then. A Guard without
// Notify tells nobody, and returns ErrUndelivered where another one has left
// something to tell.
//
// It returns nil if there is no record, and [ErrNoEraser] if the store is no
// [store.Eraser]. After another error, call it again: the record may still be
// there, and the event may come twice.
//
// Nothing is left that could refuse a code that was used before: an account
// that is made again with the same secret accepts it once more.
func (x Admin) Erase(ctx context.Context, userID string) (err error) {
	e, err := x.edit(opErase, userID)
	defer e.conclude(ctx, &err)
	if err != nil {
		return err
	}
	eraser, ok := x.guard.store.(store.Eraser)
	if !ok {
		return ErrNoEraser
	}
	if err := validUser(userID); err != nil {
		return err
	}
	e.from, err = x.guard.load(ctx, userID)
	switch {
	case err != nil:
		return err
	case !e.from.found:
		e.looked, e.returned = true, true
		return nil
	case e.from.record.UserID != userID:
		// A store that takes two users for one would delete the other.
		return fmt.Errorf("%w: the store returned the record of another user", ErrCorrupt)
	}
	told := e.run(ctx, x.noteErasure)
	switch {
	case told != nil && !errors.Is(told, ErrCorrupt):
		return told
	case e.taken < e.told:
		return ErrUndelivered
	}
	// The owner has been told: who hangs up now does not keep the record.
	ctx, cancel := settle(ctx)
	defer cancel()
	err = eraser.Erase(ctx, userID)
	if err == nil {
		err = absent(ctx)
	}
	if err != nil {
		return fmt.Errorf("enrollment: erasing the account: %w", err)
	}
	if told != nil {
		return x.tellErasure(ctx, userID)
	}
	return nil
}

// noteErasure records the end of an account, and has everything that is still to
// be told of it delivered before.
func (x Admin) noteErasure(a *account.Account, m account.Moment) error {
	if x.guard.config.Notify != nil {
		if err := a.Recall(m); err != nil {
			return err
		}
	} else if waits, err := a.Untold(); err != nil {
		return err
	} else if waits {
		return ErrUndelivered
	}
	return a.Note(m, account.EventErased, x.by)
}

// tellErasure tells of the end of a record that could not keep the event itself.
func (x Admin) tellErasure(ctx context.Context, userID string) error {
	m, err := x.guard.moment()
	if err != nil {
		return err
	}
	a := account.New(m)
	if err := x.noteErasure(a, m); err != nil {
		return outward(err)
	}
	x.guard.logEvents(ctx, userID, a.Recorded())
	if x.guard.config.Notify == nil {
		return nil
	}
	events, err := a.Lease(m)
	if err != nil {
		return outward(err)
	}
	x.guard.deliver(ctx, userID, nil, events)
	return nil
}
