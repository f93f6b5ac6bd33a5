package enrollment

import (
	"crypto/sha256"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

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
// Messages.Unbind, Admin.Import, a reset, erasing the account, and the use of a
// recovery code, for any purpose. So does the repair after a clock that was wrong by
// more than a day. A sign-in with any other code changes nothing, and neither do Begin,
// devices, names, locks, a bypass and an export.
//
// The session that made the change takes the new Stamp, or it would end as well. The
// Success, the Confirmed and the RenewedCodes have it. If the result has none, as after
// Remove, or if the proof was a recovery code, call [Guard.Status].
//
// A user who never had a second factor also has a Stamp. It stays the same until the
// first Confirm, with or without a record.
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
