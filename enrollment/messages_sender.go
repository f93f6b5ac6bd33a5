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

// Errors of sending. They are faults and not a Denied: say that the code could not be
// sent, and offer the other factors.
var (
	// ErrNotSent says that the [Sender] failed. It wraps the Sender's error. The
	// message counts as sent, since what a gateway has done when it fails is not
	// known, unless the error also matches ErrRefused.
	ErrNotSent = errors.New("enrollment: the message was not sent")

	// ErrRefused is for a [Sender] to return, alone or wrapped: the gateway has refused
	// the message and will certainly not deliver it. The message is then not counted for
	// the day; the pause before the next one stays. At most Config.MaxMessages are taken
	// back in a day, so a gateway that always refuses is asked at most twice as often. The
	// caller gets it wrapped by ErrNotSent: the address may be wrong. If taking the
	// message back fails as well, the error wraps why, and the message is counted.
	ErrRefused = errors.New("enrollment: the gateway refused the message")
)

// send calls the Sender, and takes a message back that was refused for certain.
func (x Messages) send(ctx context.Context, f freshMessage, m Message) error {
	m.code = f.hidden()
	err := x.hand(ctx, m)
	if !errors.Is(err, ErrRefused) {
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
	// [ErrNotSent]. Return one that matches [ErrRefused] if the gateway has said for
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
