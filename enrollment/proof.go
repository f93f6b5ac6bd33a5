package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// ReceiptTTL is how old a receipt may be that proves something.
const ReceiptTTL = 5 * time.Minute

// maxMethod is the length of the longest method of ByReauth in bytes.
const maxMethod = 32

// A Proof authorises a change to somebody's two-factor settings. The zero
// Proof proves nothing.
type Proof struct {
	redacted
	p redact.Value[proof] // a code is a secret while it lasts
}

type proof struct {
	kind  proofKind
	value string
}

type proofKind uint8

const (
	noProof proofKind = iota
	codeProof
	receiptProof
	reauthProof
)

// ByCode proves with a current code of an authenticator, or a recovery code,
// that the user typed. It is used up like a code at sign-in, and a wrong one is
// counted like one there. Where a change is denied for another reason, the code
// stays good. A recovery code is not replaced, whatever
// Config.ReplenishCodes says: nobody would be shown the new one.
func ByCode(code string) Proof { return Proof{p: redact.Of(proof{codeProof, code})} }

// ByReceipt proves with a receipt of the same user (see [Success]) that is at
// most [ReceiptTTL] old. A receipt is void after any change of factor. That of a
// delivered code proves nothing here.
func ByReceipt(r Receipt) Proof { return Proof{p: redact.Of(proof{receiptProof, r.Reveal()})} }

// ByReauth proves by the host's word: it has just checked the first factor
// again, by the named method, for example "password": 1 to 32 bytes that show
// up in the event. It is accepted by Disable and Remove only, and only where
// Config.AllowReauth is set.
func ByReauth(method string) Proof { return Proof{p: redact.Of(proof{reauthProof, method})} }

// authority is what a proof has proven.
type authority struct {
	factor account.Factor
	at     time.Time // when the factor was given
	method string    // of a re-authentication
}

// A demand is what a proof is asked for. What is allowed differs.
type demand struct {
	reauth bool // whether re-authentication is enough where Config.AllowReauth is set
	app    bool // whether it has to be by an app's code
}

// What proofs are asked for.
var (
	toAdd    = demand{}
	toRemove = demand{reauth: true}
	toShow   = demand{app: true}
)

// A prover holds a proof against an account.
type prover struct {
	demand
	guard   *Guard
	user    string
	kind    proofKind
	guess   *guess
	receipt receipt
	method  string
	denied  error // what is wrong with the proof whatever the account is like
}

// newProver reads the proof. What is wrong with it comes to light once it is
// needed; an error is a fault.
func (g *Guard) newProver(ctx context.Context, userID string, p Proof, d demand) (*prover, error) {
	v := &prover{demand: d, guard: g, user: userID}
	if p.p.IsZero() {
		return v, nil
	}
	kind, value := p.p.Get().kind, p.p.Get().value
	v.kind = kind
	switch kind {
	case codeProof:
		v.guess, v.denied = g.readGuess(value)
		switch {
		case v.denied != nil || !v.app || v.guess.Factor == account.TOTP:
		case v.guess.Factor == account.NoFactor:
			v.denied = deny(ReasonMalformedCode)
		default:
			v.denied = deny(ReasonProofNotAllowed)
		}
	case receiptProof:
		r, err := g.openReceipt(ctx, ReceiptOf(value))
		switch {
		case errors.Is(err, errToken), err == nil && r.user != userID:
			v.denied = deny(ReasonProofInvalid)
		case err != nil:
			return nil, err
		}
		v.receipt = r
	case reauthProof:
		if n := len(value); n == 0 || n > maxMethod || !typed.Printable(value) {
			return nil, fmt.Errorf("enrollment: the method of ByReauth is not 1 to %d printable bytes", maxMethod)
		}
		v.method = value
	}
	return v, nil
}

// prove evaluates the proof. Like [account.Account.Check] it can change the
// account and still refuse.
func (v *prover) prove(a *account.Account, m account.Moment) (authority, error) {
	if a.State() != account.Confirmed {
		return authority{}, deny(ReasonNotEnrolled)
	}
	if v.denied != nil {
		return authority{}, v.denied
	}
	switch v.kind {
	case codeProof:
		match, err := v.guess.check(a, m)
		if err == nil && v.app && match.Factor != account.TOTP {
			err = deny(ReasonProofNotAllowed) // it looked like an app's, and was none
		}
		return authority{factor: match.Factor, at: m.Now}, err
	case receiptProof:
		if err := v.receipt.check(a, m.Typed, ReceiptTTL); err != nil {
			return authority{}, err
		}
		if f := v.receipt.factor; f != account.TOTP && (v.app || f != account.Recovery) {
			return authority{}, deny(ReasonProofNotAllowed)
		}
		return authority{factor: v.receipt.factor, at: v.receipt.at}, nil
	case reauthProof:
		if !v.reauth || !v.guard.config.AllowReauth {
			return authority{}, deny(ReasonProofNotAllowed)
		}
		return authority{at: m.Now, method: v.method}, nil
	}
	return authority{}, deny(ReasonProofRequired)
}

// fresh reports whether an instant lies within the last ttl. One that lies in
// the future by more than nodes differ was stamped by a clock that has jumped
// back since, and is not fresh.
func fresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -clockSlack && age <= ttl
}
