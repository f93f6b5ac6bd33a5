package enrollment

import (
	"crypto/sha256"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

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
