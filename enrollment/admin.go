package enrollment

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

const (
	// MaxActor is the maximum length of an actor in bytes: 255, as for a user id.
	MaxActor = account.MaxActor

	// MaxAdminReason is the maximum length of an administrator's reason in bytes: 256.
	MaxAdminReason = account.MaxReason
)

// An Admin acts on the accounts of other users, in the name of an actor and for a
// reason. It is made by [Guard.Admin], and safe for concurrent use.
//
// The application decides whether the actor may do so before it calls. An Admin does
// not see recovery codes, and can't add an authenticator to an account that has a
// second factor. Import and Export move users from and to other systems; they are for
// programs that the application runs once. Every action is an event with the actor and
// the reason: in the account's history, in the log, and for Config.Notify, so that the
// user hears of it.
type Admin struct {
	guard *Guard
	by    account.Admin
}

// Admin returns an Admin that acts in the name of the actor. The actor is the
// administrator's user id, or the name of a program: 1 to [MaxActor] printable
// bytes. The reason is 1 to [MaxAdminReason] printable bytes. It is kept in the
// history, where the user can read it. If the actor or the reason is anything else,
// each method returns an error.
//
// Administrators can't act on their own accounts: if the actor equals the user id,
// each method returns a [Denied] of reason ReasonOwnAccount. This works only if the
// actor is given as a user id. If user ids are numbers, an e-mail address as the
// actor never matches.
func (g *Guard) Admin(actor, reason string) Admin {
	return Admin{guard: g, by: account.Admin{Actor: actor, Reason: reason}}
}

// edit returns an edit of the user's account in the name of the actor. It returns
// one with an error, too, for the caller to conclude.
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

// ResetOptions are the options of [Admin.Reset] and [Admin.ApproveReset].
type ResetOptions struct {
	// Ticket asks for a ticket. The user's next setup must then present it in
	// BeginOptions.Ticket or BindOptions.Ticket. Without a ticket, where two-factor
	// authentication is mandatory, an attacker with the password could be the first to
	// set it up. The ticket is valid until a setup is confirmed, or until the next
	// Reset, which revokes it or issues another. Defaults to false.
	Ticket bool
}

// Reset switches the user's two-factor authentication off without a proof. The same
// write removes everything that Disable removes, an open request for a reset, and a
// bypass.
//
// It returns the ticket if ResetOptions asks for one, and the zero Ticket
// otherwise. Wrong tickets are not counted. Reset also works for a user who has
// nothing set up, if there is a ticket to issue or to revoke. Otherwise it returns
// a [Denied] of reason ReasonNotEnrolled.
func (x Admin) Reset(ctx context.Context, userID string, o ResetOptions) (Ticket, error) {
	return x.reset(ctx, opReset, userID, o, (*account.Account).Reset)
}

// ApproveReset carries out the reset that the user has asked for; see
// [ResetRequests]. It returns what Reset returns, or a [Denied] of reason
// ReasonNoReset, ReasonResetWaiting or ReasonOwnerNotTold.
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

// RefuseReset closes the user's request for a reset. It returns a [Denied] of
// reason ReasonNoReset if there is none.
func (x Admin) RefuseReset(ctx context.Context, userID string) error {
	return x.run(ctx, opRefuseReset, userID, func(a *account.Account, m account.Moment) error { return a.RefuseReset(m, x.by) })
}

// Unlock ends the waits of all factors, enables factors that guessing has disabled, and
// leaves at least five guesses for each. It does nothing if no factor needs that. It
// returns a [Denied] of reason ReasonNotEnrolled.
func (x Admin) Unlock(ctx context.Context, userID string) error {
	return x.run(ctx, opUnlock, userID, func(a *account.Account, m account.Moment) error { return a.Unlock(m, x.by) })
}

// Bypass lets the user sign in without a second factor until the given time, for
// example because the phone was left at home. It is good for signing in only. It
// ends early with the next right code, and with every change that takes a factor
// away. A later Bypass replaces it, and can make it shorter.
//
// The end may be at most Config.MaxBypass ahead. If it is later, or in the past,
// Bypass returns a [Denied] of reason ReasonInvalidBypass. After the bypass, a user
// who has a second factor is asked for a code again. A user who has none, because
// of an earlier Reset, must then set it up: SignIn says MustEnroll until a setup is
// confirmed, even if another Reset ends the bypass.
func (x Admin) Bypass(ctx context.Context, userID string, until time.Time) error {
	until = until.UTC().Truncate(time.Microsecond)
	return x.run(ctx, opBypass, userID, func(a *account.Account, m account.Moment) error {
		if !until.After(m.Now) || until.Sub(m.Now) > x.guard.config.MaxBypass {
			return deny(ReasonInvalidBypass)
		}
		return a.Grant(m, until, x.by)
	})
}

// A Ticket is what a user needs for the next setup after a reset, if [ResetOptions]
// asks for one: 80 random bits. An administrator hands it over in person, or in
// another way that an attacker with a stolen password can't read. Reveal returns
// the text, in groups of four symbols. A Ticket is encoded and printed like a
// [Challenge].
type Ticket struct{ token }

// TicketOf returns the Ticket that a user has typed. Case, hyphens and white space
// do not matter, and look-alikes such as O and 0 are the same. The text is checked
// only when the Ticket is used.
func TicketOf(text string) Ticket { return Ticket{tokenOf(text)} }

// newTicket draws a ticket. It has the format of a recovery code.
func (g *Guard) newTicket() (Ticket, error) {
	code, err := recovery.NewCode(g.random, recovery.Argon2id)
	if err != nil {
		return Ticket{}, fmt.Errorf("enrollment: drawing a ticket: %w", err)
	}
	return TicketOf(code.Reveal()), nil
}

// ticketHash returns what the account keeps of a ticket. It is the zero TicketHash
// for the zero Ticket. The hash of a text that can't be a ticket never matches an
// account's.
func (g *Guard) ticketHash(userID string, t Ticket) account.TicketHash {
	if t.IsZero() {
		return account.TicketHash{}
	}
	code, err := recovery.ParseCode(t.Reveal())
	if err != nil {
		return sha256.Sum256(nil)
	}
	return sha256.Sum256(parts(labelTicket, g.config.Namespace, userID, code.Reveal()))
}
