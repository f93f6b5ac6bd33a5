package enrollment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

// ReceiptTTL is how old a receipt may be as a proof: 5 minutes.
const ReceiptTTL = account.ReceiptTTL

// maxWithin bounds how long a receipt is good for a purpose.
const maxWithin = 24 * time.Hour

// A Receipt says that a user answered with a factor, and when. It is part of a
// [Success]; keep it in the session. [ByReceipt] accepts it as a proof for
// [ReceiptTTL], and [Guard.RecentlyVerified] for the time that the application passes.
// Every change of factor voids it. A Receipt is encoded and printed like a [Challenge].
type Receipt struct{ token }

// ReceiptOf returns the Receipt with that text, from where the application has kept it.
// The text is checked only when the Receipt is used.
func ReceiptOf(text string) Receipt { return Receipt{tokenOf(text)} }

// A receipt says that this user answered with this factor at this time.
type receipt struct {
	account.Receipt
	user    string
	purpose Purpose
}

func (g *Guard) sealReceipt(ctx context.Context, r receipt) (Receipt, error) {
	b := append(make([]byte, 0, usualPayload), r.Epoch[:]...)
	b = appendTime(b, r.At)
	b = append(b, byte(r.Factor))
	b = appendText(b, r.user, string(r.purpose))
	sealed, err := g.sealToken(ctx, labelReceipt, b)
	return Receipt{sealed}, err
}

func (g *Guard) openReceipt(ctx context.Context, from Receipt) (r receipt, err error) {
	in, err := g.openToken(ctx, labelReceipt, from.token)
	if err != nil {
		return r, err
	}
	var purpose string
	if !in.CopyBytes(r.Epoch[:]) || !readTime(&in, &r.At) || !in.ReadUint8((*uint8)(&r.Factor)) ||
		!readText(&in, &r.user, &purpose) || !in.Empty() {
		return r, errToken
	}
	r.purpose = Purpose(purpose)
	return r, nil
}

// RecentlyVerified accepts a receipt instead of another code. It returns a Success if
// this user answered for this purpose within the given time and no factor has been changed
// since. Within is more than zero and at most 24 hours; another value is an error. The
// Success has that receipt and the present CodesLeft, and names no authenticator.
//
// A receipt is not bound to a session. Keep it where the client can't exchange it
// for a receipt of another session of the same user.
//
// It returns a [Denied] of reason ReasonProofInvalid or ReasonProofStale. It
// writes nothing.
func (g *Guard) RecentlyVerified(ctx context.Context, userID string, purpose Purpose, receipt Receipt, within time.Duration) (Success, error) {
	if err := g.check(); err != nil {
		return Success{}, err
	}
	if err := purpose.validate(); err != nil {
		return Success{}, err
	}
	if within <= 0 || within > maxWithin {
		return Success{}, fmt.Errorf("enrollment: within must be more than 0 and at most %v", maxWithin)
	}
	r, err := g.openReceipt(ctx, receipt)
	switch {
	case errors.Is(err, errToken), err == nil && (r.user != userID || r.purpose != purpose):
		return Success{}, deny(ReasonProofInvalid)
	case err != nil:
		return Success{}, err
	}
	m, a, err := g.peek(ctx, userID)
	if err != nil {
		return Success{}, err
	}
	if err := a.CheckReceipt(r.Receipt, m.Now, within); err != nil {
		return Success{}, outward(err)
	}
	left, _, err := a.CodesLeft()
	if err != nil {
		return Success{}, outward(err)
	}
	return Success{
		UserID:    userID,
		Purpose:   purpose,
		Factor:    factorOf(r.Factor),
		At:        r.At,
		Receipt:   receipt,
		Stamp:     g.stampOf(userID, a),
		CodesLeft: left,
	}, nil
}
