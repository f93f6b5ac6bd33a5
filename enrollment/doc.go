// Package enrollment gives an application two-factor authentication: it enrols
// users by QR code, asks for codes at sign-in and before grave actions, hands
// out recovery codes, and keeps all of it in one record per user of the host's
// own database. [Guard] is what an application calls.
//
// A host brings a [store.Store], a [Sealer] and its own check of a first
// factor. It keeps its users, sessions, pages and mails; nothing here knows of
// HTTP.
//
// # Signing in
//
// After the password was right, [Guard.SignIn] decides what follows: start the
// session, ask for a code, or lead the user into setting one up. Where a code
// is asked for, it comes with a challenge, an opaque string that the host keeps
// in a cookie or hands to its client, and [Guard.Answer] takes it back together
// with the code. Until Answer returns a [Success] there is no session. One
// field takes app codes and recovery codes.
//
// # Enabling
//
// [Guard.Begin] returns a [Setup]: the QR code, the secret for typing it in,
// and a token. [Guard.Confirm] takes the token and the first code, and returns
// the recovery codes. Nothing about signing in changes before that. An account
// has up to three authenticators. A new phone takes the place of the old one
// with Options.Replace, and the old one works until the new one is proven.
//
// # What is guaranteed
//
//   - A code works once, also across processes and restarts, and when many
//     requests race: replay is judged by the time step, and the step is stored
//     before the answer is given (RFC 6238, section 5.2).
//   - Every wrong code that is evaluated is counted, and stored before its
//     answer is given. Hanging up does not make it free. An app's code that was
//     right once is not counted.
//   - Guessing is throttled for each account, in the same budget whichever
//     method is called. After 5 wrong app codes in a row comes a wait of one
//     minute, which doubles up to a day; 100 in a row disable app codes; and 30
//     wrong codes, refilled by one a day, are all that an account allows in the
//     long run, however often its owner signs in with the app. That gives
//     somebody who has the password a chance of about 0.1 % in a year. A
//     recovery code that is used, and disabling, leave at least five units for
//     the app. Where an account has several authenticators, a wrong code costs
//     one unit for each.
//   - Wrong recovery codes wait at most a minute and never disable anything, and
//     a right one ends the wait of app codes. A thief of the password who stops
//     can't keep the owner out for longer than that minute; one who goes on
//     guessing without a pause can, until the password is changed.
//   - While a factor is locked, nothing is evaluated, counted or extended.
//   - A stranger can neither guess nor lock: codes are evaluated only against
//     a challenge, which is minted after the first factor, or for a user whom
//     the host has signed in.
//   - What the store sees is ciphertext. A damaged or misplaced record is
//     [ErrCorrupt], never "not enrolled".
//
// What the library can't protect against is in the documentation of the root
// package.
//
// # States
//
// The table says for each operation what state it leads to, or the [Reason] of
// the [Denied] it returns without changing anything. In the state "staged", an
// account is confirmed and another setup waits. An asterisk says that a
// [Proof] is needed. A setup that has expired is as if it had never been.
//
//	operation       none            pending         confirmed     staged        disabled
//	Begin           pending         pending         staged*       staged*       pending
//	Begin+Replace   not_enrolled    not_enrolled    staged*       staged*       not_enrolled
//	Resume          no_setup        pending         no_setup      staged        no_setup
//	Confirm         no_setup        confirmed       no_setup      confirmed     no_setup
//	Cancel          no_setup        none            no_setup      confirmed     no_setup
//	SignIn          none            pending         confirmed     staged        disabled
//	Answer          challenge_void  challenge_void  confirmed     staged        challenge_void
//	Verify          not_enrolled    not_enrolled    confirmed     staged        not_enrolled
//	NewCodes        not_enrolled    not_enrolled    confirmed*    confirmed*    not_enrolled
//	Remove          not_enrolled    not_enrolled    confirmed*    confirmed*    not_enrolled
//	Disable         not_enrolled    not_enrolled    disabled*     disabled*     not_enrolled
//	Status          none            pending         confirmed     staged        disabled
//
// A pending setup of an account that was disabled before falls back to
// disabled, not to none. Answer and Verify with a recovery code lead from staged
// to confirmed: they drop the setup that waits. Remove denies the only
// authenticator as last_authenticator, and an id that is not in the form of one
// is an unknown_authenticator whatever the state. SignIn says AskCode where the account is confirmed or
// staged, and Proceed or, on demand, MustEnroll elsewhere.
//
// # Proofs
//
// The table says which proofs authorise what. Whatever is not in it is denied
// with the reason in brackets.
//
//	operation                      ByCode  ByReceipt  ByReauth                      none
//	Begin, where confirmed         yes     yes        (proof_not_allowed)           (proof_required)
//	NewCodes                       yes     yes        (proof_not_allowed)           (proof_required)
//	Remove, Disable                yes     yes        yes with Config.AllowReauth   (proof_required)
//
// A code that proves something is used up by it, be it an app's or a recovery
// code. A receipt proves for five minutes, and until the next change of factor:
// Confirm, NewCodes, Remove, Disable, and the use of a recovery code void all
// receipts and all open challenges of the account, and a setup that waits.
//
// # Clocks
//
// Time comes from Config.Now. When the clock of a host jumps back, codes fail
// closed: used steps stay used, and waits end when they would have. Nodes whose
// clocks differ by less than a day can't be played off against each other.
//
// A clock that is wrong by more than a day is believed while it lasts. What it
// has stored ahead of the time is set to now, once, as soon as it is mended
// (a setup, if it is two days ahead; the time up to which forgotten challenges
// are void, if it is two minutes ahead, which voids the open ones), so that nobody stays locked
// longer than a day and the wait that was in force. What was stored before it went
// back by more than a day is taken for such a mistake, too: until it is mended
// and a moment longer, codes used before and waits begun before may be
// forgotten.
//
// # FIPS 140-3
//
// Where the Go runtime enforces FIPS 140-3, that is under GODEBUG=fips140=only,
// [New] wants two choices to be made. Config.RecoveryScheme has to be
// [recovery.Fast], since Argon2id is not approved. And either Config.Params
// names SHA-256 or SHA-512, which few apps honour, or Config.AllowSHA1 is set:
// then HMAC-SHA-1 is computed as an exception that covers nothing else, and that
// Go 1.26 or later makes. Whether your assessor agrees with the exception is not
// for the library to say. All else is AES-GCM and HMAC-SHA-256, if the Sealer is
// a keyring; another one answers for itself.
//
// Accounts from before keep what they have. Where one of the apps is for SHA-1
// and Config.AllowSHA1 is not set, no app's code of that account is evaluated;
// where the recovery codes are of the scheme Argon2id, none of those is. Both are
// [ErrNotApproved], which is no answer and is not counted. Therefore set
// recovery.Fast first, and enforce when users have made new codes, by
// [Guard.NewCodes]. Whoever has not can still sign in with the app and do so; for
// those who have lost it, a host can decide to call [Guard.Answer] inside
// fips140.WithoutEnforcement, which is an exception for all that happens in the
// call, the Store and the Sealer included.
package enrollment
