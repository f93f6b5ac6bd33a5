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
	// NewCodes it can mean that the code was right, and that recovery codes
	// could not be made in time; the set counts as one of the day's five all the
	// same.
	ErrBusy = errors.New("enrollment: busy, nothing was decided")

	// ErrCorrupt says that a stored account can't be read: it is damaged or in
	// another row, sealed under an unknown or a wrong key or in another
	// namespace, or written by a later version. The text of the error says
	// which. It never means "not enrolled": refuse the sign-in and look.
	ErrCorrupt = errors.New("enrollment: the stored account is corrupt")

	// ErrMissing says that Login.Enrolled was set for a user whose stored
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
	// WrongCode: the code is not right. It was counted, unless the account has
	// no authenticator and the code has the form of an app's. RetryAt is set if
	// a wait begins with it. [ErrWrongCode]
	WrongCode Reason = "wrong_code"

	// Replayed: the code was right once and has been used. An app's code is not
	// counted then; a recovery code is, since telling costs a derivation.
	// [ErrReplayed, ErrWrongCode]
	Replayed Reason = "code_already_used"

	// MalformedCode: the text has not the form of a code, or is longer than 64
	// bytes. Nothing was evaluated or counted. Where the account has recovery
	// codes of another system (see [Import]), most texts can be one of those,
	// and are a WrongCode instead. [ErrMalformedCode, ErrWrongCode]
	MalformedCode Reason = "malformed_code"

	// ClockSkew: at Confirm, the code is right for another time. Skew tells by
	// how much the phone's clock is ahead. [ErrClockSkew, ErrWrongCode]
	ClockSkew Reason = "clock_skew"

	// Locked: too many wrong codes. Nothing is evaluated before RetryAt, the
	// right code included. [ErrLocked]
	Locked Reason = "locked"

	// FactorDisabled: after 100 wrong codes in a row, codes of the app are not
	// evaluated any more, until a recovery code is used. [ErrFactorDisabled,
	// ErrLocked]
	FactorDisabled Reason = "factor_disabled"

	// ChallengeInvalid: the challenge is none, or one for another purpose.
	// [ErrChallenge]
	ChallengeInvalid Reason = "challenge_invalid"

	// ChallengeExpired: the challenge is older than [ChallengeTTL]: the first
	// factor has to be given again. [ErrChallenge]
	ChallengeExpired Reason = "challenge_expired"

	// ChallengeSpent: the challenge has been answered. [ErrChallenge]
	ChallengeSpent Reason = "challenge_spent"

	// ChallengeVoid: a factor was changed after the challenge was handed out,
	// or it can't be told any more whether it was answered; or it is that of a
	// message, and a later one was sent or its code was wrong five times.
	// [ErrChallenge]
	ChallengeVoid Reason = "challenge_void"

	// SetupInvalid: the setup token is none, or another user's. [ErrSetup]
	SetupInvalid Reason = "setup_invalid"

	// SetupExpired: the setup was not confirmed in time. [ErrSetup]
	SetupExpired Reason = "setup_expired"

	// SetupSuperseded: another setup was begun later, perhaps in another tab.
	// [ErrSetup]
	SetupSuperseded Reason = "setup_superseded"

	// NoSetup: no setup is waiting: it was confirmed, cancelled, dropped by a
	// change of factor, or never begun. [ErrSetup]
	NoSetup Reason = "no_setup"

	// NotEnrolled: two-factor authentication is not on. [ErrNotEnrolled]
	NotEnrolled Reason = "not_enrolled"

	// TooManyAuthenticators: the account has three. [ErrLimit]
	TooManyAuthenticators Reason = "too_many_authenticators"

	// TooManyCodeSets: the account made five sets of recovery codes in a day,
	// those included that their caller did not wait for. RetryAt is set.
	// [ErrLimit]
	TooManyCodeSets Reason = "too_many_code_sets"

	// UnknownAuthenticator: the account has no authenticator of that id.
	// [ErrUnknownAuthenticator]
	UnknownAuthenticator Reason = "unknown_authenticator"

	// LastAuthenticator: the only authenticator is not removed; Disable is
	// what is meant. [ErrLastAuthenticator]
	LastAuthenticator Reason = "last_authenticator"

	// DuplicateSecret: the account already holds the secret.
	// [ErrDuplicateSecret]
	DuplicateSecret Reason = "duplicate_secret"

	// InvalidName: the name of an authenticator is too long or has control
	// characters. [ErrName]
	InvalidName Reason = "invalid_name"

	// AlreadyEnrolled: two-factor authentication is on, and nothing is
	// imported over it. [ErrEnrolled]
	AlreadyEnrolled Reason = "already_enrolled"

	// WasEnrolled: two-factor authentication was on before, or the user was
	// handed a ticket, and Import.Again is not set. [ErrEnrolled]
	WasEnrolled Reason = "was_enrolled"

	// CodesNotKept: the recovery codes can't be shown again, because only their
	// hashes are kept or none is left. [ErrCodesNotKept]
	CodesNotKept Reason = "codes_not_kept"

	// UnknownDevice: the account has no trusted device of that id.
	// [ErrUnknownDevice]
	UnknownDevice Reason = "unknown_device"

	// NoAddress: the account has no address to deliver codes to.
	// [ErrNoAddress]
	NoAddress Reason = "no_address"

	// SameChannel: the first factor came over the channel of the address, so
	// that a code over it would be no second one. [ErrNoAddress]
	SameChannel Reason = "same_channel"

	// TooManyMessages: the last message was sent less than a minute ago, or
	// five in a day. RetryAt is set. [ErrLimit]
	TooManyMessages Reason = "too_many_messages"

	// TicketRequired: the setup needs the ticket that an administrator has
	// handed out. [ErrTicket]
	TicketRequired Reason = "ticket_required"

	// TicketInvalid: the ticket is not that of this account. [ErrTicket]
	TicketInvalid Reason = "ticket_invalid"

	// NoReset: no request for a reset is open. [ErrReset]
	NoReset Reason = "no_reset"

	// ResetWaiting: the request has not matured, and RetryAt is set; or it has,
	// and Config.Notify has not taken the news of it yet. [ErrReset]
	ResetWaiting Reason = "reset_waiting"

	// TooManyResets: the last request was made less than a day ago. RetryAt is
	// set. [ErrLimit]
	TooManyResets Reason = "too_many_resets"

	// InvalidBypass: the end of the bypass is past, or lies further ahead than
	// Config.MaxBypass. [ErrLimit]
	InvalidBypass Reason = "invalid_bypass"

	// OwnAccount: the administrator is the user. [ErrOwnAccount]
	OwnAccount Reason = "own_account"

	// ProofRequired: the change needs a proof and got none. [ErrProof]
	ProofRequired Reason = "proof_required"

	// ProofInvalid: the receipt is none, another user's, or older than the
	// last change of factor. [ErrProof]
	ProofInvalid Reason = "proof_invalid"

	// ProofStale: the receipt is older than [ReceiptTTL]. [ErrProof]
	ProofStale Reason = "proof_stale"

	// ProofNotAllowed: this kind of proof does not authorise this change.
	// [ErrProof]
	ProofNotAllowed Reason = "proof_not_allowed"
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
	WrongCode:             {"wrong code", []error{ErrWrongCode}},
	Replayed:              {"the code has been used already", []error{ErrReplayed, ErrWrongCode}},
	MalformedCode:         {"not in the form of a code", []error{ErrMalformedCode, ErrWrongCode}},
	ClockSkew:             {"the authenticator's clock is off", []error{ErrClockSkew, ErrWrongCode}},
	Locked:                {"locked after too many wrong codes", []error{ErrLocked}},
	FactorDisabled:        {"the factor is disabled after too many wrong codes", []error{ErrFactorDisabled, ErrLocked}},
	ChallengeInvalid:      {"not a challenge for this purpose", []error{ErrChallenge}},
	ChallengeExpired:      {"the challenge has expired", []error{ErrChallenge}},
	ChallengeSpent:        {"the challenge has been answered already", []error{ErrChallenge}},
	ChallengeVoid:         {"the challenge is void", []error{ErrChallenge}},
	SetupInvalid:          {"not a setup of this user", []error{ErrSetup}},
	SetupExpired:          {"the setup has expired", []error{ErrSetup}},
	SetupSuperseded:       {"a later setup has taken the place of this one", []error{ErrSetup}},
	NoSetup:               {"no setup is waiting", []error{ErrSetup}},
	NotEnrolled:           {"two-factor authentication is not on", []error{ErrNotEnrolled}},
	TooManyAuthenticators: {"the account has as many authenticators as it can", []error{ErrLimit}},
	TooManyCodeSets:       {"too many sets of recovery codes in a day", []error{ErrLimit}},
	UnknownAuthenticator:  {"no such authenticator", []error{ErrUnknownAuthenticator}},
	LastAuthenticator:     {"it is all that the account has, and can only be disabled", []error{ErrLastAuthenticator}},
	DuplicateSecret:       {"the account holds the secret already", []error{ErrDuplicateSecret}},
	InvalidName:           {"the name is too long or has control characters", []error{ErrName}},
	AlreadyEnrolled:       {"two-factor authentication is on already", []error{ErrEnrolled}},
	WasEnrolled:           {"two-factor authentication was on before", []error{ErrEnrolled}},
	CodesNotKept:          {"the recovery codes can't be shown again", []error{ErrCodesNotKept}},
	UnknownDevice:         {"no such device", []error{ErrUnknownDevice}},
	NoAddress:             {"no address to deliver codes to", []error{ErrNoAddress}},
	SameChannel:           {"the first factor came over the same channel", []error{ErrNoAddress}},
	TooManyMessages:       {"too many messages", []error{ErrLimit}},
	TicketRequired:        {"the setup needs a ticket", []error{ErrTicket}},
	TicketInvalid:         {"not the ticket of this account", []error{ErrTicket}},
	NoReset:               {"no request for a reset is open", []error{ErrReset}},
	ResetWaiting:          {"the request for a reset has not matured", []error{ErrReset}},
	TooManyResets:         {"too many requests for a reset", []error{ErrLimit}},
	InvalidBypass:         {"the end of the bypass is past or too far ahead", []error{ErrLimit}},
	OwnAccount:            {"nobody administers themselves", []error{ErrOwnAccount}},
	ProofRequired:         {"a proof is required", []error{ErrProof}},
	ProofInvalid:          {"the proof is not valid", []error{ErrProof}},
	ProofStale:            {"the proof is too old", []error{ErrProof}},
	ProofNotAllowed:       {"this kind of proof is not allowed here", []error{ErrProof}},
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

	// Skew is, for the reason ClockSkew, how far the authenticator's clock is
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
