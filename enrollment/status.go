package enrollment

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Status is what a security page shows. It holds no secret and no code, and
// can be logged and encoded.
type Status struct {
	// State is where the account stands now. A setup past its time does not
	// count as Pending.
	State store.State

	// Authenticators are the confirmed ones, oldest first.
	Authenticators []Authenticator

	// SetupExpires is when the setup that waits will have expired; the zero
	// time if none waits.
	SetupExpires time.Time

	// CodesLeft is how many recovery codes are unspent, of CodesTotal in the
	// set.
	CodesLeft, CodesTotal int

	// Locks says which factors are not evaluated at the moment.
	Locks []Lock

	// LastSignIn is when the second step of a sign-in last succeeded; the zero
	// time if it never did. LastFactor is what it was answered with.
	LastSignIn time.Time
	LastFactor Factor

	// History is the latest events, newest first, at most 20.
	History []Event
}

// Enabled reports whether sign-in asks for a code.
func (s Status) Enabled() bool { return s.State == store.Confirmed }

// An Authenticator is a confirmed app, without its secret.
type Authenticator struct {
	// ID names it within the account, for Options.Replace and Remove.
	ID string

	// Name is what the user called it.
	Name string

	// Added is when it was confirmed, and Used when it last answered.
	Added, Used time.Time
}

// A Lock says that codes of a factor are not evaluated.
type Lock struct {
	// Factor is what is locked.
	Factor Factor

	// Until is when it ends; the zero time if it does not end by itself.
	Until time.Time
}

// Status returns where the user's account stands. For a user without a record
// it is None, without an error. It writes nothing.
func (g *Guard) Status(ctx context.Context, userID string) (Status, error) {
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return Status{}, err
	}
	s, err := statusOf(userID, a, m.Now)
	return s, outward(err)
}

func statusOf(userID string, a *account.Account, now time.Time) (Status, error) {
	s := Status{State: store.State(a.State())}
	for _, x := range a.Authenticators() {
		s.Authenticators = append(s.Authenticators, Authenticator{
			ID: formatAuthenticatorID(x.ID), Name: x.Name, Added: x.Added, Used: x.Used,
		})
	}
	if setup := a.Setup(); setup != nil {
		s.SetupExpires = setup.Expires
	}
	var err error
	if s.CodesLeft, s.CodesTotal, err = a.CodesLeft(); err != nil {
		return Status{}, err
	}
	for _, f := range []account.Factor{account.TOTP, account.Recovery} {
		if until, locked := a.LockedUntil(f, now); locked {
			s.Locks = append(s.Locks, Lock{Factor: factorOf(f), Until: until})
		}
	}
	last := a.LastSignIn()
	s.LastSignIn, s.LastFactor = last.At, factorOf(last.Factor)

	history, err := a.History()
	if err != nil {
		return Status{}, err
	}
	for i := len(history) - 1; i >= 0; i-- {
		s.History = append(s.History, eventOf(userID, history[i]))
	}
	return s, nil
}
