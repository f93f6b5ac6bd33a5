package enrollment

import (
	"io"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// CoreReasons are the reasons for which an account itself refuses.
var CoreReasons = []account.Reason{
	account.WrongCode,
	account.Replayed,
	account.Locked,
	account.FactorDisabled,
	account.ClockSkew,
	account.ChallengeVoid,
	account.ChallengeSpent,
	account.SetupSuperseded,
	account.SetupExpired,
	account.NoSetup,
	account.NotEnrolled,
	account.TooManyAuthenticators,
	account.UnknownAuthenticator,
	account.LastAuthenticator,
	account.DuplicateSecret,
	account.TooManyCodeSets,
	account.MalformedCode,
	account.ChallengeExpired,
	account.CodesNotKept,
	account.UnknownDevice,
	account.AlreadyEnrolled,
	account.WasEnrolled,
	account.TicketRequired,
	account.TicketInvalid,
	account.NoAddress,
	account.SameChannel,
	account.TooManyMessages,
	account.NoReset,
	account.ResetWaiting,
	account.TooManyResets,
}

// SetRandom gives the Guard another source of randomness.
func (g *Guard) SetRandom(r io.Reader) { g.random = r }

// Hint is what a Status shows of an address.
func Hint(to string) string { return hint(to) }

// CountBcrypt has every comparison with a bcrypt hash of another system told to
// f.
func (g *Guard) CountBcrypt(f func()) {
	compare := g.bcrypt
	g.bcrypt = func(hash, text []byte) error {
		f()
		return compare(hash, text)
	}
}
