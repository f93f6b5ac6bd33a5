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

// A Proof authorises a change of a user's two-factor settings. The zero Proof
// proves nothing.
type Proof struct {
	redacted
	p redact.Value[proof] // a code is a secret while it lasts
}

type proof struct {
	kind    account.ProofKind
	value   string
	browser string // of an EnrollToken
}

// ByCode proves with a code that the user typed: a current app code or a recovery
// code. The code is used up as at a sign-in, and a wrong one is counted as there.
// If the change is denied for another reason, the code stays good.
// Config.ReplenishCodes does not replace a recovery code that was used as a proof,
// because the user would not see the new one.
func ByCode(code string) Proof {
	return Proof{p: redact.Of(proof{kind: account.CodeProof, value: code})}
}

// ByReceipt proves with a receipt of the same user (see [Success]) that is at most
// [ReceiptTTL] old. Any change of factor voids a receipt. The receipt of a
// delivered code proves nothing here.
func ByReceipt(r Receipt) Proof {
	return Proof{p: redact.Of(proof{kind: account.ReceiptProof, value: r.Reveal()})}
}

// ByReauth proves by the application's word: it has just checked the first factor
// again, by the named method, for example "password": 1 to 32 printable bytes. A
// sign-in a moment ago is such a check; a session is not.
//
// It authorises the first setup: Begin, and Messages.Bind where Config.AddressAlone
// lets an address be the first factor. If Config.ReauthDisables is set, it also
// authorises Disable, Remove and Messages.Unbind, whose event names the method.
func ByReauth(method string) Proof {
	return Proof{p: redact.Of(proof{kind: account.ReauthProof, value: method})}
}

// ByEnrollToken proves the setup that a sign-in of the same user demands. That is the
// first one after MustEnroll: Begin, and Messages.Bind where Config.AddressAlone lets an
// address be the first factor. With the token of a [Replacement] it is Begin with
// BeginOptions.Replace. Browser is the text that was passed as SignInOptions.Browser.
//
// The setup then completes the sign-in: the Success of Confirm has its purpose if the
// token is at most [EnrollConfirmTTL] old.
func ByEnrollToken(t EnrollToken, browser string) Proof {
	return Proof{p: redact.Of(proof{kind: account.EnrollProof, value: t.Reveal(), browser: browser})}
}

// readProof reads a proof that the edit may need, and what the setup completes that it
// begins. A wrong proof is denied only when it is needed; an error is a fault.
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
	case account.EnrollProof:
		t, err := e.guard.openEnroll(ctx, EnrollTokenOf(value), p.p.Get().browser)
		switch {
		case errors.Is(err, errToken), err == nil && t.user != e.user:
			read.Refused = account.EnrollTokenInvalid
		case err != nil:
			return read, err
		}
		read.Enroll, e.mandate = t.Enroll, t.mandate()
	}
	return read, nil
}
