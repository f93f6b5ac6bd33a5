package enrollment

import (
	"crypto/sha256"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A Ticket is what a user needs for the next setup after a reset, if
// [ResetOptions] says so: 80 random bits that an administrator hands over, in
// person or in another way that somebody with a stolen password does not have.
// Reveal returns the text, in groups of four symbols. It travels and prints like a
// [Challenge].
type Ticket struct{ token }

// TicketOf returns the Ticket that a user has typed. Case, hyphens and white space do
// not matter, and look-alikes such as O and 0 are taken for each other. The text is
// not checked before the Ticket is used.
func TicketOf(text string) Ticket { return Ticket{tokenOf(text)} }

// newTicket draws a ticket. It is read as recovery codes are, and looks like one.
func (g *Guard) newTicket() (Ticket, error) {
	code, err := recovery.NewCode(g.random, recovery.Argon2id)
	if err != nil {
		return Ticket{}, fmt.Errorf("enrollment: drawing a ticket: %w", err)
	}
	return TicketOf(code.Reveal()), nil
}

// ticketHash returns what the account keeps of a ticket; the zero TicketHash for
// none. A text that can't be a ticket is never that of an account.
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
