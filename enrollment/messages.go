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
// Config.Sender. They are an alternative to the codes of an authenticator, or the only
// codes where Config.AddressAlone is set. An account has one address. Messages are made
// by [Guard.Messages], and safe for concurrent use.
//
// A code is good for [DeliveryTTL] and for five tries. Only the last code that was sent
// is good, and any change of factor ends it. An account is sent at most one message in
// [MessagePause] and Config.MaxMessages a day. The day begins with the first one. It does
// not matter who asked, or whether messages arrived. Only those that the gateway refused
// for certain are not counted for the day; see [ErrMessageRefused]. How many messages one
// address gets on behalf of several accounts, and what all of them cost, is for the
// application to limit. Wrong codes are throttled like those of an app, in a budget of
// their own. Neither limit starts again when the address is removed or replaced, or when
// two-factor authentication is switched off and on. But at least five guesses are left
// after Disable, a reset, [Admin.Import], [Admin.Unlock] and the use of a recovery code.
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

	// Earlier says that Send sent nothing: the code of an earlier message is still
	// good, and answers Challenge. Say that a code was sent at Sent.
	Earlier bool `json:"earlier,omitempty"`

	// Sent is when the message was counted, just before it was sent.
	Sent time.Time `json:"sent"`

	// Expires is when the code and the challenge expire.
	Expires time.Time `json:"expires"`

	// Address is where it went.
	Address Address `json:"address"`
}

// Send sends a code to the address of the user whom the challenge identifies. The
// challenge comes from SignIn, or from an earlier Send to send another code. The
// code that was sent before is void.
//
// If a sign-in begins again before another message may be sent, Send sends nothing and
// counts nothing: the code that was sent answers the new challenge, with the same five
// tries; see Delivery.Earlier. It must have been sent for the same purpose. The first
// right answer uses it up. If the challenge belongs to the last message, the call asks for
// another code, and Send denies it as ReasonTooSoon or ReasonTooManyMessages.
//
// Send accepts both kinds of challenge for [ChallengeTTL] after SignIn; then ask for
// the first factor again. So no challenge outlives its SignIn by more than ChallengeTTL
// and [DeliveryTTL] together.
//
// It returns a [Denied] that matches [ErrChallenge] or [ErrLocked], or one of reason
// ReasonNoAddress, ReasonSameChannel, ReasonTooSoon or ReasonTooManyMessages, or an
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
	var earlier bool
	e.user = c.user
	done, err := issue(ctx, &e, func(a *account.Account, m account.Moment) (_ sealing[Delivery], err error) {
		if err := a.CheckFreshChallenge(c.Challenge, m.Now); err != nil {
			return nil, err
		}
		d := account.NewDelivery(fresh.id, fresh.digits, m.Now)
		d.Purpose = string(purpose)
		if d, err = a.Send(m, d, c.Challenge, c.channel); err != nil {
			return nil, err
		}
		to, earlier = a.Address(), d.ID != fresh.id
		sent := c
		sent.Challenge = c.Challenge.Delivered(d)
		return func(ctx context.Context) (Delivery, error) {
			token, err := g.sealChallenge(ctx, sent)
			return Delivery{Challenge: token, Earlier: earlier, Sent: d.Sent, Expires: sent.Expires, Address: addressOf(to)}, err
		}, nil
	})
	if err != nil {
		return Delivery{}, err
	}
	if earlier {
		return done, nil
	}
	err = x.send(ctx, fresh, Message{
		UserID: c.user, Purpose: purpose, Channel: to.Channel, To: to.To, Expires: done.Expires,
	})
	if err != nil {
		return Delivery{}, err
	}
	return done, nil
}

// Errors of sending. They are faults and not a Denied: say that the code could not be
// sent, and offer the other factors.
var (
	// ErrNotSent says that the [Sender] failed. It wraps the Sender's error. The
	// message counts as sent, since what a gateway has done when it fails is not
	// known, unless the error also matches ErrMessageRefused.
	ErrNotSent = errors.New("enrollment: the message was not sent")

	// ErrMessageRefused is for a [Sender] to return, alone or wrapped: the gateway has refused
	// the message and will certainly not deliver it. The message is then not counted for
	// the day; the pause before the next one stays. At most Config.MaxMessages are taken
	// back in a day, so a gateway that always refuses is asked at most twice as often. The
	// caller gets it wrapped by ErrNotSent: the address may be wrong. If taking the
	// message back fails as well, the error wraps why, and the message is counted.
	ErrMessageRefused = errors.New("enrollment: the gateway refused the message")
)

// send calls the Sender, and takes a message back that was refused for certain.
func (x Messages) send(ctx context.Context, f freshMessage, m Message) error {
	m.code = f.hidden()
	err := x.hand(ctx, m)
	if !errors.Is(err, ErrMessageRefused) {
		return err
	}
	e := edit{guard: x.guard, user: m.UserID}
	ctx, cancel := settle(ctx)
	defer cancel()
	fault := e.run(ctx, func(a *account.Account, m account.Moment) error { return a.Refused(m, f.id) })
	if fault != nil {
		return fmt.Errorf("%w; taking the message back: %w", err, fault)
	}
	return err
}

// hand calls the Sender. It turns a panic there into an error that does not quote
// the panic, which could contain the code.
func (x Messages) hand(ctx context.Context, m Message) (err error) {
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

// A Sender hands messages to a gateway. The application implements it, safe for
// concurrent use.
type Sender interface {
	// Send sends the code to the address, and does not keep the message. It is
	// called at most once for each message, after the message was counted and the
	// count stored. The caller waits for it, and ctx is the caller's: a caller who
	// hangs up can cut it short, and has used up a message. A nil error means that
	// the message is on its way. The caller gets any other error wrapped by
	// [ErrNotSent]. Return one that matches [ErrMessageRefused] if the gateway has said for
	// certain that it will not deliver the message; a time-out is not certain. A panic
	// becomes ErrNotSent as well, without its text.
	Send(ctx context.Context, m Message) error
}

// A Message is what a [Sender] sends. It redacts itself, and hides the code also
// inside other values; the fields are plain. Code reveals the code.
type Message struct {
	redacted

	// UserID is the user who asked for the code. Purpose is what it is for; PurposeSetup
	// means that it proves the address. Name the purpose in the message: a user who reads
	// "to delete the project" and has not asked for that does not pass the code on.
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
