package enrollment

import (
	"context"
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ChallengeTTL is how long a challenge can be answered: 10 minutes.
const ChallengeTTL = account.ChallengeTTL

// A Challenge says that the first factor of a user was right, for one purpose.
// [Guard.SignIn] and [Messages.Send] return it, and [Guard.Answer] takes it with a
// code. It is valid for [ChallengeTTL], or as long as the code that was sent. It is
// worth nothing without a code, so the application can keep it in a cookie or hand it
// to the client. After an answer with a recovery code that is replaced, the challenge and
// the used code together show the new one; see [Guard.NewCode].
//
// Like the other tokens it is opaque text of the base64url alphabet, at most 2,048
// bytes. Encoders of JSON, XML and gob write the text and read it back. Everything
// that prints it (fmt, slog, templates) shows "[redacted]" instead. Use the text
// that Reveal returns for a cookie, a header, a hidden field of a form, and a
// session that reads its values as strings.
//
// If a struct of the application has a token in an exported field, and is logged as
// JSON, the log shows the token, because such a logger is an encoder. The structs of
// this package are logged without their tokens.
type Challenge struct{ token }

// ChallengeOf returns the Challenge with that text, from where the application has kept
// it. The text is checked only when the Challenge is used.
func ChallengeOf(text string) Challenge { return Challenge{tokenOf(text)} }

// A challenge says that the first factor was right for this user, for this
// purpose, at this time.
type challenge struct {
	account.Challenge
	user    string
	purpose Purpose
	channel string // of the first factor, where the application named it
	browser string // that an EnrollToken is bound to
	seed    seed   // of the code that replaces a recovery code; zero without ReplenishCodes

	text Challenge // what the client has, for Success.Challenge
}

func (g *Guard) sealChallenge(ctx context.Context, c challenge) (Challenge, error) {
	b := append(make([]byte, 0, usualPayload), c.ID[:]...)
	b = append(b, c.Epoch[:]...)
	b = appendTime(b, c.Issued)
	b = appendTime(b, c.Expires)
	b = appendText(b, c.user, string(c.purpose), c.channel)
	seeded := c.seed != seed{}
	if c.Delivery != (account.DeliveryID{}) || c.browser != "" || seeded {
		b = append(b, c.Delivery[:]...)
	}
	if c.browser != "" || seeded {
		b = appendText(b, c.browser)
	}
	if seeded {
		b = append(b, c.seed[:]...)
	}
	sealed, err := g.sealToken(ctx, labelChallenge, b)
	return Challenge{sealed}, err
}

func (g *Guard) openChallenge(ctx context.Context, from Challenge) (c challenge, err error) {
	in, err := g.openToken(ctx, labelChallenge, from.token)
	if err != nil {
		return c, err
	}
	var purpose string
	if !in.CopyBytes(c.ID[:]) || !in.CopyBytes(c.Epoch[:]) || !readTime(&in, &c.Issued) || !readTime(&in, &c.Expires) ||
		!readText(&in, &c.user, &purpose, &c.channel) {
		return c, errToken
	}
	if !in.Empty() && !in.CopyBytes(c.Delivery[:]) {
		return c, errToken
	}
	if !in.Empty() && !readText(&in, &c.browser) {
		return c, errToken
	}
	if !in.Empty() && (!in.CopyBytes(c.seed[:]) || !in.Empty()) {
		return c, errToken
	}
	c.purpose, c.text = Purpose(purpose), from
	return c, nil
}

// readChallenge opens a challenge for that purpose, if it has not expired.
func (g *Guard) readChallenge(ctx context.Context, purpose Purpose, token Challenge) (challenge, error) {
	c, err := g.openChallenge(ctx, token)
	switch {
	case errors.Is(err, errToken), err == nil && c.purpose != purpose:
		return c, deny(ReasonChallengeInvalid)
	case err != nil:
		return c, err
	case c.Expired(g.Now()):
		return c, deny(ReasonChallengeExpired)
	}
	return c, nil
}
