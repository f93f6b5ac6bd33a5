package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

const (
	// DeliveryTTL is how long a delivered code is good: 10 minutes.
	DeliveryTTL = account.DeliveryTTL

	// MaxMessages is how many messages an account is sent in a day, which begins
	// with the first of them: 5.
	MaxMessages = account.MaxMessages

	// MessagePause is the time between two messages to an account: a minute.
	MessagePause = account.MessagePause

	// MaxChannel is the length of the longest name of a channel in bytes: 32.
	MaxChannel = account.MaxChannel

	// MaxAddress is the length of the longest address in bytes: 254.
	MaxAddress = account.MaxAddress
)

// Messages sends codes to an address of the user, such as a phone number, with
// Config.Sender. Codes are sent besides those of an authenticator, or instead of
// them where Config.AddressAlone is set. An account has one address. Messages are
// made by [Guard.Messages], and safe for concurrent use.
//
// A code is good for [DeliveryTTL] and for five tries. Only the last code that was
// sent is good, and any change of factor ends it. An account is sent one message
// in [MessagePause] and [MaxMessages] a day, no matter who asked for them and
// whether they arrived. How many messages one address gets on behalf of several
// accounts, and what all of them cost, is for the host to limit. Wrong codes are
// throttled like those of an app, in a budget of their own. Neither limit starts
// again when the address is removed or replaced, or when two-factor
// authentication is switched off and on. Only the use of a recovery code gives
// five guesses back.
//
// A delivered code signs in. For a step-up, call [Guard.SignIn] with its
// purpose, Send with the challenge, and [Guard.Answer]; [Guard.Verify] takes no
// delivered code. [Guard.RecentlyVerified] accepts the receipt of a delivered
// code, but as a proof for a change of settings it is denied.
//
// Without Config.Sender, Bind and Send return an error, and SignIn offers no
// delivered code. Confirm and Unbind work.
type Messages struct {
	guard *Guard
}

// Messages returns the Messages of the Guard. They send with Config.Sender.
func (g *Guard) Messages() Messages { return Messages{g} }

// errNoSender says that a code is to be sent and nobody can.
var errNoSender = errors.New("enrollment: Config.Sender is nil")

// BindOptions are what [Messages.Bind] needs beyond the user.
type BindOptions struct {
	// Channel is the host's name for how the code travels, for example "sms" or
	// "email": 1 to [MaxChannel] printable bytes. SignInOptions.Channel is compared with
	// it, whatever the case of the letters.
	Channel string

	// To is the address: 1 to [MaxAddress] printable bytes. The host checks that
	// it is one, and brings it into one form, for example E.164 for phone
	// numbers.
	To string

	// Ticket is what the user was given by an administrator; see
	// [ResetOptions]. Defaults to none.
	Ticket Ticket

	// Proof authorises the change where two-factor authentication is on already:
	// [ByCode] or [ByReceipt]. It is not looked at otherwise.
	Proof Proof
}

// Binding is the result of [Messages.Bind].
type Binding struct {
	// Token stands for the address that waits for its code; see Confirm.
	Token SetupToken `json:"token,omitzero"`

	// Expires is when the code is worth nothing any more.
	Expires time.Time `json:"expires"`
}

// Bind sends a code to an address, which Confirm then takes for the account's.
// An earlier address stays until then. A later message, to whichever address,
// and every change of factor void the code. A proof that is a code is used up,
// also if the message can't be sent. The next message, for a sign-in too, waits
// for [MessagePause].
//
// It returns a [Denied] of reason ReasonNotEnrolled if there is nothing besides and
// Config.AddressAlone is not set, ReasonTooManyMessages, ReasonLocked,
// ReasonFactorDisabled, ReasonTicketRequired, ReasonTicketInvalid, or what Begin
// returns of proofs; or an error that matches [ErrNotSent].
func (x Messages) Bind(ctx context.Context, userID string, o BindOptions) (_ Binding, err error) {
	if err := x.guard.check(); err != nil {
		return Binding{}, err
	}
	e := edit{guard: x.guard, op: opBind, user: userID}
	defer e.conclude(ctx, &err)
	g := x.guard
	switch {
	case g.config.Sender == nil:
		return Binding{}, errNoSender
	case len(o.Channel) == 0 || len(o.Channel) > MaxChannel || !typed.Printable(o.Channel):
		return Binding{}, fmt.Errorf("enrollment: BindOptions.Channel is not 1 to %d printable bytes", MaxChannel)
	case len(o.To) == 0 || len(o.To) > MaxAddress || !typed.Printable(o.To):
		return Binding{}, fmt.Errorf("enrollment: BindOptions.To is not 1 to %d printable bytes", MaxAddress)
	}
	ticket := g.ticketHash(userID, o.Ticket)
	proof, err := e.readProof(ctx, o.Proof)
	if err != nil {
		return Binding{}, err
	}
	fresh, err := g.newMessage()
	if err != nil {
		return Binding{}, err
	}
	done, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Binding], error) {
		d := account.NewDelivery(fresh.id, fresh.digits, m.Now)
		return func(ctx context.Context) (Binding, error) {
			token, err := g.sealSetup(ctx, labelAddress, setupToken{id: account.SetupID(d.ID), expires: d.Expires, user: userID})
			return Binding{Token: token, Expires: d.Expires}, err
		}, a.Bind(m, d, account.Address{Channel: o.Channel, To: o.To}, g.config.AddressAlone, ticket, proof)
	})
	if err != nil {
		return Binding{}, err
	}
	err = x.send(ctx, Message{
		UserID: userID, Purpose: PurposeSetup, Channel: o.Channel, To: o.To, Expires: done.Expires, code: fresh.hidden(),
	})
	if err != nil {
		return Binding{}, err
	}
	return done, nil
}

// Confirm takes the address over if the code is the one that was sent there, and
// switches two-factor authentication on if it was off. It makes recovery codes
// where [Guard.Confirm] would. The event is [EventEnabled] or [EventAddressBound].
//
// It returns a [Denied] of reason ReasonSetupInvalid, ReasonSetupExpired, ReasonSetupSuperseded
// (another address waits) or ReasonNoSetup (a code was sent for a sign-in since, five
// were wrong, or a factor was changed); ReasonNotEnrolled as Bind does; ReasonMalformedCode,
// ReasonWrongCode, ReasonLocked or ReasonFactorDisabled; or ReasonTooManyCodeSets.
func (x Messages) Confirm(ctx context.Context, userID string, token SetupToken, code string) (_ Confirmed, err error) {
	if err := x.guard.check(); err != nil {
		return Confirmed{}, err
	}
	e := edit{guard: x.guard, op: opConfirmAddress}
	defer e.conclude(ctx, &err)
	g := x.guard
	t, err := g.readSetupToken(ctx, labelAddress, userID, token)
	if err != nil {
		return Confirmed{}, err
	}
	digits, err := totp.Normalize(code)
	if err != nil {
		return Confirmed{}, deny(ReasonMalformedCode)
	}
	q := account.Guess{Factor: account.Delivered, Digits: digits, Delivery: account.DeliveryID(t.id)}
	e.user, e.via = userID, account.Delivered
	return issue(ctx, &e, func(a *account.Account, m account.Moment) (sealing[Confirmed], error) {
		done, err := a.ConfirmAddress(m, q, g.config.AddressAlone)
		if err != nil {
			return nil, err
		}
		return g.confirmed(userID, a, m, done)
	})
}

// A Delivery is the result of [Messages.Send].
type Delivery struct {
	// Challenge is to be answered with the code that was sent, or a recovery
	// code. The challenge that was given to Send still takes an app's code, and
	// treats the code that was sent as wrong. Answering either spends
	// both.
	Challenge Challenge `json:"challenge,omitzero"`

	// Expires is when the code is worth nothing any more, and the challenge
	// with it.
	Expires time.Time `json:"expires"`

	// Address is where it went.
	Address Address `json:"address"`
}

// Send sends a code to the address of whom the challenge belongs to: one of
// SignIn, or one that Send has returned, for sending another. The code that was
// sent before is void. Send takes either kind for [ChallengeTTL] after SignIn;
// after that the first factor has to be given again. So no challenge outlives
// its SignIn by more than ChallengeTTL and [DeliveryTTL] together.
//
// It returns a [Denied] of reason ReasonChallengeInvalid, ReasonChallengeExpired,
// ReasonChallengeSpent or ReasonChallengeVoid; ReasonNoAddress; ReasonSameChannel if the first factor
// came over the channel of the address; ReasonTooManyMessages, ReasonLocked or
// ReasonFactorDisabled; or an error that matches [ErrNotSent].
func (x Messages) Send(ctx context.Context, purpose Purpose, challenge Challenge) (_ Delivery, err error) {
	if err := x.guard.check(); err != nil {
		return Delivery{}, err
	}
	e := edit{guard: x.guard, op: opSend}
	defer e.conclude(ctx, &err)
	g := x.guard
	if err := purpose.validate(); err != nil {
		return Delivery{}, err
	}
	if g.config.Sender == nil {
		return Delivery{}, errNoSender
	}
	c, err := g.readChallenge(ctx, purpose, challenge)
	if err != nil {
		return Delivery{}, err
	}
	fresh, err := g.newMessage()
	if err != nil {
		return Delivery{}, err
	}
	var to account.Address
	e.user = c.user
	done, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (_ sealing[Delivery], err error) {
		if err := a.CheckFreshChallenge(c.Challenge, m.Now); err != nil {
			return nil, err
		}
		d := account.NewDelivery(fresh.id, fresh.digits, m.Now)
		if to, err = a.Send(m, d, c.channel); err != nil {
			return nil, err
		}
		sent := c
		sent.Challenge = c.Challenge.Delivered(d)
		return func(ctx context.Context) (Delivery, error) {
			token, err := g.sealChallenge(ctx, sent)
			return Delivery{Challenge: token, Expires: sent.Expires, Address: addressOf(to)}, err
		}, nil
	})
	if err != nil {
		return Delivery{}, err
	}
	err = x.send(ctx, Message{
		UserID: c.user, Purpose: purpose, Channel: to.Channel, To: to.To, Expires: done.Expires, code: fresh.hidden(),
	})
	if err != nil {
		return Delivery{}, err
	}
	return done, nil
}

// Unbind takes the address away. Proofs are as for [Guard.Remove]. It returns a
// [Denied] of reason ReasonNotEnrolled, ReasonNoAddress, ReasonLastAuthenticator where the address
// is all that the account has, or what Remove returns of proofs.
func (x Messages) Unbind(ctx context.Context, userID string, p Proof) (err error) {
	if err := x.guard.check(); err != nil {
		return err
	}
	e := edit{guard: x.guard, op: opUnbind, user: userID}
	defer e.conclude(ctx, &err)
	proof, err := e.readProof(ctx, p)
	if err != nil {
		return err
	}
	return e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Unbind(m, proof) })
}

// send calls the host. A panic there is an error here, which does not quote it:
// the host was holding the code.
func (x Messages) send(ctx context.Context, m Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: Sender.Send panicked", ErrNotSent)
		}
	}()
	if err := x.guard.config.Sender.Send(ctx, m); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return nil
}
