package enrollment

import (
	"crypto/sha256"
	"crypto/subtle"
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

	matched account.Factor // what it was right as; NoFactor if it was not
}

// readGuess reads what somebody typed. Text that can't be a code, not even of
// another system, is denied before anything is loaded or derived. Whether an
// account has codes of another system is known once it is loaded.
func (g *Guard) readGuess(input string) (*guess, error) {
	q := &guess{text: strings.TrimSpace(input)}
	if digits, err := totp.Normalize(input); err == nil {
		q.Factor, q.Digits = account.TOTP, digits
		return q, nil
	}
	code, err := recovery.ParseCode(input)
	switch {
	case err == nil:
		q.Factor, q.Scheme, q.code = account.Recovery, code.Scheme(), code
	case len(input) > maxImported || len(q.text) < minImported || !typed.Printable(q.text):
		return nil, deny(ReasonMalformedCode)
	}
	return q, nil
}

// check is [account.Account.Check] of the guess.
func (q *guess) check(a *account.Account, m account.Moment) (account.Match, error) {
	match, err := a.Check(m, q.Guess)
	q.matched = match.Factor
	return match, err
}

// A task is what has to be computed before a guess can be evaluated.
type task struct {
	slow bool // takes a slot
	bulk bool // and one for many slow things in a row
	do   func() error
}

// work returns what a decision needs of a guess, or nil if it needs nothing.
func (q *guess) work(g *Guard, need account.Need, p *account.Prepared) *task {
	switch need.Kind {
	case account.NeedDigest:
		return &task{slow: need.From.Slow(), do: func() (err error) {
			p.Digest, err = q.derive(g, need)
			return err
		}}
	case account.NeedImported:
		slow := false
		for _, c := range need.Imported {
			slow = slow || c.Scheme == account.ImportedBcrypt
		}
		return &task{slow: slow, bulk: slow, do: func() error {
			p.Imported = q.tryImported(g, need.Imported)
			return nil
		}}
	}
	return nil
}

// derive computes the digest that the account's codes are compared with, and
// makes the code that takes the place of the one that is right, if one does. It
// is slow for the scheme Argon2id.
func (q *guess) derive(g *Guard, need account.Need) (*account.Derived, error) {
	digest, err := need.From.Derive(q.code)
	if err != nil {
		return nil, err
	}
	derived := &account.Derived{From: need.From, Digest: digest}
	if !need.Replaces(digest) {
		return derived, nil
	}
	fresh, err := recovery.NewCode(g.random, need.From.Scheme())
	if err != nil {
		return nil, err
	}
	if digest, err = need.From.Derive(fresh); err != nil {
		return nil, err
	}
	derived.Spare = &account.FreshCode{Code: fresh, Digest: digest}
	return derived, nil
}

// tryImported holds the text against codes that another system has hashed. All
// are tried, whichever it is and whether they were used or not, so that the time
// it takes tells neither. Those hashed with SHA-256 are also found if it was
// typed in capitals or without; with bcrypt that would cost three times as much.
func (q *guess) tryImported(g *Guard, codes []account.ImportedCode) *account.ImportedTry {
	var sums [][32]byte
	for _, text := range []string{q.text, strings.ToLower(q.text), strings.ToUpper(q.text)} {
		sums = append(sums, sha256.Sum256([]byte(text)))
	}
	try := &account.ImportedTry{List: account.ImportedList(codes), Match: -1}
	for i, c := range codes {
		same := false
		switch c.Scheme {
		case account.ImportedSHA256:
			for _, sum := range sums {
				same = subtle.ConstantTimeCompare(sum[:], c.Hash) == 1 || same
			}
		case account.ImportedBcrypt:
			same = g.bcrypt(c.Hash, []byte(q.text)) == nil
		}
		if same {
			try.Match = i
		}
	}
	return try
}
