package account

import (
	"errors"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Hardware tokens are authenticators whose secret can't be changed: the vendor has put
// it in, and the host has it from a file. Nobody who sets one up has seen the secret.
// So its setup shows nothing, and the codes that confirm it are guesses like any other.

// stageable returns the refusal of an authenticator that can't be staged, whoever
// proves what. A hardware token takes the place of its own pending setup: it always has
// the same secret. One with a short secret is taken while such secrets sign in. Another
// error says that its codes can't be computed.
func (a *Account) stageable(m Moment, x *Authenticator) error {
	switch {
	case x.Short() && !m.typed().Before(m.Limits.ShortUntil):
		return refuse(ShortSecret)
	case a.holds(x.Key.Secret()), !x.Hardware && a.stages(x.Key.Secret()):
		return refuse(DuplicateSecret)
	}
	return x.approved(m)
}

// holds reports whether a confirmed authenticator of the account has the secret.
func (a *Account) holds(secret totp.Secret) bool {
	for i := range a.authenticators {
		if a.authenticators[i].Key.Secret().Equal(secret) {
			return true
		}
	}
	return false
}

// stages reports whether the pending setup has the secret.
func (a *Account) stages(secret totp.Secret) bool {
	return a.setup != nil && a.setup.Authenticator.Key.Secret().Equal(secret)
}

// checkHardware evaluates a code against a hardware token that is set up. A wrong one
// counts with those of sign-ins, so that a new setup gives nobody more guesses, and
// says nothing else: that it would be right at another time would be worth seven more.
func (a *Account) checkHardware(m Moment, x *Authenticator, digits string) error {
	if len(digits) != x.Key.Params().Digits {
		return refuse(MalformedCode)
	}
	if err := a.totp.blocked(totpPolicy, m.Now); err != nil {
		return about(TOTP, err)
	}
	// The account may have had the token before.
	x.Last = max(0, x.Key.Step(time.Unix(a.lastUsed, 0)))
	step, err := x.check(m, digits)
	switch {
	case err == nil:
		x.Last, a.changed = step, true
		a.totp.succeed()
		return nil
	case errors.Is(err, totp.ErrReplayed):
		return about(TOTP, &Refusal{Reason: Replayed, RetryAt: x.nextUnused(m.Now)})
	case errors.Is(err, totp.ErrWrong):
		return about(TOTP, a.fail(m, &a.totp, totpPolicy, TOTP, 1))
	}
	return err
}
