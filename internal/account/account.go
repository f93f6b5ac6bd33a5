package account

import (
	"slices"

	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// State is where an account stands.
type State uint8

// The states. They carry the same numbers as those of package store.
const (
	None State = iota + 1
	Pending
	Confirmed
	Disabled
)

// An Epoch changes with every change of factor. What was handed out under an
// earlier one (challenges, receipts) is void.
type Epoch [16]byte

// A WriteID is different in every encoding that is written, so that two of them
// never look alike, whatever they are sealed with.
type WriteID [12]byte

// An Account is the two-factor state of one user. It is not safe for
// concurrent use.
type Account struct {
	epoch          Epoch
	write          WriteID
	wasConfirmed   bool
	totp, recovery Throttle
	authenticators []Authenticator
	setup          *Setup
	challenges     spentChallenges
	lastSignIn     SignIn
	lastUsed       int64 // seconds since 1970 up to which codes of authenticators that are gone were used
	sets           setCount
	bypass         Bypass
	ticket         TicketHash
	reset          ResetRequest
	delivery       delivery
	move           Move
	arrived        arrival
	setUp, renewed completed // what was completed last
	alert          alert
	unanswered     unanswered

	codes    lazy[recovery.Set]
	kept     lazy[recovery.Codes] // the same in clear, where the host shows them again
	imported lazy[[]ImportedCode]
	devices  lazy[[]Device]
	history  lazy[[]Event]
	outbox   lazy[[]Undelivered]

	unknown []field

	unstored  bool // whether it is new, so that nothing has its epoch but what it hands out
	forgotten bool // whether devices have just lost their trust, which has yet to be recorded

	changed bool
	fresh   []Event // recorded since decoding
	expired bool    // whether Tidy has dropped a setup since decoding
	lapsed  bool    // whether Tidy has dropped a request for a reset
	need    Need    // what the last decision lacked
	matched Factor  // what a guess was right as
	missed  string  // the app code that was counted as wrong; "" if none was
	counted bool    // whether a guess was counted as wrong
}

// New returns the account of a user who has none. It counts as unchanged until
// something is done with it.
func New(m Moment) *Account {
	return &Account{epoch: m.epoch(), unstored: true}
}

// State returns where the account stands. A pending one may be past its time
// unless [Account.Tidy] has been called.
func (a *Account) State() State {
	switch {
	case a.enrolled():
		return Confirmed
	case a.setup != nil:
		return Pending
	case a.wasConfirmed:
		return Disabled
	}
	return None
}

// enrolled reports whether sign-in asks for a code.
func (a *Account) enrolled() bool { return len(a.authenticators) > 0 || a.delivery.bound() }

// Changed reports whether the account must be saved before anything is
// answered.
func (a *Account) Changed() bool { return a.changed }

// Epoch returns the current epoch.
func (a *Account) Epoch() Epoch { return a.epoch }

// FactorEpoch returns what changes with every change of factor, and with nothing
// else: the epoch, or false if the account never had a factor. An epoch may not be
// stored then, and one that is stored began with a setup.
func (a *Account) FactorEpoch() (Epoch, bool) { return a.epoch, a.wasConfirmed || a.enrolled() }

// Authenticators returns copies of the confirmed authenticators, oldest first.
func (a *Account) Authenticators() []Authenticator { return slices.Clone(a.authenticators) }

// Setup returns the pending setup, or nil.
func (a *Account) Setup() *Setup { return a.setup }

// ClampFuture repairs instants that a broken clock has put more than a day ahead,
// so that nobody waits for a time that was never real. It counts as a change:
// the repair must be saved, or the wait would start anew with every attempt.
func (a *Account) ClampFuture(m Moment) {
	now := m.Now
	changed := a.totp.clampFuture(now)
	changed = a.recovery.clampFuture(now) || changed
	for i := range a.authenticators {
		changed = a.authenticators[i].clampFuture(now) || changed
	}
	if a.setup != nil {
		changed = a.setup.clampFuture(now) || changed
	}
	if a.challenges.broken(now) {
		a.rotateEpoch(m)
		a.forgotten = false // nobody is told of a repair
		changed = true
	}
	changed = a.sets.clampFuture(now) || changed
	changed = a.delivery.clampFuture(now) || changed
	changed = a.reset.clampFuture(now) || changed
	changed = a.setUp.clampFuture(now) || changed
	changed = a.renewed.clampFuture(now) || changed
	changed = a.alert.clampFuture(now) || changed
	changed = a.unanswered.clampFuture(now) || changed
	changed = a.clampDevices(now) || changed
	if _, broken := clampFuture(a.bypass.From, now); broken {
		a.endBypass()
		changed = true
	}
	if limit := now.Add(clockTolerance).Unix(); a.lastUsed != 0 && a.lastUsed > limit {
		a.lastUsed, changed = now.Unix(), true
	}
	a.changed = a.changed || changed
}

// Tidy drops what has expired. It does not count as a change: what is seen
// expired is deleted with the next write, and is ignored until then.
func (a *Account) Tidy(m Moment) {
	now := m.Now
	if a.setup != nil && !m.typed().Before(a.setup.Expires) {
		a.setup, a.expired = nil, true
	}
	a.challenges.tidy(now)
	for i := range a.authenticators {
		a.authenticators[i].near.tidy(now)
	}
	a.delivery.tidy(m.typed())
	a.lapsed = a.reset.tidy(now) || a.lapsed
	a.setUp.tidy(m.typed())
	a.renewed.tidy(m.typed())
	if a.enrolled() && !a.bypass.Until.IsZero() && !now.Before(a.bypass.Until) {
		a.bypass = Bypass{}
	}
}

// find returns the index of a confirmed authenticator, or -1.
func (a *Account) find(id AuthenticatorID) int {
	return slices.IndexFunc(a.authenticators, func(x Authenticator) bool { return x.ID == id })
}

// drop removes a confirmed authenticator and keeps the mark of what it used.
func (a *Account) drop(i int) {
	a.lastUsed = max(a.lastUsed, a.authenticators[i].lastUsed())
	a.authenticators = slices.Delete(a.authenticators, i, i+1)
}

// rotateEpoch starts a new epoch: what was handed out or begun under the one before
// is void, and need not be remembered.
func (a *Account) rotateEpoch(m Moment) {
	a.epoch = m.epoch()
	a.challenges = spentChallenges{}
	a.setup = nil
	a.delivery.waiting = nil
	a.forgetDevices(m.Now)
}

// Touch makes the account one that has to be saved.
func (a *Account) Touch() { a.changed = true }

// Stamp gives the encoding that follows an id of its own.
func (a *Account) Stamp(m Moment) { a.write = m.writeID() }
