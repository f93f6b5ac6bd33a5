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
	account.NoSetup,
	account.NotEnrolled,
	account.TooManyAuthenticators,
	account.UnknownAuthenticator,
	account.LastAuthenticator,
	account.DuplicateSecret,
	account.TooManyCodeSets,
}

// SetRandom gives the Guard another source of randomness.
func (g *Guard) SetRandom(r io.Reader) { g.random = r }
