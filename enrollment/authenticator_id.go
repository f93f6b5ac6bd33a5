package enrollment

import (
	"encoding/hex"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// readAuthenticatorID reads the ID of a Status. An ID that can't be read belongs to
// no authenticator of the account.
func readAuthenticatorID(text string) (id account.AuthenticatorID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, deny(ReasonUnknownAuthenticator)
	}
	return account.AuthenticatorID(raw), nil
}

func formatAuthenticatorID(id account.AuthenticatorID) string { return hex.EncodeToString(id[:]) }
