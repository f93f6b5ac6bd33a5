package enrollment

import (
	"strings"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Factor is a kind of code, or what took the place of one.
type Factor string

// The factors.
const (
	// FactorTOTP is a code of an authenticator app (RFC 6238).
	FactorTOTP Factor = "totp"

	// FactorRecovery is a recovery code.
	FactorRecovery Factor = "recovery"

	// FactorDelivered is a code that was sent in a message; see [Messages].
	FactorDelivered Factor = "delivered"
)

// What can take the place of a code at a sign-in. They are no factors and prove
// nothing: they stand in Decision.Waived and Status.LastFactor only.
const (
	// FactorTrustedDevice is the token of a device; see [Devices].
	FactorTrustedDevice Factor = "trusted_device"

	// FactorBypass is the word of an administrator; see [Admin.Bypass].
	FactorBypass Factor = "bypass"
)

var factors = map[account.Factor]Factor{
	account.TOTP:          FactorTOTP,
	account.Recovery:      FactorRecovery,
	account.Delivered:     FactorDelivered,
	account.TrustedDevice: FactorTrustedDevice,
	account.ByBypass:      FactorBypass,
}

// factorOf returns the public name of a factor, "" for none.
func factorOf(f account.Factor) Factor { return factors[f] }

const (
	// minImported and maxImported bound the text of a recovery code of another
	// system, in bytes.
	minImported = 6
	maxImported = 64
)

// A guess is what somebody typed, read as what it looks like. App codes and
// recovery codes differ in length, so that one field takes both.
type guess struct {
	account.Guess
	code recovery.Code // for Recovery: what the digest is derived from
	text string        // what a code of another system is held against
}

// readGuess reads what somebody typed. It reports false for text that can't be a
// code, not even of another system, before anything is loaded or derived.
// Whether an account has codes of another system is known once it is loaded.
func readGuess(input string) (*guess, bool) {
	q := &guess{text: strings.TrimSpace(input)}
	if digits, err := totp.Normalize(input); err == nil {
		q.Factor, q.Digits = account.TOTP, digits
		return q, true
	}
	code, err := recovery.ParseCode(input)
	switch {
	case err == nil:
		q.Factor, q.Scheme, q.code = account.Recovery, code.Scheme(), code
	case len(input) > maxImported || len(q.text) < minImported || !typed.Printable(q.text):
		return nil, false
	}
	return q, true
}
