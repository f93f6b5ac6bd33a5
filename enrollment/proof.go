package enrollment

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/redact"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
)

// maxMethod is the length of the longest method of ByReauth in bytes.
const maxMethod = 32

// A Proof authorises a change to somebody's two-factor settings. The zero
// Proof proves nothing.
type Proof struct {
	redacted
	p redact.Value[proof] // a code is a secret while it lasts
}

type proof struct {
	kind  account.ProofKind
	value string
}

// ByCode proves with a current code of an authenticator, or a recovery code,
// that the user typed. It is used up like a code at sign-in, and a wrong one is
// counted like one there. Where a change is denied for another reason, the code
// stays good. A recovery code is not replaced, whatever
// Config.ReplenishCodes says: nobody would be shown the new one.
func ByCode(code string) Proof { return Proof{p: redact.Of(proof{account.CodeProof, code})} }

// ByReceipt proves with a receipt of the same user (see [Success]) that is at
// most [ReceiptTTL] old. A receipt is void after any change of factor. That of a
// delivered code proves nothing here.
func ByReceipt(r Receipt) Proof { return Proof{p: redact.Of(proof{account.ReceiptProof, r.Reveal()})} }

// ByReauth proves by the host's word: it has just checked the first factor
// again, by the named method, for example "password": 1 to 32 bytes that show
// up in the event. Only Disable, Remove and Messages.Unbind accept it, and only if
// Config.AllowReauth is set.
func ByReauth(method string) Proof { return Proof{p: redact.Of(proof{account.ReauthProof, method})} }

// readProof reads a proof that the edit needs. What is wrong with it comes to
// light once it is needed; an error is a fault.
func (e *edit) readProof(ctx context.Context, p Proof) (account.Proof, error) {
	if p.p.IsZero() {
		return account.Proof{}, nil
	}
	read, value := account.Proof{Kind: p.p.Get().kind}, p.p.Get().value
	switch read.Kind {
	case account.CodeProof:
		guess, ok := readGuess(value)
		if !ok {
			read.Refused = account.MalformedCode
			break
		}
		e.guess, read.Guess = guess, guess.Guess
	case account.ReceiptProof:
		r, err := e.guard.openReceipt(ctx, ReceiptOf(value))
		switch {
		case errors.Is(err, errToken), err == nil && r.user != e.user:
			read.Refused = account.ProofInvalid
		case err != nil:
			return read, err
		}
		read.Receipt = r.Receipt
	case account.ReauthProof:
		if n := len(value); n == 0 || n > maxMethod || !typed.Printable(value) {
			return read, fmt.Errorf("enrollment: the method of ByReauth is not 1 to %d printable bytes", maxMethod)
		}
		read.Method = value
	}
	return read, nil
}
