package enrollment_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
)

// groups are the reasons that belong together, by their sentinel; those that
// stand alone are under nil.
var groups = map[error][]enrollment.Reason{
	enrollment.ErrWrongCode: {
		enrollment.ReasonWrongCode, enrollment.ReasonReplayed, enrollment.ReasonMalformedCode, enrollment.ReasonClockSkew,
		enrollment.ReasonParamsIgnored,
	},
	enrollment.ErrLocked: {enrollment.ReasonLocked, enrollment.ReasonFactorDisabled},
	enrollment.ErrChallenge: {
		enrollment.ReasonChallengeInvalid, enrollment.ReasonChallengeExpired, enrollment.ReasonChallengeSpent,
		enrollment.ReasonChallengeVoid,
	},
	enrollment.ErrSetup: {
		enrollment.ReasonSetupInvalid, enrollment.ReasonSetupExpired, enrollment.ReasonSetupSuperseded, enrollment.ReasonNoSetup,
	},
	enrollment.ErrProof: {
		enrollment.ReasonProofRequired, enrollment.ReasonProofInvalid, enrollment.ReasonProofStale,
		enrollment.ReasonProofNotAllowed, enrollment.ReasonEnrollTokenInvalid,
	},
	enrollment.ErrLimit: {
		enrollment.ReasonTooManyAuthenticators, enrollment.ReasonTooManyCodeSets, enrollment.ReasonTooManyMessages, enrollment.ReasonTooSoon,
		enrollment.ReasonTooManyResets, enrollment.ReasonInvalidBypass,
	},
	nil: {
		enrollment.ReasonAlreadyConfirmed, enrollment.ReasonAlreadyRenewed, enrollment.ReasonRenewalInvalid,
		enrollment.ReasonNotEnrolled, enrollment.ReasonUnknownAuthenticator, enrollment.ReasonLastAuthenticator,
		enrollment.ReasonDuplicateSecret, enrollment.ReasonInvalidName, enrollment.ReasonAlreadyEnrolled,
		enrollment.ReasonWasEnrolled, enrollment.ReasonShortSecret, enrollment.ReasonMustReplace, enrollment.ReasonCodesNotKept, enrollment.ReasonUnknownDevice,
		enrollment.ReasonNoAddress, enrollment.ReasonSameChannel, enrollment.ReasonTicketRequired,
		enrollment.ReasonTicketInvalid, enrollment.ReasonNoReset, enrollment.ReasonResetWaiting, enrollment.ReasonOwnAccount,
		enrollment.ReasonUserIDTaken,
		enrollment.ReasonOwnerNotTold, enrollment.ReasonNoAuthenticator, enrollment.ReasonTrustNotAllowed,
	},
}

// A Denied matches its reason and the sentinel of its group, also when wrapped,
// and nothing else.
func TestReasons(t *testing.T) {
	t.Parallel()
	var all []enrollment.Reason
	for group, reasons := range groups {
		all = append(all, reasons...)
		for _, reason := range reasons {
			denied := &enrollment.Denied{Reason: reason}
			for _, err := range []error{reason, denied, fmt.Errorf("signing in: %w", denied), errors.Join(errors.New("x"), denied)} {
				for _, other := range enrollment.Reasons() {
					if errors.Is(err, other) != (other == reason) {
						t.Errorf("%v matches %q: %v", err, other, other != reason)
					}
				}
				for other := range groups {
					if other != nil && errors.Is(err, other) != (other == group) {
						t.Errorf("%v matches %q: %v", err, other, other != group)
					}
				}
				var found enrollment.Reason
				if !errors.As(err, &found) || found != reason {
					t.Errorf("the reason of %v is %q, want %q", err, found, reason)
				}
			}
		}
	}
	slices.Sort(all)
	if listed := enrollment.Reasons(); !slices.Equal(listed, all) {
		t.Errorf("the reasons are\n%q, want\n%q", listed, all)
	}
}

// A reason is one word that goes into an API as it is, and prints as itself.
func TestReasonWords(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, r := range enrollment.Reasons() {
		if !word.MatchString(string(r)) || r.Error() != string(r) || fmt.Sprint(r) != string(r) {
			t.Errorf("%q prints as %v", string(r), r)
		}
		if text := (&enrollment.Denied{Reason: r}).Error(); text != "enrollment: denied: "+string(r) {
			t.Errorf("%q is denied as %q", string(r), text)
		}
	}
}
