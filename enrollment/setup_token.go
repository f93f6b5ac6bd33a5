package enrollment

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A SetupToken identifies a pending [Setup] of an authenticator, or a pending
// [Binding] of an address. It works only together with the user's id, and only
// until the setup expires; for ten minutes more, [Guard.SetupCodes] may show the
// recovery codes that were made with it. A SetupToken is encoded and printed like a
// [Challenge].
type SetupToken struct{ token }

// SetupTokenOf returns the SetupToken with that text, from where the application has
// kept it. The text is checked only when the SetupToken is used.
func SetupTokenOf(text string) SetupToken { return SetupToken{tokenOf(text)} }

// A setupToken lets the session that began a setup, of an app or an address, see
// it again and confirm it. Tokens from before there were seeds have none.
type setupToken struct {
	id      account.SetupID
	expires time.Time
	user    string
	seed    seed
	mandate account.Mandate // what the setup completes

	expired bool // whether that time had come when the token was read
}

func (g *Guard) sealSetup(ctx context.Context, label string, s setupToken) (SetupToken, error) {
	b := appendTime(s.id[:], s.expires)
	b = appendText(b, s.user)
	if s.seed != (seed{}) || s.mandate.Purpose != "" {
		b = append(b, s.seed[:]...)
	}
	if s.mandate.Purpose != "" {
		b = appendText(appendTime(b, s.mandate.At), s.mandate.Purpose)
	}
	sealed, err := g.sealToken(ctx, label, b)
	return SetupToken{sealed}, err
}

func (g *Guard) openSetup(ctx context.Context, label string, from SetupToken) (s setupToken, err error) {
	in, err := g.openToken(ctx, label, from.token)
	if err != nil {
		return s, err
	}
	if !in.CopyBytes(s.id[:]) || !readTime(&in, &s.expires) || !readText(&in, &s.user) {
		return s, errToken
	}
	if !in.Empty() && !in.CopyBytes(s.seed[:]) {
		return s, errToken
	}
	if !in.Empty() && (!readTime(&in, &s.mandate.At) || !readText(&in, &s.mandate.Purpose) || !in.Empty()) {
		return s, errToken
	}
	return s, nil
}

// readSetupToken opens the token of a setup of this user. For [RepeatTTL] after it has
// expired, the account may still know what became of it; see [setupToken.outcome].
func (g *Guard) readSetupToken(ctx context.Context, label, userID string, token SetupToken) (setupToken, error) {
	s, err := g.openSetup(ctx, label, token)
	switch {
	case errors.Is(err, errToken), err == nil && s.user != userID:
		return s, deny(ReasonSetupInvalid)
	case err != nil:
		return s, err
	}
	now := g.Now()
	if !now.Before(s.expires.Add(account.RepeatTTL)) {
		return s, deny(ReasonSetupExpired)
	}
	s.expired = !now.Before(s.expires)
	return s, nil
}

// purpose returns what the Success is for that confirms the setup.
func (s setupToken) purpose(m account.Moment) Purpose {
	if s.mandate.Holds(m) {
		return Purpose(s.mandate.Purpose)
	}
	return PurposeSetup
}

// outcome returns what the account says about the setup. If the token has expired,
// that is the reason why it is gone.
func (s setupToken) outcome(err error) error {
	if r, ok := find[*account.Refusal](err); ok && s.expired && (r.Reason == account.NoSetup || r.Reason == account.SetupSuperseded) {
		return deny(ReasonSetupExpired)
	}
	return err
}
