package enrollment

import (
	"errors"
	"maps"
	"slices"
)

// Sentinels that match a group of reasons with [errors.Is]. They say what to ask
// for next; the words come from the [Reason]. Some reasons are in no group, such
// as [ReasonNotEnrolled]: match those by themselves.
var (
	// ErrWrongCode matches every code that is not accepted: ReasonWrongCode,
	// ReasonReplayed, ReasonMalformedCode, ReasonClockSkew and ReasonParamsIgnored.
	// Ask for the code again.
	ErrWrongCode = errors.New("enrollment: wrong code")

	// ErrLocked matches ReasonLocked and ReasonFactorDisabled: codes of the
	// factor are not evaluated at the moment.
	ErrLocked = errors.New("enrollment: locked after too many wrong codes")

	// ErrChallenge matches the reasons why a challenge can't be answered. Ask for
	// the first factor again.
	ErrChallenge = errors.New("enrollment: the challenge can't be answered")

	// ErrSetup matches the reasons why a setup can't be used. Let the user begin
	// again.
	ErrSetup = errors.New("enrollment: the setup can't be used")

	// ErrProof matches the reasons why a change of settings is not authorised.
	// Ask for a code, and try again with [ByCode]. For the first setup, ask for the
	// first factor, and try again with [ByReauth] or [ByEnrollToken].
	ErrProof = errors.New("enrollment: not authorised by a proof")

	// ErrLimit matches the reasons that name a limit: of authenticators, of sets
	// of recovery codes, of messages, of requests for a reset, of a bypass.
	ErrLimit = errors.New("enrollment: a limit is reached")
)

// groups has every reason, with the sentinel of its group.
var groups = map[Reason]error{
	ReasonWrongCode:             ErrWrongCode,
	ReasonReplayed:              ErrWrongCode,
	ReasonMalformedCode:         ErrWrongCode,
	ReasonClockSkew:             ErrWrongCode,
	ReasonParamsIgnored:         ErrWrongCode,
	ReasonLocked:                ErrLocked,
	ReasonFactorDisabled:        ErrLocked,
	ReasonChallengeInvalid:      ErrChallenge,
	ReasonChallengeExpired:      ErrChallenge,
	ReasonChallengeSpent:        ErrChallenge,
	ReasonChallengeVoid:         ErrChallenge,
	ReasonSetupInvalid:          ErrSetup,
	ReasonSetupExpired:          ErrSetup,
	ReasonSetupSuperseded:       ErrSetup,
	ReasonNoSetup:               ErrSetup,
	ReasonAlreadyConfirmed:      nil,
	ReasonAlreadyRenewed:        nil,
	ReasonRenewalInvalid:        nil,
	ReasonNotEnrolled:           nil,
	ReasonNoAuthenticator:       nil,
	ReasonTooManyAuthenticators: ErrLimit,
	ReasonTooManyCodeSets:       ErrLimit,
	ReasonUnknownAuthenticator:  nil,
	ReasonLastAuthenticator:     nil,
	ReasonDuplicateSecret:       nil,
	ReasonInvalidName:           nil,
	ReasonAlreadyEnrolled:       nil,
	ReasonWasEnrolled:           nil,
	ReasonShortSecret:           nil,
	ReasonMustReplace:           nil,
	ReasonCodesNotKept:          nil,
	ReasonUnknownDevice:         nil,
	ReasonTrustNotAllowed:       nil,
	ReasonNoAddress:             nil,
	ReasonSameChannel:           nil,
	ReasonTooSoon:               ErrLimit,
	ReasonTooManyMessages:       ErrLimit,
	ReasonTicketRequired:        nil,
	ReasonTicketInvalid:         nil,
	ReasonNoReset:               nil,
	ReasonResetWaiting:          nil,
	ReasonOwnerNotTold:          nil,
	ReasonTooManyResets:         ErrLimit,
	ReasonInvalidBypass:         ErrLimit,
	ReasonOwnAccount:            nil,
	ReasonUserIDTaken:           nil,
	ReasonProofRequired:         ErrProof,
	ReasonProofInvalid:          ErrProof,
	ReasonProofStale:            ErrProof,
	ReasonProofNotAllowed:       ErrProof,
	ReasonEnrollTokenInvalid:    ErrProof,
}

// Reasons returns every reason in alphabetical order, for a test that each has words.
// The list grows with later versions.
func Reasons() []Reason { return slices.Sorted(maps.Keys(groups)) }

// Error returns the word, so that a Reason prints the same everywhere. It is not
// meant for users.
func (r Reason) Error() string { return string(r) }

// Is reports whether target is the sentinel of the group that the reason belongs
// to. It is for [errors.Is].
func (r Reason) Is(target error) bool {
	group := groups[r]
	return group != nil && group == target
}
