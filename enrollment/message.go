package enrollment

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
)

// ErrNotSent says that the [Sender] failed. The message counts as sent: what a
// gateway has done when it fails is not known. It wraps the Sender's error.
var ErrNotSent = errors.New("enrollment: the message was not sent")

// A Sender hands a message to whatever delivers it. It is the host's, and safe
// for concurrent use.
type Sender interface {
	// Send sends the code to the address, and does not keep the message. It is
	// called after the account has counted the message and stored that, at most
	// once for each, with the context of the caller: a caller who hangs up can
	// cut it short, and has used up a message. The caller waits for it. A nil
	// error means that the message is on its way; any other reaches the caller
	// behind [ErrNotSent], as does a panic, without what it says.
	Send(ctx context.Context, m Message) error
}

// A Message is what a [Sender] sends. It redacts itself, and hides the code also
// inside other values; the fields are plain. Code reveals the code.
type Message struct {
	redacted

	// UserID is who asked for it, Purpose what for: PurposeSetup where the code
	// is to prove the address. Say it in the message: who reads "to delete the
	// project" and did nothing of the kind does not pass the code on.
	UserID  string
	Purpose Purpose

	// Channel and To are where it goes.
	Channel, To string

	// Expires is when the code is worth nothing any more.
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

// newMessage draws a message. It reads a fixed number of bytes: a code is the
// rest of 64 bits, whose first codes are more frequent than the last by less
// than one part in 10¹³, and no source of randomness makes it draw again.
func (g *Guard) newMessage() (f freshMessage, err error) {
	var drawn [8]byte
	if err := g.draw(f.id[:], drawn[:]); err != nil {
		return f, err
	}
	f.digits = fmt.Sprintf("%0*d", account.DeliveredDigits, binary.BigEndian.Uint64(drawn[:])%deliveredCodes)
	return f, nil
}

func (f freshMessage) hidden() redact.Value[string] { return redact.Of(f.digits) }

func addressOf(x account.Address) Address {
	return Address{Channel: x.Channel, Hint: hint(x.To), Added: x.Added, Used: x.Used}
}

// hint shows of an address what its owner recognises it by: the domain of an
// e-mail address with the first letter, and the last two characters of anything
// else, such as a phone number. Where that were most of what there is to know,
// it shows less.
func hint(to string) string {
	const (
		shortLocal = 3 // runes before the @
		shortTo    = 6 // runes in all
	)
	if at := strings.LastIndexByte(to, '@'); at > 0 {
		local := []rune(to[:at])
		if len(local) < shortLocal {
			local = nil
		}
		return string(local[:min(len(local), 1)]) + "…" + to[at:]
	}
	runes := []rune(to)
	if len(runes) < shortTo {
		return "…"
	}
	return "…" + string(runes[len(runes)-2:])
}
