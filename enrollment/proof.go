package enrollment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/hidden"
)

// ReceiptTTL is how old a receipt may be that proves something.
const ReceiptTTL = 5 * time.Minute

// maxMethod is the length of the longest method of ByReauth in bytes.
const maxMethod = 32

// A Proof authorises a change to somebody's two-factor settings. The zero
// Proof proves nothing.
type Proof struct {
	p hidden.Value[proof] // a code is a secret while it lasts
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
// counted like one there.
func ByCode(code string) Proof { return Proof{hidden.Of(proof{codeProof, code})} }

// ByReceipt proves with a receipt of the same user (see [Success]) that is at
// most [ReceiptTTL] old. A receipt is void after any change of factor.
func ByReceipt(receipt string) Proof { return Proof{hidden.Of(proof{receiptProof, receipt})} }

// ByReauth proves by the host's word: it has just checked the first factor
// again, by the named method, for example "password": 1 to 32 bytes that show
// up in the event. It is accepted by Disable and Remove only, and only where
// Config.AllowReauth is set.
func ByReauth(method string) Proof { return Proof{hidden.Of(proof{reauthProof, method})} }

const redactedProof = "enrollment.Proof(redacted)"

// String returns a fixed text: proofs hold codes.
func (Proof) String() string { return redactedProof }

// GoString returns what String returns.
func (Proof) GoString() string { return redactedProof }

// Format writes what String returns, whatever the verb.
func (Proof) Format(f fmt.State, _ rune) { io.WriteString(f, redactedProof) }

// LogValue returns what String returns.
func (Proof) LogValue() slog.Value { return slog.StringValue(redactedProof) }

// MarshalJSON returns an error: a proof is for one call.
func (Proof) MarshalJSON() ([]byte, error) {
	return nil, errors.New("enrollment: a proof is not marshalled")
}

// authority is what a proof has proven.
type authority struct {
	factor account.Factor
	at     time.Time // when the factor was given
	method string    // of a re-authentication
}

// A prover holds a proof against an account.
type prover struct {
	guard   *Guard
	user    string
	kind    proofKind
	guess   *guess
	receipt receipt
	method  string
	denied  error // what is wrong with the proof whatever the account is like
	reauth  bool  // whether re-authentication is enough for the change
}

// newProver reads the proof. What is wrong with it comes to light once it is
// needed; an error is a fault.
func (g *Guard) newProver(ctx context.Context, userID string, p Proof, reauth bool) (*prover, error) {
	v := &prover{guard: g, user: userID, reauth: reauth}
	if p.p.IsZero() {
		return v, nil
	}
	kind, value := p.p.Get().kind, p.p.Get().value
	v.kind = kind
	switch kind {
	case codeProof:
		v.guess, v.denied = readGuess(value)
	case receiptProof:
		r, err := g.openReceipt(ctx, value)
		switch {
		case errors.Is(err, errToken), err == nil && r.user != userID:
			v.denied = deny(ProofInvalid)
		case err != nil:
			return nil, err
		}
		v.receipt = r
	case reauthProof:
		if n := len(value); n == 0 || n > maxMethod || !printable(value) {
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
		return authority{}, deny(NotEnrolled)
	}
	if v.denied != nil {
		return authority{}, v.denied
	}
	switch v.kind {
	case codeProof:
		match, err := a.Check(m, v.guess.Guess)
		return authority{factor: match.Factor, at: m.Now}, err
	case receiptProof:
		switch {
		case v.receipt.epoch != a.Epoch():
			return authority{}, deny(ProofInvalid)
		case !fresh(v.receipt.at, m.Now, ReceiptTTL):
			return authority{}, deny(ProofStale)
		}
		return authority{factor: v.receipt.factor, at: v.receipt.at}, nil
	case reauthProof:
		if !v.reauth || !v.guard.config.AllowReauth {
			return authority{}, deny(ProofNotAllowed)
		}
		return authority{at: m.Now, method: v.method}, nil
	}
	return authority{}, deny(ProofRequired)
}

// fresh reports whether an instant lies within the last ttl. One that lies in
// the future by more than nodes differ was stamped by a clock that has jumped
// back since, and is not fresh.
func fresh(at, now time.Time, ttl time.Duration) bool {
	age := now.Sub(at)
	return age >= -clockSlack && age <= ttl
}
