package enrollment

import (
	"context"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Status is what a security page shows. It holds no secret and no code, and
// can be logged and encoded; only the zero Status, whose state is invalid, can't
// be encoded as JSON.
type Status struct {
	// State is where the account stands now. A setup past its time does not
	// count as Pending.
	State store.State

	// Authenticators are the confirmed ones, oldest first.
	Authenticators []Authenticator

	// SetupExpires is when the setup that waits will have expired; the zero
	// time if none waits.
	SetupExpires time.Time

	// Address is where codes can be delivered to, or nil.
	Address *Address

	// CodesLeft is how many recovery codes are unspent, of CodesTotal in the
	// set.
	CodesLeft, CodesTotal int

	// Devices is how many devices are trusted; see [Devices].
	Devices int

	// BypassUntil is until when sign-in goes without a second factor, by the
	// word of an administrator; the zero time if it does not.
	BypassUntil time.Time

	// MustEnroll says that the next sign-in demands enrolment, since a bypass
	// has ended.
	MustEnroll bool

	// EventReset is the request to take the second factor away that is open, or
	// nil.
	Reset *ResetRequest

	// Locks says which factors are not evaluated at the moment.
	Locks []Lock

	// LastSignIn is when the second step of a sign-in last succeeded or was
	// waived; the zero time if it never was. LastFactor is what it was answered
	// with, or FactorTrustedDevice or FactorBypass.
	LastSignIn time.Time
	LastFactor Factor

	// History is the latest events, newest first, at most 20.
	History []Event
}

// Enabled reports whether sign-in asks for a code.
func (s Status) Enabled() bool { return s.State == store.Confirmed }

// An Authenticator is a confirmed app, without its secret.
type Authenticator struct {
	// ID names it within the account, for BeginOptions.Replace and Remove.
	ID string

	// Name is what the user called it.
	Name string

	// Added is when it was confirmed, and Used when it last answered.
	Added, Used time.Time
}

// An Address is where codes are delivered to, without saying it in full.
type Address struct {
	// Channel is what the host called it, for example "sms".
	Channel string

	// Hint is the address as far as its owner has to recognise it, for example
	// "…42" or "a…@example.com". Of a short one it shows less, and never all.
	Hint string

	// Added is when it was proven, and Used when a code that was sent there was
	// last right.
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
	if x := a.Address(); x.Channel != "" {
		address := addressOf(x)
		s.Address = &address
	}
	devices, err := a.Devices(now)
	if err != nil {
		return Status{}, err
	}
	s.Devices = len(devices)
	s.BypassUntil, s.MustEnroll = a.Bypass(now).Until, a.MustEnroll(now)
	if r := a.ResetRequest(); r.Open {
		s.Reset = resetOf(r)
	}
	for _, f := range []account.Factor{account.TOTP, account.Recovery, account.Delivered} {
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
