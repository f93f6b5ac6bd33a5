package enrollment

import (
	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A Factor is what a code is an instance of.
type Factor string

// The factors.
const (
	// TOTP is a code of an authenticator app (RFC 6238).
	TOTP Factor = "totp"

	// Recovery is a recovery code.
	Recovery Factor = "recovery"
)

// factorOf returns the public name of a factor, "" for none.
func factorOf(f account.Factor) Factor {
	switch f {
	case account.TOTP:
		return TOTP
	case account.Recovery:
		return Recovery
	}
	return ""
}

// A guess is what somebody typed, read as what it looks like. App codes and
// recovery codes differ in length, so that one field takes both.
type guess struct {
	account.Guess
	code recovery.Code // for Recovery: what the digest is derived from
}

// readGuess reads what somebody typed. Text that can't be a code is denied
// before anything is loaded or derived.
func readGuess(input string) (*guess, error) {
	if digits, err := totp.Normalize(input); err == nil {
		return &guess{Guess: account.Guess{Factor: account.TOTP, Digits: digits}}, nil
	}
	code, err := recovery.ParseCode(input)
	if err != nil {
		return nil, deny(MalformedCode)
	}
	return &guess{Guess: account.Guess{Factor: account.Recovery, Scheme: code.Scheme()}, code: code}, nil
}

// derive computes the digest that the account's codes are compared with. It is
// slow for the scheme Argon2id.
func (q *guess) derive(from recovery.Derivation) error {
	digest, err := from.Derive(q.code)
	if err != nil {
		return err
	}
	q.Digest, q.From = digest, from
	return nil
}
