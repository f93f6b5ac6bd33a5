package enrollment

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Errors that are not about what the user did: something is wrong, or nothing
// was decided.
var (
	// ErrBusy says that nothing was decided: too many callers wanted the same
	// account or the processors, or the context ended while waiting for them.
	// No code was counted or used up, and trying again is fine. From Confirm and
	// RenewCodes it can mean that the code was right, and that recovery codes
	// could not be made in time; the set counts as one of the day's five all the
	// same.
	ErrBusy = errors.New("enrollment: busy, nothing was decided")

	// ErrCorrupt says that a stored account can't be read: it is damaged or in
	// another row, sealed under an unknown or a wrong key or in another
	// namespace, or written by a later version. The text of the error says
	// which. It never means "not enrolled": refuse the sign-in and look.
	ErrCorrupt = errors.New("enrollment: the stored account is corrupt")

	// ErrMissing says that SignInOptions.Enrolled was set for a user whose stored
	// account is not confirmed, or is gone. Refuse the sign-in and look.
	ErrMissing = errors.New("enrollment: the account should be enrolled and is not")

	// ErrNotApproved says that the Go runtime enforces FIPS 140-3, and that
	// evaluating the code would take an algorithm that it does not approve: the
	// account has an app with SHA-1, or recovery codes with Argon2id, from a
	// time when that was not so, or imported ones with bcrypt. No code was
	// counted or used up. The text says whether it is the app or the recovery
	// codes; what to do is under "FIPS 140-3" in the documentation of the
	// package.
	ErrNotApproved = errors.New("enrollment: the account needs an algorithm that FIPS 140-3 does not approve, nothing was decided")
)

// A Reason is a stable word for why something was denied, fit for an API or a
// table of messages.
type Reason string

// The reasons. What stands behind each is what a person did; the sentinel that
// a [Denied] of that reason matches is named in brackets.
const (
	// ReasonWrongCode: the code is not right. It was counted, unless the account has
	// no authenticator and the code has the form of an app's. RetryAt is set if
	// a wait begins with it. [ErrWrongCode]
	ReasonWrongCode Reason = "wrong_code"

	// Replayed: the code was right once and has been used. An app's code is not
	// counted then; a recovery code is, since telling costs a derivation.
	// [ErrReplayed, ErrWrongCode]
	ReasonReplayed Reason = "code_already_used"

	// ReasonMalformedCode: the text has not the form of a code, or is longer than 64
	// bytes. Nothing was evaluated or counted. Where the account has recovery
	// codes of another system (see [Import]), most texts can be one of those,
	// and are a ReasonWrongCode instead. [ErrMalformedCode, ErrWrongCode]
	ReasonMalformedCode Reason = "malformed_code"

	// ReasonClockSkew: at Confirm, the code is right for another time. Skew tells by
	// how much the phone's clock is ahead. [ErrClockSkew, ErrWrongCode]
	ReasonClockSkew Reason = "clock_skew"

	// Locked: too many wrong codes. Nothing is evaluated before RetryAt, the
	// right code included. [ErrLocked]
	ReasonLocked Reason = "locked"

	// ReasonFactorDisabled: after 100 wrong codes in a row, codes of the app are not
	// evaluated any more, until a recovery code is used. [ErrFactorDisabled,
	// ErrLocked]
	ReasonFactorDisabled Reason = "factor_disabled"

	// ReasonChallengeInvalid: the challenge is none, or one for another purpose.
	// [ErrChallenge]
	ReasonChallengeInvalid Reason = "challenge_invalid"

	// ReasonChallengeExpired: the challenge is older than [ChallengeTTL]: the first
	// factor has to be given again. [ErrChallenge]
	ReasonChallengeExpired Reason = "challenge_expired"

	// ReasonChallengeSpent: the challenge has been answered. [ErrChallenge]
	ReasonChallengeSpent Reason = "challenge_spent"

	// ReasonChallengeVoid: a factor was changed after the challenge was handed out,
	// or it can't be told any more whether it was answered; or it is that of a
	// message, and a later one was sent or its code was wrong five times.
	// [ErrChallenge]
	ReasonChallengeVoid Reason = "challenge_void"

	// ReasonSetupInvalid: the setup token is none, or another user's. [ErrSetup]
	ReasonSetupInvalid Reason = "setup_invalid"

	// ReasonSetupExpired: the setup was not confirmed in time. [ErrSetup]
	ReasonSetupExpired Reason = "setup_expired"

	// ReasonSetupSuperseded: another setup was begun later, perhaps in another tab.
	// [ErrSetup]
	ReasonSetupSuperseded Reason = "setup_superseded"

	// ReasonNoSetup: no setup is waiting: it was confirmed, cancelled, dropped by a
	// change of factor, or never begun. [ErrSetup]
	ReasonNoSetup Reason = "no_setup"

	// ReasonNotEnrolled: two-factor authentication is not on. [ErrNotEnrolled]
	ReasonNotEnrolled Reason = "not_enrolled"

	// ReasonTooManyAuthenticators: the account has three. [ErrLimit]
	ReasonTooManyAuthenticators Reason = "too_many_authenticators"

	// ReasonTooManyCodeSets: the account made five sets of recovery codes in a day,
	// those included that their caller did not wait for. RetryAt is set.
	// [ErrLimit]
	ReasonTooManyCodeSets Reason = "too_many_code_sets"

	// ReasonUnknownAuthenticator: the account has no authenticator of that id.
	// [ErrUnknownAuthenticator]
	ReasonUnknownAuthenticator Reason = "unknown_authenticator"

	// ReasonLastAuthenticator: the only authenticator is not removed; Disable is
	// what is meant. [ErrLastAuthenticator]
	ReasonLastAuthenticator Reason = "last_authenticator"

	// ReasonDuplicateSecret: the account already holds the secret.
	// [ErrDuplicateSecret]
	ReasonDuplicateSecret Reason = "duplicate_secret"

	// ReasonInvalidName: the name of an authenticator is too long or has control
	// characters. [ErrName]
	ReasonInvalidName Reason = "invalid_name"

	// ReasonAlreadyEnrolled: two-factor authentication is on, and nothing is
	// imported over it. [ErrEnrolled]
	ReasonAlreadyEnrolled Reason = "already_enrolled"

	// ReasonWasEnrolled: two-factor authentication was on before, or the user was
	// handed a ticket, and Import.Again is not set. [ErrEnrolled]
	ReasonWasEnrolled Reason = "was_enrolled"

	// ReasonCodesNotKept: the recovery codes can't be shown again, because only their
	// hashes are kept or none is left. [ErrCodesNotKept]
	ReasonCodesNotKept Reason = "codes_not_kept"

	// ReasonUnknownDevice: the account has no trusted device of that id.
	// [ErrUnknownDevice]
	ReasonUnknownDevice Reason = "unknown_device"

	// ReasonNoAddress: the account has no address to deliver codes to.
	// [ErrNoAddress]
	ReasonNoAddress Reason = "no_address"

	// ReasonSameChannel: the first factor came over the channel of the address, so
	// that a code over it would be no second one. [ErrNoAddress]
	ReasonSameChannel Reason = "same_channel"

	// ReasonTooManyMessages: the last message was sent less than a minute ago, or
	// five in a day. RetryAt is set. [ErrLimit]
	ReasonTooManyMessages Reason = "too_many_messages"

	// ReasonTicketRequired: the setup needs the ticket that an administrator has
	// handed out. [ErrTicket]
	ReasonTicketRequired Reason = "ticket_required"

	// ReasonTicketInvalid: the ticket is not that of this account. [ErrTicket]
	ReasonTicketInvalid Reason = "ticket_invalid"

	// ReasonNoReset: no request for a reset is open. [ErrReset]
	ReasonNoReset Reason = "no_reset"

	// ReasonResetWaiting: the request has not matured, and RetryAt is set; or it has,
	// and Config.Notify has not taken the news of it yet. [ErrReset]
	ReasonResetWaiting Reason = "reset_waiting"

	// ReasonTooManyResets: the last request was made less than a day ago. RetryAt is
	// set. [ErrLimit]
	ReasonTooManyResets Reason = "too_many_resets"

	// ReasonInvalidBypass: the end of the bypass is past, or lies further ahead than
	// Config.MaxBypass. [ErrLimit]
	ReasonInvalidBypass Reason = "invalid_bypass"

	// ReasonOwnAccount: the administrator is the user. [ErrOwnAccount]
	ReasonOwnAccount Reason = "own_account"

	// ReasonProofRequired: the change needs a proof and got none. [ErrProof]
	ReasonProofRequired Reason = "proof_required"

	// ReasonProofInvalid: the receipt is none, another user's, or older than the
	// last change of factor. [ErrProof]
	ReasonProofInvalid Reason = "proof_invalid"

	// ReasonProofStale: the receipt is older than [ReceiptTTL]. [ErrProof]
	ReasonProofStale Reason = "proof_stale"

	// ReasonProofNotAllowed: this kind of proof does not authorise this change.
	// [ErrProof]
	ReasonProofNotAllowed Reason = "proof_not_allowed"
)

// Sentinels to match a [Denied] with [errors.Is]. Which reasons match which is
// said at the reasons. After ErrProof the usual thing to do is to ask for a
// code, and to try again with [ByCode].
var (
	ErrWrongCode            = errors.New("enrollment: wrong code")
	ErrReplayed             = errors.New("enrollment: the code has been used already")
	ErrMalformedCode        = errors.New("enrollment: not in the form of a code")
	ErrClockSkew            = errors.New("enrollment: the authenticator's clock is off")
	ErrLocked               = errors.New("enrollment: locked after too many wrong codes")
	ErrFactorDisabled       = errors.New("enrollment: the factor is disabled after too many wrong codes")
	ErrChallenge            = errors.New("enrollment: the challenge can't be answered")
	ErrSetup                = errors.New("enrollment: the setup can't be used")
	ErrNotEnrolled          = errors.New("enrollment: two-factor authentication is not on")
	ErrLimit                = errors.New("enrollment: a limit is reached")
	ErrUnknownAuthenticator = errors.New("enrollment: no such authenticator")
	ErrLastAuthenticator    = errors.New("enrollment: it is all that the account has, and can only be disabled")
	ErrDuplicateSecret      = errors.New("enrollment: the account holds the secret already")
	ErrName                 = errors.New("enrollment: not a name for an authenticator or a device")
	ErrProof                = errors.New("enrollment: not authorised by a proof")
	ErrEnrolled             = errors.New("enrollment: two-factor authentication is on already")
	ErrCodesNotKept         = errors.New("enrollment: the recovery codes can't be shown again")
	ErrUnknownDevice        = errors.New("enrollment: no such device")
	ErrNoAddress            = errors.New("enrollment: no code can be delivered")
	ErrTicket               = errors.New("enrollment: the setup needs a ticket")
	ErrReset                = errors.New("enrollment: no reset to carry out")
	ErrOwnAccount           = errors.New("enrollment: nobody administers themselves")
)

// reasons says for each reason what it means in words and which sentinels it
// matches.
var reasons = map[Reason]struct {
	text    string
	matches []error
}{
	ReasonWrongCode:             {"wrong code", []error{ErrWrongCode}},
	ReasonReplayed:              {"the code has been used already", []error{ErrReplayed, ErrWrongCode}},
	ReasonMalformedCode:         {"not in the form of a code", []error{ErrMalformedCode, ErrWrongCode}},
	ReasonClockSkew:             {"the authenticator's clock is off", []error{ErrClockSkew, ErrWrongCode}},
	ReasonLocked:                {"locked after too many wrong codes", []error{ErrLocked}},
	ReasonFactorDisabled:        {"the factor is disabled after too many wrong codes", []error{ErrFactorDisabled, ErrLocked}},
	ReasonChallengeInvalid:      {"not a challenge for this purpose", []error{ErrChallenge}},
	ReasonChallengeExpired:      {"the challenge has expired", []error{ErrChallenge}},
	ReasonChallengeSpent:        {"the challenge has been answered already", []error{ErrChallenge}},
	ReasonChallengeVoid:         {"the challenge is void", []error{ErrChallenge}},
	ReasonSetupInvalid:          {"not a setup of this user", []error{ErrSetup}},
	ReasonSetupExpired:          {"the setup has expired", []error{ErrSetup}},
	ReasonSetupSuperseded:       {"a later setup has taken the place of this one", []error{ErrSetup}},
	ReasonNoSetup:               {"no setup is waiting", []error{ErrSetup}},
	ReasonNotEnrolled:           {"two-factor authentication is not on", []error{ErrNotEnrolled}},
	ReasonTooManyAuthenticators: {"the account has as many authenticators as it can", []error{ErrLimit}},
	ReasonTooManyCodeSets:       {"too many sets of recovery codes in a day", []error{ErrLimit}},
	ReasonUnknownAuthenticator:  {"no such authenticator", []error{ErrUnknownAuthenticator}},
	ReasonLastAuthenticator:     {"it is all that the account has, and can only be disabled", []error{ErrLastAuthenticator}},
	ReasonDuplicateSecret:       {"the account holds the secret already", []error{ErrDuplicateSecret}},
	ReasonInvalidName:           {"the name is too long or has control characters", []error{ErrName}},
	ReasonAlreadyEnrolled:       {"two-factor authentication is on already", []error{ErrEnrolled}},
	ReasonWasEnrolled:           {"two-factor authentication was on before", []error{ErrEnrolled}},
	ReasonCodesNotKept:          {"the recovery codes can't be shown again", []error{ErrCodesNotKept}},
	ReasonUnknownDevice:         {"no such device", []error{ErrUnknownDevice}},
	ReasonNoAddress:             {"no address to deliver codes to", []error{ErrNoAddress}},
	ReasonSameChannel:           {"the first factor came over the same channel", []error{ErrNoAddress}},
	ReasonTooManyMessages:       {"too many messages", []error{ErrLimit}},
	ReasonTicketRequired:        {"the setup needs a ticket", []error{ErrTicket}},
	ReasonTicketInvalid:         {"not the ticket of this account", []error{ErrTicket}},
	ReasonNoReset:               {"no request for a reset is open", []error{ErrReset}},
	ReasonResetWaiting:          {"the request for a reset has not matured", []error{ErrReset}},
	ReasonTooManyResets:         {"too many requests for a reset", []error{ErrLimit}},
	ReasonInvalidBypass:         {"the end of the bypass is past or too far ahead", []error{ErrLimit}},
	ReasonOwnAccount:            {"nobody administers themselves", []error{ErrOwnAccount}},
	ReasonProofRequired:         {"a proof is required", []error{ErrProof}},
	ReasonProofInvalid:          {"the proof is not valid", []error{ErrProof}},
	ReasonProofStale:            {"the proof is too old", []error{ErrProof}},
	ReasonProofNotAllowed:       {"this kind of proof is not allowed here", []error{ErrProof}},
}

// Reasons returns every reason there is, in alphabetical order, for hosts that
// check that they have words for each. The list grows with later versions.
func Reasons() []Reason { return slices.Sorted(maps.Keys(reasons)) }

// A Denied is the answer "no" to something the user did. It is the only error
// that is meant for the user; everything else is an internal error.
type Denied struct {
	// Reason says why.
	Reason Reason

	// Factor is what the code was taken for, where the answer is about a code:
	// while app codes are locked, a recovery code still works.
	Factor Factor

	// RetryAt is when trying again makes sense; the zero time if waiting
	// changes nothing.
	RetryAt time.Time

	// Skew is, for the reason ReasonClockSkew, how far the authenticator's clock is
	// ahead of ours, to the period of the code; negative if it is behind.
	Skew time.Duration
}

// Error returns the reason in English, without anything the user typed.
func (d *Denied) Error() string {
	if r, ok := reasons[d.Reason]; ok {
		return "enrollment: denied: " + r.text
	}
	return "enrollment: denied"
}

// Is reports whether target is a sentinel that the reason matches.
func (d *Denied) Is(target error) bool {
	for _, e := range reasons[d.Reason].matches {
		if e == target {
			return true
		}
	}
	return false
}

func deny(r Reason) error { return &Denied{Reason: r} }

// outward turns the refusal of an account into a Denied, and an account that
// can't be read into ErrCorrupt.
func outward(err error) error {
	refusal, ok := err.(*account.Refusal)
	switch {
	case ok:
		return &Denied{
			Reason:  Reason(refusal.Reason),
			Factor:  factorOf(refusal.Factor),
			RetryAt: refusal.RetryAt,
			Skew:    refusal.Skew,
		}
	case errors.Is(err, account.ErrDamaged):
		return errors.Join(ErrCorrupt, err)
	case errors.Is(err, totp.ErrNotApproved):
		return fmt.Errorf("%w: an app has SHA-1, and Config.AllowSHA1 is not set: %w", ErrNotApproved, err)
	}
	return err
}
