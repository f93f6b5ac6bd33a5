package enrollment

import "github.com/seed-1b6a03a1/twofactor/internal/account"

// A Reason says why something was denied, in one stable word: that of
// ReasonTooManyMessages is "too_many_messages", and so on. The words are fit for
// an API and for a table of messages, and do not change in later versions.
//
// A Reason is an error, so that [errors.Is] finds it in what a method returned:
//
//	if errors.Is(err, enrollment.ReasonReplayed) { … }
//
// [Denied] carries what belongs to it, for example how long to wait.
type Reason string

// The reasons. Some belong to a group: [errors.Is] also matches them with the sentinel
// in brackets. Most pages branch only on the groups, and show words for the reason
// itself. Where waiting helps, Denied.RetryAt and Denied.Wait are set.
const (
	// ReasonWrongCode means that the code is wrong. It was counted, except on an account
	// without an authenticator that was given six to eight digits. Three consecutive codes
	// were counted only if exactly two of them are right; see [ThreeCodes]. If RetryAt is
	// set, this code began a wait. Ask for the code again, and show RetryAt if it is set.
	// [ErrWrongCode]
	ReasonWrongCode Reason = Reason(account.WrongCode)

	// ReasonReplayed means that the code was right and has been used before. A replayed
	// app code is not counted. RetryAt is when the app shows a code that was never used,
	// even if the clock of the phone is a step behind. Ask for that code. If the app
	// already shows another one, the user need not wait. A replayed recovery code is
	// counted, and a set RetryAt says that it began a wait. Ask for another recovery code.
	// [ErrWrongCode]
	ReasonReplayed Reason = Reason(account.Replayed)

	// ReasonMalformedCode means that the text does not look like a code or have one in it,
	// is longer than 64 bytes, or has a number of digits that no code of the account has.
	// Nothing was evaluated or counted. Ask for the code again, and say what codes look
	// like. On an account with recovery codes of another system (see [Import]), most texts
	// could be such a code and are ReasonWrongCode instead. [ErrWrongCode]
	ReasonMalformedCode Reason = Reason(account.MalformedCode)

	// ReasonClockSkew means that Confirm got a code that is right at another
	// time: the clock of the phone is wrong. Skew says by how much. It was
	// counted as wrong, and a set RetryAt says that it began a wait. Ask the user
	// to set the clock of the phone. [ErrWrongCode]
	ReasonClockSkew Reason = Reason(account.ClockSkew)

	// ReasonParamsIgnored means that Confirm got a code that would be right now for
	// SHA-1, six digits and 30 seconds, and the setup asks for something else: the
	// app ignores Config.Params, as many do. It was counted as wrong, and a set
	// RetryAt says that it began a wait. This app can't be used. Ask the user to
	// delete the entry and to take an app that you have tried. [ErrWrongCode]
	ReasonParamsIgnored Reason = Reason(account.ParamsIgnored)

	// ReasonLocked means that there were too many wrong codes. Until RetryAt no code of
	// that Factor is evaluated, not even the right one. Show RetryAt, and offer the other
	// factors. Three consecutive app codes are still evaluated; see [ThreeCodes].
	// [ErrLocked]
	ReasonLocked Reason = Reason(account.Locked)

	// ReasonFactorDisabled means that there were 100 wrong codes in a row, or 60 units of
	// guessing at several authenticators. No code of that Factor is evaluated until a
	// recovery code is used or an administrator unlocks the account. Ask for a recovery
	// code, or for three consecutive codes of the app, which end this as well; see
	// [ThreeCodes]. [ErrLocked]
	ReasonFactorDisabled Reason = Reason(account.FactorDisabled)

	// ReasonChallengeInvalid means that the text is not a challenge, or is one for another
	// purpose. Ask for the first factor again. [ErrChallenge]
	ReasonChallengeInvalid Reason = "challenge_invalid"

	// ReasonChallengeExpired means that the challenge is older than
	// [ChallengeTTL]. Ask for the first factor again. [ErrChallenge]
	ReasonChallengeExpired Reason = Reason(account.ChallengeExpired)

	// ReasonChallengeSpent means that the challenge was answered before, for
	// example by the same form in another tab. Ask for the first factor again. With
	// Config.ReplenishCodes, [Guard.NewCode] may have a code to show first. [ErrChallenge]
	ReasonChallengeSpent Reason = Reason(account.ChallengeSpent)

	// ReasonChallengeVoid means that the challenge no longer counts: a factor has been
	// changed since, a later message was sent, or its code was wrong five times. It is also the
	// answer when the account no longer knows whether the challenge was answered. Ask for
	// the first factor again. [ErrChallenge]
	ReasonChallengeVoid Reason = Reason(account.ChallengeVoid)

	// ReasonSetupInvalid means that the text is not a setup token, or is one of another
	// user. Let the user begin again. [ErrSetup]
	ReasonSetupInvalid Reason = "setup_invalid"

	// ReasonSetupExpired means that the setup was not confirmed in time. Let the
	// user begin again. [ErrSetup]
	ReasonSetupExpired Reason = Reason(account.SetupExpired)

	// ReasonSetupSuperseded means that a later setup has replaced this one,
	// perhaps one in another tab. Send the user there, or let them begin again.
	// [ErrSetup]
	ReasonSetupSuperseded Reason = Reason(account.SetupSuperseded)

	// ReasonNoSetup means that there is no setup to go on with: it was cancelled, a change
	// of factor has dropped it, it was confirmed long ago (see [ReasonAlreadyConfirmed]),
	// or there never was one. Show the [Status]. [ErrSetup]
	ReasonNoSetup Reason = Reason(account.NoSetup)

	// ReasonAlreadyConfirmed means that the setup was confirmed before, for example by a
	// second click on the button. Show the codes with [Guard.SetupCodes]. If that is
	// denied too, show the [Status]. No code was evaluated, so this proves nothing about
	// the caller. From ten minutes after the setup's end, or once a later setup was
	// confirmed, it is ReasonSetupExpired, ReasonSetupSuperseded or ReasonNoSetup instead.
	ReasonAlreadyConfirmed Reason = Reason(account.AlreadyConfirmed)

	// ReasonAlreadyRenewed means that recovery codes were made with this renewal token
	// before. Show the codes with [Guard.RenewalCodes]. If that is denied too, show the
	// [Status]. No code was evaluated, so this proves nothing about the caller.
	ReasonAlreadyRenewed Reason = Reason(account.AlreadyRenewed)

	// ReasonRenewalInvalid means that the text is not a renewal token, is one of another
	// user, has expired, or was made before the last change of factor. Show the page
	// again, with a new token.
	ReasonRenewalInvalid Reason = Reason(account.RenewalInvalid)

	// ReasonNotEnrolled means that two-factor authentication is off. Offer the setup.
	ReasonNotEnrolled Reason = Reason(account.NotEnrolled)

	// ReasonNoAuthenticator means that the account has no authenticator, and that
	// Config.AddressAlone is not set. Say that the app comes first, and offer its setup.
	ReasonNoAuthenticator Reason = Reason(account.NoAuthenticator)

	// ReasonTooManyAuthenticators means that the account has as many as
	// Config.MaxAuthenticators allows. Offer to replace or to remove one. [ErrLimit]
	ReasonTooManyAuthenticators Reason = Reason(account.TooManyAuthenticators)

	// ReasonTooManyCodeSets means that five sets of recovery codes were made for
	// the account within a day, including those that nobody waited for. Show
	// RetryAt. [ErrLimit]
	ReasonTooManyCodeSets Reason = Reason(account.TooManyCodeSets)

	// ReasonUnknownAuthenticator means that the account has no authenticator of that ID;
	// it may have been removed. Show the list again.
	ReasonUnknownAuthenticator Reason = Reason(account.UnknownAuthenticator)

	// ReasonLastAuthenticator means that the account would be left without a
	// factor. Offer [Guard.Disable] instead.
	ReasonLastAuthenticator Reason = Reason(account.LastAuthenticator)

	// ReasonDuplicateSecret means that the account already has an authenticator
	// with that secret. It concerns setups of hardware tokens, and programs that
	// import.
	ReasonDuplicateSecret Reason = Reason(account.DuplicateSecret)

	// ReasonInvalidName means that the name is longer than [MaxName] bytes or has
	// control characters. Ask for another name.
	ReasonInvalidName Reason = "invalid_name"

	// ReasonAlreadyEnrolled means that two-factor authentication is on, and
	// nothing is imported over it. It concerns programs that import.
	ReasonAlreadyEnrolled Reason = Reason(account.AlreadyEnrolled)

	// ReasonWasEnrolled means that two-factor authentication was on before, or
	// that the user was given a ticket, and Import.Again is not set. It concerns
	// programs that import.
	ReasonWasEnrolled Reason = Reason(account.WasEnrolled)

	// ReasonShortSecret means that a secret has fewer than 128 bits, and that
	// Config.ShortSecretsUntil is not set or, for a setup, that this time has passed. It
	// concerns setups of hardware tokens, and programs that import.
	ReasonShortSecret Reason = Reason(account.ShortSecret)

	// ReasonMustReplace means that the code was right and is used up, and that the
	// account has a secret of fewer than 128 bits whose time is over; see
	// Config.ShortSecretsUntil. Start no session. Lead the user to a setup with
	// Denied.Replace.
	ReasonMustReplace Reason = "must_replace"

	// ReasonCodesNotKept means that the recovery codes can't be shown again:
	// only their hashes are kept, or all are used. Offer to make new ones.
	ReasonCodesNotKept Reason = Reason(account.CodesNotKept)

	// ReasonUnknownDevice means that the account has no trusted device of that ID; the
	// trust may have ended. Show the list again.
	ReasonUnknownDevice Reason = Reason(account.UnknownDevice)

	// ReasonTrustNotAllowed means that Config.MaxDevices is negative, so no device can be
	// trusted. Do not offer it.
	ReasonTrustNotAllowed Reason = Reason(account.TrustNotAllowed)

	// ReasonNoAddress means that the account has no address to send codes to.
	// Offer the other factors.
	ReasonNoAddress Reason = Reason(account.NoAddress)

	// ReasonSameChannel means that the first factor came over the channel of the
	// address, so that a code sent there would not be a second factor. Offer the
	// other factors.
	ReasonSameChannel Reason = Reason(account.SameChannel)

	// ReasonTooSoon means that the last message was sent less than [MessagePause]
	// ago. Say that it may be on its way, and show RetryAt. [ErrLimit]
	ReasonTooSoon Reason = Reason(account.TooSoon)

	// ReasonTooManyMessages means that Config.MaxMessages were sent within a day. Show
	// RetryAt, and offer the other factors. [ErrLimit]
	ReasonTooManyMessages Reason = Reason(account.TooManyMessages)

	// ReasonTicketRequired means that an administrator requires a ticket for the
	// next setup. Ask for it.
	ReasonTicketRequired Reason = Reason(account.TicketRequired)

	// ReasonTicketInvalid means that the ticket is not that of the account. Ask
	// for it again.
	ReasonTicketInvalid Reason = Reason(account.TicketInvalid)

	// ReasonNoReset means that no request for a reset is open. Show the [Status].
	ReasonNoReset Reason = Reason(account.NoReset)

	// ReasonResetWaiting means that the request for a reset can't be approved
	// yet. Show RetryAt to the administrator.
	ReasonResetWaiting Reason = Reason(account.ResetWaiting)

	// ReasonOwnerNotTold means that the request for a reset can't be approved, since
	// the owner has not heard of it: Config.Notify has not taken its event. Waiting
	// alone does not help. Tell the operator, and let Sweep deliver the event.
	ReasonOwnerNotTold Reason = Reason(account.OwnerNotTold)

	// ReasonTooManyResets means that the last request was made less than a day
	// ago. Show RetryAt. [ErrLimit]
	ReasonTooManyResets Reason = Reason(account.TooManyResets)

	// ReasonInvalidBypass means that the end of the bypass is in the past, or
	// further ahead than Config.MaxBypass. Ask the administrator for another
	// time. [ErrLimit]
	ReasonInvalidBypass Reason = "invalid_bypass"

	// ReasonOwnAccount means that the administrator and the user are the same person. Send
	// them to their settings, or to another administrator.
	ReasonOwnAccount Reason = "own_account"

	// ReasonUserIDTaken means that [Admin.Move] found a record under the new user id.
	// If it is not needed, erase it and move again.
	ReasonUserIDTaken Reason = "user_id_taken"

	// ReasonProofRequired means that the change needs a [Proof]. Ask for a code, or
	// for the first factor if this is the first setup. [ErrProof]
	ReasonProofRequired Reason = Reason(account.ProofRequired)

	// ReasonProofInvalid means that the text is not a receipt, belongs to another user, or
	// is older than the last change of factor. Ask for a code. [ErrProof]
	ReasonProofInvalid Reason = Reason(account.ProofInvalid)

	// ReasonProofStale means that the receipt is too old: older than [ReceiptTTL],
	// or than RecentlyVerified allows. Ask for a code. [ErrProof]
	ReasonProofStale Reason = Reason(account.ProofStale)

	// ReasonProofNotAllowed means that this kind of proof does not authorise this
	// change. Ask for one that does, see "Proofs" in STATES.md. [ErrProof]
	ReasonProofNotAllowed Reason = Reason(account.ProofNotAllowed)

	// ReasonEnrollTokenInvalid means that the text is not an EnrollToken, was handed out to
	// another user or browser, or has ended: it expired, a factor was set up or changed,
	// or another browser began a setup first. Ask for the first factor again. [ErrProof]
	ReasonEnrollTokenInvalid Reason = Reason(account.EnrollTokenInvalid)
)
