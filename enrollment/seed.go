package enrollment

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

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
		info := parts(labelCodes, g.config.Namespace, label, userID, string(id[:]), scheme.String(), strconv.Itoa(n))
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
	info := parts(labelCodes, g.config.Namespace, labelChallenge, c.user, string(c.ID[:]), scheme.String(), used.Reveal())
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
