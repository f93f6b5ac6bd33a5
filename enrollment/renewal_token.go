package enrollment

import (
	"context"
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// A RenewalToken stands for one renewal of the recovery codes; see
// [Guard.PrepareRenewal]. It works only together with the user's id. A RenewalToken is
// encoded and printed like a [Challenge].
type RenewalToken struct{ token }

// RenewalTokenOf returns the RenewalToken with that text, from the form that the
// application has put it into. The text is checked only when the RenewalToken is used.
func RenewalTokenOf(text string) RenewalToken { return RenewalToken{tokenOf(text)} }

// A renewalToken lets the page that asked for new codes see them again.
type renewalToken struct {
	account.Renewal
	user string
	seed seed
}

// PrepareRenewal returns a token for [Guard.RenewCodesOnce]. Put it into the form that
// asks the user for the proof, so that a form that is sent twice makes one set of codes.
// The token is good for Config.SetupTTL, and until the next change of factor. It proves
// nothing and PrepareRenewal changes nothing.
//
// It returns a [Denied] of reason ReasonNotEnrolled.
func (g *Guard) PrepareRenewal(ctx context.Context, userID string) (RenewalToken, error) {
	if err := g.check(); err != nil {
		return RenewalToken{}, err
	}
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return RenewalToken{}, err
	}
	t := renewalToken{user: userID}
	if t.seed, err = g.newSeed(); err != nil {
		return RenewalToken{}, err
	}
	var id account.SetupID
	if err := g.draw(id[:]); err != nil {
		return RenewalToken{}, err
	}
	if t.Renewal, err = a.NewRenewal(id, m.Now.Add(g.config.SetupTTL)); err != nil {
		return RenewalToken{}, outward(err)
	}
	b := append(appendTime(t.ID[:], t.Expires), t.Epoch[:]...)
	sealed, err := g.sealToken(ctx, labelRenewal, append(appendText(b, t.user), t.seed[:]...))
	return RenewalToken{sealed}, err
}

// readRenewal opens the token of a renewal of this user.
func (g *Guard) readRenewal(ctx context.Context, userID string, from RenewalToken) (t renewalToken, err error) {
	in, err := g.openToken(ctx, labelRenewal, from.token)
	switch {
	case errors.Is(err, errToken):
		return t, deny(ReasonRenewalInvalid)
	case err != nil:
		return t, err
	}
	var expires time.Time
	if !in.CopyBytes(t.ID[:]) || !readTime(&in, &expires) || !in.CopyBytes(t.Epoch[:]) || !readText(&in, &t.user) ||
		!in.CopyBytes(t.seed[:]) || !in.Empty() || t.user != userID {
		return t, deny(ReasonRenewalInvalid)
	}
	t.Expires = expires
	if !g.Now().Before(t.Expires.Add(account.RepeatTTL)) {
		return t, deny(ReasonRenewalInvalid)
	}
	return t, nil
}
