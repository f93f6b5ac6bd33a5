package enrollment

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/store"
)

// Status is what a security page shows. It holds no secret and no code, and can be
// logged and encoded as JSON. Encoding the zero Status, whose state is invalid, is
// an error.
type Status struct {
	// State is the present state of the account. An expired setup does not count as
	// Pending.
	State store.State `json:"state"`

	// Stamp changes with every change of factor. End a session whose Stamp is another
	// one; see [Stamp].
	Stamp Stamp `json:"stamp,omitempty"`

	// Authenticators are the confirmed ones, oldest first.
	Authenticators []Authenticator `json:"authenticators"`

	// SetupExpires is when the pending setup expires, or the zero time if no setup is
	// pending.
	SetupExpires time.Time `json:"setup_expires,omitzero"`

	// ReplaceBy is Config.ShortSecretsUntil if an authenticator is Short, and otherwise
	// the zero time. Show it, and offer the setup with BeginOptions.Replace.
	ReplaceBy time.Time `json:"replace_by,omitzero"`

	// Address is where codes can be delivered to, or nil.
	Address *Address `json:"address,omitempty"`

	// CodesLeft is how many recovery codes are unused.
	CodesLeft int `json:"codes_left"`

	// CodesTotal is how many recovery codes the set has.
	CodesTotal int `json:"codes_total"`

	// Devices is how many devices are trusted; see [Devices].
	Devices int `json:"devices"`

	// BypassUntil is when a bypass ends, in which an administrator lets the user sign in
	// without a second factor. It is the zero time if no bypass is open.
	BypassUntil time.Time `json:"bypass_until,omitzero"`

	// MustEnroll says that the user must set up a second factor at the next sign-in,
	// because a bypass has ended.
	MustEnroll bool `json:"must_enroll"`

	// Reset is the open request to take the second factor away, or nil.
	Reset *ResetRequest `json:"reset,omitempty"`

	// Locks are the factors whose codes are not evaluated now.
	Locks []Lock `json:"locks"`

	// Changes are the changes of settings that are possible now. Any other would be
	// denied, with any proof; see [Status.Change].
	Changes []Change `json:"changes,omitempty"`

	// NextMessage is when the next message can be sent to the user, or the zero time if
	// one can be sent now. It is also zero if Locks has FactorDelivered without an end.
	NextMessage time.Time `json:"next_message,omitzero"`

	// LastSignIn is when the user last signed in: when Answer accepted a code for
	// [PurposeSignIn], or when SignIn said Proceed. It is the zero time for a user who
	// has not signed in since the record was made. Sign-ins of users without a record
	// are not stored.
	LastSignIn time.Time `json:"last_sign_in,omitzero"`

	// LastFactor is the second step of that sign-in: the factor of the code,
	// FactorTrustedDevice or FactorBypass. It is "" for a sign-in without a second step.
	LastFactor Factor `json:"last_factor,omitempty"`

	// History is the latest events, newest first: at most 20.
	History History `json:"history"`
}

// Enabled reports whether sign-in asks for a code.
func (s Status) Enabled() bool { return s.State == store.Confirmed }

// An Authenticator is a confirmed app or hardware token, without its secret.
type Authenticator struct {
	// ID identifies it within the account, for BeginOptions.Replace and Remove.
	ID string `json:"id"`

	// Name is what the user called it.
	Name string `json:"name"`

	// Added is when it was confirmed.
	Added time.Time `json:"added"`

	// Used is when one of its codes was last right, or the zero time.
	Used time.Time `json:"used,omitzero"`

	// Digits is how many digits its codes have: 6, 7 or 8.
	Digits int `json:"digits"`

	// Short says that its secret has fewer than 128 bits. The user must replace it by
	// Status.ReplaceBy.
	Short bool `json:"short,omitempty"`

	// HardwareToken says that it was set up as one; see BeginOptions.HardwareToken.
	HardwareToken bool `json:"hardware_token,omitempty"`
}

// A Lock says that codes of a factor are not evaluated.
type Lock struct {
	// Factor is what is locked.
	Factor Factor `json:"factor"`

	// Until is when the lock ends, or the zero time if it does not end by itself.
	Until time.Time `json:"until,omitzero"`
}

// History is a list of events to show to the owner of an account. Its JSON leaves
// out Event.Actor, the administrator, and where that administrator was. A page for
// administrators converts it to []Event, whose JSON includes both.
type History []Event

// MarshalJSON returns the events without their Actor and the Actor's Origin. An empty
// History is an empty list.
func (h History) MarshalJSON() ([]byte, error) {
	events := make([]Event, len(h))
	for i, e := range h {
		if e.Actor != "" {
			e.Actor, e.Origin = "", ""
		}
		events[i] = e
	}
	return json.Marshal(events)
}

// Status returns the status of the user's account. A user without a record has the
// state None; that is not an error. Status writes nothing.
func (g *Guard) Status(ctx context.Context, userID string) (Status, error) {
	if err := g.check(); err != nil {
		return Status{}, err
	}
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return Status{}, err
	}
	s, err := g.statusOf(userID, a, m.Now)
	return s, outward(err)
}

// statusIn returns the Status of an account that has nothing. Its lists are empty
// and not nil, so that JSON has lists as well.
func statusIn(state store.State) Status {
	return Status{State: state, Authenticators: []Authenticator{}, Locks: []Lock{}}
}

func (g *Guard) statusOf(userID string, a *account.Account, now time.Time) (Status, error) {
	s := statusIn(store.State(a.State()))
	s.Stamp = g.stampOf(userID, a)
	for _, x := range a.Authenticators() {
		s.Authenticators = append(s.Authenticators, Authenticator{
			ID: formatAuthenticatorID(x.ID), Name: x.Name, Added: x.Added, Used: x.Used, Short: x.Short(),
			Digits: x.Key.Params().Digits, HardwareToken: x.Hardware,
		})
		if x.Short() {
			s.ReplaceBy = g.config.ShortSecretsUntil
		}
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
	limits := account.Moment{
		Now: now, ReauthDisables: g.config.ReauthDisables, UnprovenSetup: g.config.UnprovenSetup, Limits: g.config.limits(),
	}
	offer := account.Offer{Delivers: g.config.Sender != nil, Alone: g.config.AddressAlone, Keeps: g.config.KeepCodes}
	possible, err := a.Possible(limits, offer)
	if err != nil {
		return Status{}, err
	}
	for _, p := range possible {
		s.Changes = append(s.Changes, changeOf(p))
	}
	s.NextMessage = a.NextMessage(limits)
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

// stampLen is how many bytes of the hash a Stamp has.
const stampLen = 16

// A Stamp tells whether a session began before the latest change of factor. It is a
// short text of letters, digits, hyphens and underscores. It is not secret and proves
// nothing: it can be logged, stored and sent to a client.
//
// Keep Decision.Stamp or Success.Stamp in the session that it starts. At each
// request, or every few minutes, compare it with Status.Stamp, and end the session
// if they differ. A new sign-in leads back in.
//
// These change the Stamp: Confirm, RenewCodes, Remove, Disable, Messages.Confirm,
// Messages.Unbind, Admin.Import, Admin.Move, SignInOptions.Import, a reset, erasing the
// account, and the use of a recovery code, for any purpose. So does the repair after a clock that was
// twelve minutes ahead or more; see OPERATING.md. A sign-in with any other code changes
// nothing, and neither do Begin, devices, names, locks, a bypass and an export.
//
// The session that made the change takes the new Stamp, or it would end as well. The
// Success, the Confirmed and the RenewedCodes have it. If the result has none, as after
// Remove, or if the proof was a recovery code, call [Guard.Status].
//
// A user who never had a second factor also has a Stamp. It stays the same until the
// first Confirm, Messages.Confirm or import, with or without a record.
type Stamp string

// stampOf returns the Stamp of the account. It does not reveal the epoch, which
// challenges and receipts carry.
func (g *Guard) stampOf(userID string, a *account.Account) Stamp {
	text := ""
	if epoch, ok := a.FactorEpoch(); ok {
		text = string(epoch[:])
	}
	sum := sha256.Sum256(parts(labelStamp, g.config.Namespace, userID, text))
	return Stamp(tokenText.EncodeToString(sum[:stampLen]))
}
