package enrollment

import (
	"cmp"
	"encoding/hex"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/qr"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// label returns what the app shows for a setup. A name that a person has chosen is
// never an error: the person could not set up an authenticator at all. The image is
// the application's, and an invalid one is an error.
//
// Without an account that can be seen, the user's id names the entry. A fixed text
// would give all these users one label, and an app that keeps one entry for each
// label would replace the secret of the one by that of the other.
func (g *Guard) label(userID string, o BeginOptions) (totp.Label, error) {
	if err := validUser(userID); err != nil {
		return totp.Label{}, err
	}
	var l totp.Label
	for _, text := range []string{o.Account, userID, hex.EncodeToString([]byte(userID))} {
		if l = (totp.Label{Issuer: o.Issuer, Account: text}).Fit(); l.Account != "" {
			break
		}
	}
	l.Issuer = cmp.Or(l.Issuer, g.config.Issuer)
	l.Image = o.Image
	if err := l.Validate(); err != nil {
		return totp.Label{}, fmt.Errorf("enrollment: BeginOptions: %w", err)
	}
	return l, nil
}

// fitQR leaves out the image of a setup if its URI gets too long for a QR code.
// Without an image it never does.
func fitQR(s *account.Setup) error {
	const number = len("%20%283%29") // which Account.Begin may add
	uri, err := uriOf(s)
	if err == nil && len(uri)+number > qr.MaxText {
		s.Label.Image = ""
	}
	return err
}
