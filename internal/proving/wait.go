package proving

import (
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// A waiting says whether a reason comes with a RetryAt.
type waiting uint8

const (
	never  waiting = iota + 1 // waiting changes nothing
	always                    // waiting is what helps
	mayBe                     // it depends
)

// waits has every reason.
var waits = map[enrollment.Reason]waiting{
	enrollment.ReasonWrongCode:             mayBe, // if the code began a wait
	enrollment.ReasonReplayed:              mayBe, // always for an app code
	enrollment.ReasonMalformedCode:         never,
	enrollment.ReasonClockSkew:             mayBe, // if the code began a wait
	enrollment.ReasonParamsIgnored:         mayBe, // if the code began a wait
	enrollment.ReasonLocked:                always,
	enrollment.ReasonFactorDisabled:        never,
	enrollment.ReasonChallengeInvalid:      never,
	enrollment.ReasonChallengeExpired:      never,
	enrollment.ReasonChallengeSpent:        never,
	enrollment.ReasonChallengeVoid:         never,
	enrollment.ReasonSetupInvalid:          never,
	enrollment.ReasonSetupExpired:          never,
	enrollment.ReasonSetupSuperseded:       never,
	enrollment.ReasonNoSetup:               never,
	enrollment.ReasonNotEnrolled:           never,
	enrollment.ReasonTooManyAuthenticators: never,
	enrollment.ReasonTooManyCodeSets:       always,
	enrollment.ReasonUnknownAuthenticator:  never,
	enrollment.ReasonLastAuthenticator:     never,
	enrollment.ReasonDuplicateSecret:       never,
	enrollment.ReasonAlreadyConfirmed:      never,
	enrollment.ReasonAlreadyRenewed:        never,
	enrollment.ReasonRenewalInvalid:        never,
	enrollment.ReasonInvalidName:           never,
	enrollment.ReasonAlreadyEnrolled:       never,
	enrollment.ReasonWasEnrolled:           never,
	enrollment.ReasonShortSecret:           never,
	enrollment.ReasonMustReplace:           never,
	enrollment.ReasonCodesNotKept:          never,
	enrollment.ReasonUnknownDevice:         never,
	enrollment.ReasonNoAddress:             never,
	enrollment.ReasonSameChannel:           never,
	enrollment.ReasonTooSoon:               always,
	enrollment.ReasonTooManyMessages:       always,
	enrollment.ReasonNoAuthenticator:       never,
	enrollment.ReasonTrustNotAllowed:       never,
	enrollment.ReasonTicketRequired:        never,
	enrollment.ReasonTicketInvalid:         never,
	enrollment.ReasonNoReset:               never,
	enrollment.ReasonResetWaiting:          always,
	enrollment.ReasonOwnerNotTold:          never,
	enrollment.ReasonTooManyResets:         always,
	enrollment.ReasonInvalidBypass:         never,
	enrollment.ReasonOwnAccount:            never,
	enrollment.ReasonUserIDTaken:           never,
	enrollment.ReasonProofRequired:         never,
	enrollment.ReasonProofInvalid:          never,
	enrollment.ReasonProofStale:            never,
	enrollment.ReasonProofNotAllowed:       never,
	enrollment.ReasonEnrollTokenInvalid:    never,
}

// CheckWait reports a denial that should say when to try again and does not, or
// the other way round. Nil is no denial.
func CheckWait(t testing.TB, d *enrollment.Denied) {
	t.Helper()
	if d == nil {
		return
	}
	kind := waits[d.Reason]
	if d.Reason == enrollment.ReasonReplayed && d.Factor == enrollment.FactorTOTP {
		kind = always
	}
	set := !d.RetryAt.IsZero()
	switch {
	case kind == 0:
		t.Errorf("it is not decided whether waiting helps after %q", d.Reason)
	case kind == never && set, kind == always && !set:
		t.Errorf("%q comes with RetryAt %v", d.Reason, d.RetryAt)
	case set != (d.Wait > 0) || d.Wait%time.Second != 0 || d.Wait < 0:
		t.Errorf("%q: RetryAt %v, and Wait %v", d.Reason, d.RetryAt, d.Wait)
	}
}
