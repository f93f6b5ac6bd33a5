package enrollment

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A SetupToken identifies a pending [Setup] of an authenticator, or a pending
// [Binding] of an address. It works only together with the user's id, and only
// until the setup expires. A SetupToken is encoded and printed like a [Challenge].
type SetupToken struct{ token }

// SetupTokenOf returns the SetupToken with that text, from where the host has kept
// it. The text is checked only when the SetupToken is used.
func SetupTokenOf(text string) SetupToken { return SetupToken{tokenOf(text)} }

// A setupToken lets the session that began a setup, of an app or an address, see
// it again and confirm it.
type setupToken struct {
	id      account.SetupID
	expires time.Time
	user    string
}

func (g *Guard) sealSetup(ctx context.Context, label string, s setupToken) (SetupToken, error) {
	b := appendTime(s.id[:], s.expires)
	sealed, err := g.sealToken(ctx, label, appendText(b, s.user))
	return SetupToken{sealed}, err
}

func (g *Guard) openSetup(ctx context.Context, label string, from SetupToken) (s setupToken, err error) {
	in, err := g.openToken(ctx, label, from.token)
	if err != nil {
		return s, err
	}
	if !in.CopyBytes(s.id[:]) || !readTime(&in, &s.expires) || !readText(&in, &s.user) || !in.Empty() {
		return s, errToken
	}
	return s, nil
}

// readSetupToken opens the token of a setup of this user.
func (g *Guard) readSetupToken(ctx context.Context, label, userID string, token SetupToken) (setupToken, error) {
	s, err := g.openSetup(ctx, label, token)
	switch {
	case errors.Is(err, errToken), err == nil && s.user != userID:
		return s, deny(ReasonSetupInvalid)
	case err != nil:
		return s, err
	case !g.now().Before(s.expires):
		return s, deny(ReasonSetupExpired)
	}
	return s, nil
}
