package enrollment

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

const (
	// DeliveryTTL is how long a delivered code is good: 10 minutes.
	DeliveryTTL = account.DeliveryTTL

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
// in [MessagePause] and Config.MaxMessages a day, which begins with the first of
// them, no matter who asked for them and whether they arrived. How many messages one address gets on behalf of several
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

// A Delivery is the result of [Messages.Send].
type Delivery struct {
	// Challenge takes the code that was sent, or a recovery code. The challenge
	// that was passed to Send still takes an app code, and treats the sent code
	// as wrong. Answering one of the two spends both.
	Challenge Challenge `json:"challenge,omitzero"`

	// Expires is when the code and the challenge expire.
	Expires time.Time `json:"expires"`

	// Address is where it went.
	Address Address `json:"address"`
}

// Send sends a code to the address of the user whom the challenge identifies. The
// challenge comes from SignIn, or from an earlier Send to send another code. The
// code that was sent before is void. Send accepts both kinds for [ChallengeTTL]
// after SignIn; then ask for the first factor again. So no challenge outlives its
// SignIn by more than ChallengeTTL and [DeliveryTTL] together.
//
// It returns a [Denied] of reason ReasonChallengeInvalid, ReasonChallengeExpired,
// ReasonChallengeSpent or ReasonChallengeVoid; ReasonNoAddress; ReasonSameChannel
// if the first factor came over the channel of the address;
// ReasonTooSoon, ReasonTooManyMessages, ReasonLocked or ReasonFactorDisabled; or an
// error that matches [ErrNotSent].
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

// send calls the Sender. It turns a panic there into an error that does not quote
// the panic, which could contain the code.
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

// ErrNotSent says that the [Sender] failed. The message counts as sent: what a
// gateway has done when it fails is not known. It wraps the Sender's error.
var ErrNotSent = errors.New("enrollment: the message was not sent")

// A Sender hands a message to whatever delivers it. It is the host's, and safe
// for concurrent use.
type Sender interface {
	// Send sends the code to the address, and does not keep the message. It is
	// called at most once for each message, after the message was counted and the
	// count stored. The caller waits for it, and ctx is the caller's: a caller who
	// hangs up can cut it short, and has used up a message. A nil error means that
	// the message is on its way. The caller gets any other error wrapped by
	// [ErrNotSent]. A panic becomes ErrNotSent as well, without its text.
	Send(ctx context.Context, m Message) error
}

// A Message is what a [Sender] sends. It redacts itself, and hides the code also
// inside other values; the fields are plain. Code reveals the code.
type Message struct {
	redacted

	// UserID is the user who asked for the code. Purpose is what it is for;
	// PurposeSetup means that it proves the address. Name the purpose in the
	// message: a user who reads "to delete the project" without having asked for
	// that does not pass the code on.
	UserID  string
	Purpose Purpose

	// Channel and To are where it goes.
	Channel, To string

	// Expires is when the code expires.
	Expires time.Time

	code redact.Value[string]
}

// Code returns the code in clear: six digits, "" for the zero Message.
func (m Message) Code() string {
	if m.code.IsZero() {
		return ""
	}
	return *m.code.Get()
}

// deliveredCodes is how many delivered codes there are.
const deliveredCodes = 1_000_000

// freshMessage is what is drawn for a message.
type freshMessage struct {
	id     account.DeliveryID
	digits string
}

// newMessage draws a message. It reads a fixed number of random bytes, because a
// code is the remainder of 64 bits: the bias is less than one part in 10¹³, and
// no source of randomness can make it draw again and again.
func (g *Guard) newMessage() (f freshMessage, err error) {
	var drawn [8]byte
	if err := g.draw(f.id[:], drawn[:]); err != nil {
		return f, err
	}
	f.digits = fmt.Sprintf("%0*d", account.DeliveredDigits, binary.BigEndian.Uint64(drawn[:])%deliveredCodes)
	return f, nil
}

func (f freshMessage) hidden() redact.Value[string] { return redact.Of(f.digits) }
