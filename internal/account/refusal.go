package account

import (
	"errors"
	"time"
)

// A Reason says, in a stable word, why an account refused.
type Reason string

// The reasons of this package.
const (
	WrongCode             Reason = "wrong_code"
	Replayed              Reason = "replayed"
	Locked                Reason = "locked"
	FactorDisabled        Reason = "factor_disabled"
	ClockSkew             Reason = "clock_skew"
	ParamsIgnored         Reason = "params_ignored"
	ChallengeVoid         Reason = "challenge_void"
	ChallengeSpent        Reason = "challenge_spent"
	SetupSuperseded       Reason = "setup_superseded"
	SetupExpired          Reason = "setup_expired"
	NoSetup               Reason = "no_setup"
	AlreadyConfirmed      Reason = "already_confirmed"
	AlreadyRenewed        Reason = "already_renewed"
	RenewalInvalid        Reason = "renewal_invalid"
	NotEnrolled           Reason = "not_enrolled"
	TooManyAuthenticators Reason = "too_many_authenticators"
	UnknownAuthenticator  Reason = "unknown_authenticator"
	LastAuthenticator     Reason = "last_authenticator"
	DuplicateSecret       Reason = "duplicate_secret"
	TooManyCodeSets       Reason = "too_many_code_sets"
	MalformedCode         Reason = "malformed_code"
	ChallengeExpired      Reason = "challenge_expired"
	CodesNotKept          Reason = "codes_not_kept"
	UnknownDevice         Reason = "unknown_device"
	AlreadyEnrolled       Reason = "already_enrolled"
	WasEnrolled           Reason = "was_enrolled"
	ShortSecret           Reason = "short_secret"
	TicketRequired        Reason = "ticket_required"
	TicketInvalid         Reason = "ticket_invalid"
	NoAddress             Reason = "no_address"
	SameChannel           Reason = "same_channel"
	TooManyMessages       Reason = "too_many_messages"
	TooSoon               Reason = "too_soon"
	NoAuthenticator       Reason = "no_authenticator"
	TrustNotAllowed       Reason = "trust_not_allowed"
	OwnerNotTold          Reason = "owner_not_told"
	NoReset               Reason = "no_reset"
	ResetWaiting          Reason = "reset_waiting"
	TooManyResets         Reason = "too_many_resets"
	ProofRequired         Reason = "proof_required"
	ProofInvalid          Reason = "proof_invalid"
	ProofStale            Reason = "proof_stale"
	ProofNotAllowed       Reason = "proof_not_allowed"
	EnrollTokenInvalid    Reason = "enroll_token_invalid"
)

// A Refusal is the answer "no" to something the user did. Whether the account
// changed with it (a counted failure) is told by [Account.Changed].
type Refusal struct {
	Reason  Reason
	Factor  Factor        // what the code was taken for, where it is about a code
	RetryAt time.Time     // when trying again makes sense; zero if time changes nothing
	Skew    time.Duration // for ClockSkew: how far the authenticator's clock is ahead

	Consecutive bool // whether three consecutive codes would be evaluated, and one would not
}

// Error implements error.
func (r *Refusal) Error() string { return "account: refused: " + string(r.Reason) }

// refusalIn returns the Refusal in an error, or nil.
func refusalIn(err error) *Refusal {
	if r, ok := err.(*Refusal); ok || err == nil {
		return r
	}
	var r *Refusal
	errors.As(err, &r)
	return r
}

func refuse(reason Reason) error { return &Refusal{Reason: reason} }

// Errors that are not refusals.
var (
	// ErrDamaged says that bytes are not an encoded account.
	ErrDamaged = errors.New("account: damaged encoding")

	// ErrNewer says that a later version of the library wrote the account, and
	// marked something in it as not to be ignored.
	ErrNewer = errors.New("account: written by a later version")

	// ErrTooLarge says that an account does not fit into a record.
	ErrTooLarge = errors.New("account: encoding too large")
)
