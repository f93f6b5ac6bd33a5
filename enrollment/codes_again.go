package enrollment

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// SetupCodes returns the recovery codes that [Guard.Confirm] or [Messages.Confirm]
// has made with the token, once more: the first answer may never have reached the
// user, because of a second click or a lost connection. It works until ten minutes
// after the token has expired, as long as none of the codes was used and no others
// were made. The codes are drawn again from the token, because the account has only
// their hashes. SetupCodes changes nothing, and nobody is told: the event of the setup
// says that there are new codes. An attacker who has the token of the user's setup
// and the user's session sees them too.
//
// With the scheme Argon2id it takes one derivation. It returns a [Denied] that matches
// [ErrSetup], or one of reason ReasonNotEnrolled or ReasonCodesNotKept. The last one
// says that the setup made no codes, is not confirmed yet, or that the account has
// other codes now. It also returns [ErrBusy].
func (g *Guard) SetupCodes(ctx context.Context, userID string, token SetupToken) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opSetupCodes, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	label := labelSetup
	t, err := g.readSetupToken(ctx, label, userID, token)
	if errors.Is(err, ReasonSetupInvalid) {
		label = labelAddress
		t, err = g.readSetupToken(ctx, label, userID, token)
	}
	if err != nil {
		return recovery.Codes{}, err
	}
	e.user = userID
	draw := g.drawFrom(t.seed, label, userID, t.id)
	if draw == nil {
		draw = undrawn
	}
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) {
		codes, err := a.SetupCodes(m, t.id, label == labelAddress, draw)
		return codes, t.outcome(err)
	})
}

// RenewalCodes returns the recovery codes that [Guard.RenewCodesOnce] has made with
// the token, once more. It is like SetupCodes. Instead of its reasons about a setup,
// there is ReasonRenewalInvalid: also if no codes were made with the token.
func (g *Guard) RenewalCodes(ctx context.Context, userID string, token RenewalToken) (_ recovery.Codes, err error) {
	if err := g.check(); err != nil {
		return recovery.Codes{}, err
	}
	e := edit{guard: g, op: opRenewalCodes, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	t, err := g.readRenewal(ctx, userID, token)
	if err != nil {
		return recovery.Codes{}, err
	}
	e.user = userID
	draw := g.drawFrom(t.seed, labelRenewal, userID, t.ID)
	return run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Codes, error) {
		return a.RenewalCodes(m, t.ID, draw)
	})
}

// NewCode returns the recovery code that has replaced the one which answered the
// challenge, once more; see Config.ReplenishCodes. The code is the one that was typed:
// without it, the challenge shows nothing. So the same request that comes twice, because
// of a second click or a lost answer, shows the new code again. NewCode also returns the
// user, who is not signed in by that. Purpose is that of the challenge.
//
// Call it when Answer is denied as ReasonChallengeSpent, or with Success.Challenge for a
// page that can be loaded again. After [Guard.Verify], which takes no challenge, only
// Success.Challenge will do: if that answer is lost, the code is lost, too. NewCode works
// until ten minutes after the challenge has expired, or ten minutes after Verify, and until
// the next change of factor or use of a recovery code. The account has only the hash of the
// code: it is drawn again from the challenge. NewCode changes nothing, and nobody is told.
//
// With the scheme Argon2id it takes one derivation. It returns a [Denied] of reason
// ReasonChallengeInvalid, ReasonChallengeExpired, ReasonNotEnrolled or, if there is no such
// code, ReasonCodesNotKept. It also returns [ErrBusy].
func (g *Guard) NewCode(ctx context.Context, purpose Purpose, challenge Challenge, code string) (userID string, _ recovery.Code, err error) {
	if err := g.check(); err != nil {
		return "", recovery.Code{}, err
	}
	e := edit{guard: g, op: opNewCode, reads: true, derives: true}
	defer e.conclude(ctx, &err)
	if err := purpose.validate(); err != nil {
		return "", recovery.Code{}, err
	}
	c, err := g.openChallenge(ctx, challenge)
	switch {
	case errors.Is(err, errToken), err == nil && c.purpose != purpose:
		return "", recovery.Code{}, deny(ReasonChallengeInvalid)
	case err != nil:
		return "", recovery.Code{}, err
	case !g.Now().Before(c.Expires.Add(account.RepeatTTL)):
		return "", recovery.Code{}, deny(ReasonChallengeExpired)
	}
	q, ok := readGuess(code)
	if !ok || q.Factor != account.Recovery || c.seed == (seed{}) {
		return "", recovery.Code{}, deny(ReasonCodesNotKept)
	}
	e.user = c.user
	fresh, err := run(ctx, &e, func(a *account.Account, m account.Moment) (recovery.Code, error) {
		return a.NewCode(m, c.ID, func(s recovery.Scheme) (recovery.Code, error) { return g.newCode(c, q.code, s) })
	})
	if err != nil {
		return "", recovery.Code{}, err
	}
	return c.user, fresh, nil
}

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

// A seed makes the recovery codes of a setup or a renewal, or the one that replaces a used
// one. It is drawn when that is begun and travels in the sealed token, so the token can
// show the codes once more. The account does not have it.
type seed [32]byte

// bytesOfCode is how many random bytes a code takes at the most.
const bytesOfCode = 17

func (g *Guard) newSeed() (s seed, err error) { return s, g.draw(s[:]) }

// drawFrom returns what makes the codes of a seed for this user, and for a token of
// this use and id. It is nil without a seed.
func (g *Guard) drawFrom(s seed, label, userID string, id account.SetupID) account.Draw {
	if s == (seed{}) {
		return nil
	}
	return func(n int, scheme recovery.Scheme) (recovery.Codes, error) {
		info := parts(labelCodes+g.dry, g.config.Namespace, label, userID, string(id[:]), scheme.String(), strconv.Itoa(n))
		random, err := hkdf.Expand(sha256.New, s[:], string(info), recovery.MaxCount*bytesOfCode)
		if err != nil {
			return recovery.Codes{}, fmt.Errorf("enrollment: making recovery codes: %w", err)
		}
		return codesFrom(bytes.NewReader(random), n, scheme)
	}
}

// newCode returns the recovery code that replaces the used one when it answers the
// challenge. It takes both to draw it again: an attacker who has made the user answer a
// challenge of the attacker's own does not have the code.
func (g *Guard) newCode(c challenge, used recovery.Code, scheme recovery.Scheme) (recovery.Code, error) {
	info := parts(labelCodes+g.dry, g.config.Namespace, labelChallenge, c.user, string(c.ID[:]), scheme.String(), used.Reveal())
	random, err := hkdf.Expand(sha256.New, c.seed[:], string(info), bytesOfCode)
	if err != nil {
		return recovery.Code{}, fmt.Errorf("enrollment: making a recovery code: %w", err)
	}
	return recovery.NewCode(bytes.NewReader(random), scheme)
}

// freshCodes draws codes that nothing can draw again.
func (g *Guard) freshCodes(n int, scheme recovery.Scheme) (recovery.Codes, error) {
	return codesFrom(g.random, n, scheme)
}

func codesFrom(random io.Reader, n int, scheme recovery.Scheme) (recovery.Codes, error) {
	codes, err := recovery.Generate(random, n, scheme)
	if err != nil {
		return recovery.Codes{}, fmt.Errorf("enrollment: making recovery codes: %w", err)
	}
	return codes, nil
}

// undrawn is the [account.Draw] of a token without a seed.
func undrawn(int, recovery.Scheme) (recovery.Codes, error) {
	return recovery.Codes{}, deny(ReasonCodesNotKept)
}
