package enrollment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/typed"
	"github.com/seed-1b6a03a1/twofactor/recovery"
)

// A Success says that a user has just answered with a code. A Guard returns
// one only together with a nil error; the zero Success stands for nobody.
type Success struct {
	// UserID is the user who answered.
	UserID string `json:"user_id"`

	// Purpose is the purpose of the challenge, or of the call if there was none; see also
	// PurposeSetup.
	Purpose Purpose `json:"purpose"`

	// Factor is the kind of code that was given.
	Factor Factor `json:"factor"`

	// Authenticator is the ID of the authenticator, where Factor is TOTP.
	Authenticator string `json:"authenticator,omitempty"`

	// At is when the user answered, in UTC.
	At time.Time `json:"at"`

	// Receipt proves this Success to the Guard. Keep it in the session. ByReceipt takes it
	// as a proof for [ReceiptTTL], unless a factor has been changed meanwhile. Its purpose does
	// not matter. The receipt of three codes of another time proves less; see
	// [ThreeCodes].
	Receipt Receipt `json:"receipt,omitzero"`

	// Stamp goes into the session; see [Stamp].
	Stamp Stamp `json:"stamp,omitempty"`

	// CodesLeft is how many recovery codes are unspent. Warn the user when few are left.
	CodesLeft int `json:"codes_left"`

	// NewCode is the recovery code that replaces the used one, with
	// Config.ReplenishCodes; otherwise the zero Code. Show it to the user.
	// [Guard.NewCode] returns it once more for a while; later, only Config.KeepCodes can
	// show it. A Success with a new code can't be encoded as JSON; see [Confirmed].
	NewCode recovery.Code `json:"new_code,omitzero"`

	// Challenge is set with NewCode: it is for [Guard.NewCode]. After [Guard.Answer] it is
	// the challenge that was answered, or a new one if that was made before
	// Config.ReplenishCodes was set. It is not part of the JSON.
	Challenge Challenge `json:"-"`

	// Drift is about how far the clock of the phone is ahead of the server's; negative if
	// it is behind. It is a whole number of periods, and zero while the clock is right.
	// Any other Drift means that the code was at the edge of the window: if the clock
	// drifts further, codes are wrong. Only the answer to an app code has it;
	// RecentlyVerified has not. In JSON it is drift_seconds.
	//
	// A phone that is ahead has a wrong clock, unless the server has. A user who types
	// slowly looks like a phone that is behind: tell the user only if it happens at each
	// sign-in. Drift moves no window. It is safe to show, since the code was right. With
	// [ThreeCodes] it can be up to ten minutes: the clock is wrong, and single codes stay
	// wrong until it is set. Of a hardware token, Drift is what the clock has drifted
	// since [ThreeCodes.Resynchronize].
	Drift time.Duration `json:"-"`

	// WrongCodes is how many wrong codes [Guard.Answer] and [ThreeCodes.Answer] have
	// counted since their last Success for this user, and WrongCodeAt is when the last of
	// them was. Tell the user, who knows whether they were typing errors. Only these two
	// methods fill them in.
	WrongCodes  int       `json:"wrong_codes,omitempty"`
	WrongCodeAt time.Time `json:"wrong_code_at,omitzero"`
}

// MarshalJSON returns an object with the fields as they are named above. An
// application that adds fields of its own gives the Success a name: a struct that
// embeds one without a name is encoded as the Success alone.
func (s Success) MarshalJSON() ([]byte, error) {
	type plain Success
	return json.Marshal(struct {
		plain
		Drift int64 `json:"drift_seconds,omitempty"`
	}{plain(s), int64(s.Drift / time.Second)})
}

// success returns the Success of a right code, whose receipt is yet to be sealed.
func (g *Guard) success(c challenge, a *account.Account, p Purpose, match account.Match, m account.Moment) (sealing[Success], error) {
	userID := c.user
	left, _, err := a.CodesLeft()
	if err != nil {
		return nil, err
	}
	s := Success{
		UserID:    userID,
		Purpose:   p,
		Factor:    factorOf(match.Factor),
		At:        m.Now,
		Stamp:     g.stampOf(userID, a),
		CodesLeft: left,

		WrongCodes:  match.Missed.Count,
		WrongCodeAt: match.Missed.Last,
	}
	if match.Factor == account.TOTP {
		s.Authenticator, s.Drift = formatAuthenticatorID(match.Authenticator), match.Drift
	}
	if match.Replenished {
		s.NewCode, s.Challenge = m.Prepared.Digest.Spare.Code, c.text
	}
	r := receipt{Receipt: account.Receipt{Epoch: a.Epoch(), At: m.Now, Factor: match.Receipt()}, user: userID, purpose: p}
	return func(ctx context.Context) (_ Success, err error) {
		s.Receipt, err = g.sealReceipt(ctx, r)
		return s, err
	}, nil
}

// A Factor is a kind of code, or what replaced a code.
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

// What can waive the code at a sign-in. These prove nothing. They appear only in
// Decision.Waived and Status.LastFactor.
const (
	// FactorTrustedDevice is the token of a device; see [Devices].
	FactorTrustedDevice Factor = "trusted_device"

	// FactorBypass is the permission of an administrator; see [Admin.Bypass].
	FactorBypass Factor = "bypass"
)

var factors = map[account.Factor]Factor{
	account.TOTP:          FactorTOTP,
	account.Recovery:      FactorRecovery,
	account.Delivered:     FactorDelivered,
	account.TrustedDevice: FactorTrustedDevice,
	account.ByBypass:      FactorBypass,
	account.ElsewhenTOTP:  FactorTOTP,
}

// factorOf returns the public name of a factor, "" for none.
func factorOf(f account.Factor) Factor { return factors[f] }

// maxPurpose is the length of the longest Purpose in bytes.
const maxPurpose = 64

// A Purpose is what a code is asked for. It keeps challenges apart: a challenge for one
// purpose can't be answered for another. Applications name their own: 1 to 64 printable
// bytes.
type Purpose string

// Purposes of the library.
const (
	// PurposeSignIn is the second step of a sign-in.
	PurposeSignIn Purpose = "sign_in"

	// PurposeSetup is the purpose of a Confirm that completes no sign-in. The user has set
	// up a factor, and is signed in only if there was a session before. It is an error
	// anywhere else.
	PurposeSetup Purpose = "setup"
)

func (p Purpose) validate() error {
	if len(p) == 0 || len(p) > maxPurpose || !typed.Printable(string(p)) {
		return fmt.Errorf("enrollment: the purpose is not 1 to %d printable bytes", maxPurpose)
	}
	if p == PurposeSetup {
		return errors.New("enrollment: the purpose is reserved for Confirm")
	}
	return nil
}
