package enrollment

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Config is how a [Guard] behaves. The zero value of every field but Issuer is
// the safe choice.
type Config struct {
	// Issuer is the name of the service that authenticator apps show: 1 to
	// [totp.MaxIssuer] bytes, without a colon. It is required. BeginOptions.Issuer
	// can differ per setup.
	Issuer string

	// Namespace separates installations that share keys, for example "staging":
	// what was sealed in one does not open in another. They need tables of
	// their own as well, since a user has one record in a table. At most 64
	// bytes. Do not change it later: no stored account would open any more.
	// Defaults to "".
	Namespace string

	// Params is the kind of code that new authenticators make. Defaults to SHA-1, 6
	// digits, 30 seconds. Most apps use these and ignore what the URI says, so change it
	// only if you choose the app as well. Confirm says when an app ignores it; see
	// ReasonParamsIgnored. Secrets have the size of the hash: 20 bytes for SHA-1, 32 for
	// SHA-256, 64 for SHA-512.
	Params totp.Params

	// RecoveryCodes is how many codes a set has, from [recovery.MinCount] to
	// [recovery.MaxCount]. Defaults to [recovery.DefaultCount].
	RecoveryCodes int

	// RecoveryScheme is how new sets of recovery codes are made. Defaults to
	// [recovery.Argon2id]: codes of 16 symbols behind a slow derivation.
	// [recovery.Fast] has longer codes and no derivation. Sets made earlier
	// keep the scheme they were made with.
	RecoveryScheme recovery.Scheme

	// CodesAtSetup shows the recovery codes together with the QR code, if Confirm
	// would make some; see [Setup.Codes]. They become valid when the setup is
	// confirmed. A user who leaves the page early may have written down codes
	// that never work. Until then the sealed account holds them in clear.
	// Defaults to false: Confirm returns the codes.
	CodesAtSetup bool

	// ReplenishCodes replaces each recovery code that Answer or Verify accepts,
	// so the number of codes stays the same. Success.NewCode has the new one, and
	// [Guard.NewCode] shows it once more for a while. The used code is then ReasonWrongCode instead
	// of ReasonReplayed. A code that was used as a proof (see [ByCode]) is not
	// replaced, because its caller gets no Success. Imported codes are not
	// replaced either.
	//
	// An attacker with a single code gets a new one with each use, until the
	// owner renews the codes. Defaults to false.
	ReplenishCodes bool

	// KeepCodes keeps recovery codes in clear inside the sealed account, so that
	// [Guard.RecoveryCodes] can show them again. An attacker with the keys and the
	// database then has the codes. A stolen session with a fresh receipt of an app code
	// reads all of them. Sets made without KeepCodes can't be shown. When it is switched
	// off, the codes are no longer shown, and the next write of the account deletes them:
	// set it to the same value on every node. Defaults to false: only hashes are kept.
	KeepCodes bool

	// Window says which time steps a code may belong to: the current one, and the one
	// before, the one after, both or none. It applies to every check of an app code, also
	// at the setup. With fewer steps a code is harder to guess: the chance is 0.12 % per
	// year with all three, and 0.04 % with one. But users who type late, or whose clock is
	// wrong, are refused. Defaults to [totp.LookBothWays]: one step back for slow hands and
	// networks (RFC 6238, section 5.2), and one ahead for clocks that are fast.
	Window totp.Window

	// MaxAuthenticators is how many authenticators an account has at most, from 1 to
	// [MaxAuthenticators]. Each is one more phone that can be stolen. A wrong code is
	// compared with all of them and costs one unit for each: the chance of guessing one is
	// 0.13 % per year with two or three, and 0.12 % with one. An account that has more
	// keeps them. Defaults to [MaxAuthenticators].
	MaxAuthenticators int

	// MaxDevices is how many devices of an account are trusted at most, up to
	// 10; see [Devices]. Each is one more browser whose token can be stolen.
	// An account that has more keeps them until their trust ends, and each new one
	// replaces the oldest. A negative number lets none be trusted: Trust is denied,
	// and SignIn asks for a code even on a device that is trusted already. Defaults
	// to [DefaultMaxDevices].
	MaxDevices int

	// DeviceTTL is how long a device is trusted from the time of Trust, from one hour to
	// 90 days. A stolen token replaces the code for that long. A change of DeviceTTL
	// applies to devices that are trusted later. Defaults to [DefaultDeviceTTL].
	DeviceTTL time.Duration

	// SetupTTL is how long a setup stays pending, from one minute to 24 hours.
	// After that it counts as if it had never been. Until then its token shows
	// the secret (see Setup.Token). Defaults to 15 minutes.
	SetupTTL time.Duration

	// ReauthDisables lets [ByReauth] authorise Disable, Remove and Messages.Unbind:
	// the password alone then switches the second factor off, so that an attacker
	// with the password and a stolen session needs nothing else. Defaults to false.
	ReauthDisables bool

	// UnprovenSetup lets the first setup begin without a proof: [Guard.Begin], and with
	// AddressAlone [Messages.Bind]. Then an attacker with a stolen session can set up a
	// phone, which locks the owner out and outlasts the session. It is for applications
	// whose settings page asks for nothing, and can't ask: prefer [ByReauth] right after a
	// sign-in. See OWASP ASVS 5.0, 7.5.1. Defaults to false.
	UnprovenSetup bool

	// MaxBypass is how long [Admin.Bypass] may let a user sign in without a
	// second factor, up to seven days. Defaults to 24 hours.
	MaxBypass time.Duration

	// Sender sends the codes of [Messages]. Defaults to nil: no code is sent, and
	// no sign-in offers one.
	Sender Sender

	// MaxMessages is how many messages an account is sent in a day, from 1 to 10; see
	// [Messages]. More of them cost more money, and let an attacker with the password
	// disturb the user more often. With fewer, that attacker or an unreliable network uses
	// them up sooner. The chance of guessing a code is the same, because the budget
	// decides. Defaults to [DefaultMaxMessages].
	MaxMessages int

	// AddressAlone lets a delivery address be all that an account has. Then anyone who can
	// read the messages (a thief of the SIM card, a clerk of the provider) needs only the
	// password. NIST SP 800-63B-4 calls codes by telephone restricted. An attacker with
	// the password can also use up the messages of a day, which leaves the owner with the
	// recovery codes.
	//
	// On an account with nothing but an address, a recovery code proves changes of
	// settings, and so does [ByReauth] where ReauthDisables accepts it. When the recovery
	// codes are used up, only a reset is left. Tell users when few are left.
	//
	// Defaults to false: an authenticator has to be there first.
	AddressAlone bool

	// ResetWait is how long the owner has for cancelling a request for a reset
	// (see [ResetRequests]), from one day to 30 days. Defaults to three days.
	ResetWait time.Duration

	// AutoReset lets [Directory.Sweep] carry out a request for a reset when ResetWait is
	// over, without an administrator. Then the password and patience are enough to switch
	// the second factor off, if the owner does not read what Notify sends or the clock of
	// a node jumps ahead. The setting at the time of the request counts. It needs Notify.
	// Defaults to false.
	AutoReset bool

	// ShortSecretsUntil is for secrets of 80 to 127 bits, which RFC 4226 forbids: from this
	// time on, they no longer sign in. If it is set, they can be imported; see
	// [totp.ShortSecrets]. Until that time, hardware tokens with such secrets can be set up as
	// well. From then on, Answer denies a right code of such a user as ReasonMustReplace, with
	// what it takes to replace the secret; see [Replacement]. A trusted device then replaces
	// no code. SignIn still asks for a code of the old secret, so that nobody gets around it.
	// A code in a message, and three consecutive codes of another time (see [ThreeCodes]),
	// still sign in, because they authorise no change of factors.
	//
	// Where the Go runtime enforces FIPS 140-3, secrets of fewer than 112 bits are accepted
	// with SHA-1 and AllowSHA1 only.
	//
	// Status and Directory say who has such a secret. Import still accepts them after that
	// time, for users who come late. Set it to the same value on every node. Defaults to the
	// zero time: none is imported, and users who have one must replace it now.
	ShortSecretsUntil time.Time

	// AllowSHA1 lets codes with SHA-1, which is what most apps make, be computed where the
	// Go runtime enforces FIPS 140-3; see OPERATING.md. It needs Go 1.26 there, and has no
	// effect elsewhere. Defaults to false.
	AllowSHA1 bool

	// Now returns the current time. While it returns the zero time, the first instant of
	// 1970, or a time outside the years 2 to 9998, methods return an error and change
	// nothing. It is called by several goroutines at a time. Defaults to [time.Now].
	Now func() time.Time

	// AlertUnanswered tells the owner also if somebody had the first factor and gave no
	// code at all: [EventWrongCodes] comes ten minutes after a challenge that nobody has
	// answered, and Event.WrongCodes is 0. It needs Notify, and [WithOrigin]: only a right
	// code from the same origin takes the alert back, and without an origin each
	// challenge is one of its own. Users who leave the page for the code are told as well.
	//
	// Each sign-in that asks for a code then writes the account, at most five times until
	// the owner is told and not for 24 hours after that. So an attacker with the password
	// can't make the owner's answers fail by writing. Defaults to false.
	AlertUnanswered bool

	// Notify is told of every change that the owner of an account should hear
	// of; see [Event]. It is called after the change is stored, in the
	// goroutine of the call that made it, with a context that the caller's
	// cancellation does not reach and that ends after [NotifyTimeout]: hand
	// the event to a queue and return. It never changes the answer that the
	// caller gets: an error, a panic or a crash leaves the event in the
	// account. A later [Directory.Sweep], or a later [Operation] that writes the
	// account, delivers it, once a minute has passed.
	//
	// It is called by several goroutines at a time, also for one account, and must be
	// safe for that. Events can arrive more than once, with the same ID unless others were
	// combined with them meanwhile, and in another order than they happened: Event.At says
	// when that was. Defaults to nil: then no event is kept for delivery, and users are told
	// nothing.
	Notify func(ctx context.Context, e Event) error

	// Logger gets one line for each event, and one for each call that loaded an account
	// and can change it, with the user, the outcome and the origin (see [WithOrigin]).
	// SignIn is such a call only if it imported, or if a trusted device or a bypass
	// replaced the code. There is no line for a call that is denied before the account is
	// loaded (a malformed code, an expired token, an invalid name), or that ends in a fault (an
	// error other than a [Denied]). Log faults yourself. Lines contain no secrets and no
	// codes. Locks, alerts (see [EventWrongCodes]) and repair_due (see [Operation]) are at
	// the level Warn. Events that could not be delivered or acknowledged, a panic in Observe
	// and what fails in [Directory.SweepEvery] are at Error, all else at Info. Defaults to
	// nil: nothing is logged.
	Logger *slog.Logger

	// Observe is called once for each [Operation], with its outcome, and once for each
	// event, to count them over all accounts with expvar, OpenTelemetry or another
	// library; see [Observation]. It is called in the goroutine of the call, after the
	// outcome is stored, by several goroutines at a time, and must return at once. A panic
	// in it is logged and changes no answer. Defaults to nil.
	Observe func(o Observation)
}
