// Package enrollment gives an application two-factor authentication: it enrols
// users by QR code, asks for codes at sign-in and before sensitive actions,
// hands out recovery codes, and keeps all of it in one record per user of the
// host's own database. [Guard] is what an application calls.
//
// A host brings a [store.Store], a [Sealer] and its own check of a first
// factor. It keeps its users, sessions, pages and mails; nothing here knows of
// HTTP. FEATURES.md, beside this file, says for each thing that a host may want
// to offer which call offers it.
//
// # Signing in
//
// After the password was right, [Guard.SignIn] decides what follows: start the
// session, ask for a code, or lead the user into the setup of a second factor.
// The host says at each sign-in whether one is mandatory, and from when on (see
// [SignInOptions]). Where a code is needed, SignIn returns a challenge, an opaque string
// that the host keeps in a cookie or hands to its client. [Guard.Answer] takes
// it back together with the code. Until Answer returns a [Success] there is no
// session. One field takes app codes and recovery codes. A challenge for another
// purpose, for example a password reset, does not sign in.
//
// Before a sensitive action, [Guard.Verify] checks a code of a user who is
// signed in, and [Guard.RecentlyVerified] spares those who have just given one.
//
// # Enabling
//
// [Guard.Begin] returns a [Setup]: the QR code, the secret for typing it in,
// and a token. [Guard.Confirm] takes the token and the first code, and returns
// the recovery codes. Nothing about signing in changes before that. An account
// has up to three authenticators. A new phone takes the place of the old one
// with BeginOptions.Replace, and the old one works until the new one is proven.
// [Guard.RenewCodes], [Guard.Remove] and [Guard.Disable] are for later, and
// [Guard.Status] is what a security page shows, the account's history included.
//
// # What fewer hosts need
//
// These are small types over a Guard. Each changes the same record, in one
// write. The zero values of Guard and of these types can't be used.
//
//   - [Admin], of [Guard.Admin]: support and migration. It resets, unlocks, lets
//     somebody in without a code for a day, takes accounts over from other
//     systems and hands them on, and erases them, always in the name of an actor
//     and for a reason that the user can read. It can neither add an
//     authenticator to an account that has two-factor authentication on nor see
//     recovery codes.
//   - [Directory], of [NewDirectory]: all accounts. It lists who has
//     two-factor authentication, delivers events that a crash has left behind,
//     and moves accounts to a new key.
//   - [Devices], of [Guard.Devices]: browsers that are not asked again for
//     thirty days. The trust ends with every change of factor.
//   - [Messages], of [Guard.Messages]: codes by text message, e-mail or whatever the
//     host can send with.
//   - [ResetRequests], of [Guard.ResetRequests]: a user who has lost the phone and the recovery
//     codes asks for a reset, which is announced, can be cancelled for days, and
//     is then approved or refused.
//
// # What is off, because it weakens something
//
// Each of these is in use only where the host says so.
//
//   - Config.AllowReauth: the password and a session are enough for switching the
//     second factor off.
//   - Config.KeepCodes: the keys and the database give recovery codes away in
//     clear, and so does a session within five minutes of a code of the app.
//   - Config.ReplenishCodes: a recovery code that somebody has got hold of buys
//     the next one.
//   - Config.CodesAtSetup: a user who leaves the page before the first code may
//     have written down codes that never work.
//   - Devices: a stolen token of a device, and the password, sign in.
//   - Messages: whoever can read the messages needs only the password besides.
//     That is so for every account that has an address, since a sign-in takes
//     either; with Config.AddressAlone, an account needs no app at all.
//   - Resets: somebody who has the password and patience gets in if the owner
//     does not read mail and an administrator approves; with Config.AutoReset,
//     nobody has to approve.
//   - SignInOptions.Grace and Admin.Bypass: until they end, the password alone signs in.
//   - Import.RecoveryHashes: those codes are as strong as the other system made
//     them.
//
// # What is guaranteed
//
//   - A code works once, also across processes and restarts, and when many
//     requests race: replay is judged by the time step, and the step is stored
//     before the answer is given (RFC 6238, section 5.2).
//   - Every wrong code that is evaluated is counted, and stored before its
//     answer is given. Hanging up does not make it free. An app's code that has
//     been used already is not counted.
//   - Guessing is throttled for each account, in the same budget whichever
//     method is called. After 5 wrong app codes in a row comes a wait of one
//     minute, which doubles up to a day; 100 in a row disable app codes. Besides,
//     an account has a budget of 30 units, which its owner's sign-ins do not
//     refill: one unit a day comes back. A wrong code costs one unit for each
//     authenticator of the account. While less than one unit is left, one code
//     a day is evaluated. At 60 units, which only an account with several
//     authenticators can spend, app codes are disabled as after 100 in a row.
//     That gives somebody who has the password a chance of 0.12 % in a year
//     with one authenticator, and of 0.13 % with two or three.
//   - No wait for app codes is longer than a day, and adding, replacing or
//     removing an authenticator begins none. A recovery code that is used,
//     disabling, and an administrator who unlocks end the wait and leave at
//     least five guesses, whatever they cost.
//   - Delivered codes have a budget of their own, of the same size. Where an
//     account has an app and an address, that adds a third to the chance, since
//     one code is right at a time and not three. Each is good for ten minutes and
//     five tries. Five messages are sent in a day, a minute apart; a message is
//     counted before it is sent.
//   - Wrong recovery codes bring a wait of at most a minute and never disable
//     anything, and a right one ends the wait of the other codes. A thief of the
//     password who stops can't keep the owner out for longer than that minute;
//     one who goes on guessing without a pause can, until the password is
//     changed. Codes of another system (Import.RecoveryHashes) have a budget
//     besides, of 30 wrong ones refilled by one a day, since they may be short:
//     who uses it up shuts them out for a day, and can have locked the app as
//     well. An administrator who unlocks ends that, and the user's next set.
//   - While a factor is locked, nothing is evaluated, counted or extended.
//   - A stranger can neither guess nor lock: codes are evaluated only against
//     a challenge, which is minted after the first factor, or for a user whom
//     the host has signed in.
//   - What the owner of an account should hear of is stored with the change and
//     handed to Config.Notify at least once; see [Event].
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
//	operation             none              pending           confirmed         staged            disabled
//	Begin                 pending           pending           staged*           staged*           pending
//	Begin+Replace         not_enrolled      not_enrolled      staged*           staged*           not_enrolled
//	Resume                no_setup          pending           no_setup          staged            no_setup
//	Confirm               no_setup          confirmed         no_setup          confirmed         no_setup
//	Cancel                no_setup          none              no_setup          confirmed         no_setup
//	SignIn                none              pending           confirmed         staged            disabled
//	Answer                challenge_void    challenge_void    confirmed         staged            challenge_void
//	Verify                not_enrolled      not_enrolled      confirmed         staged            not_enrolled
//	RecentlyVerified      proof_invalid     proof_invalid     confirmed         staged            proof_invalid
//	RenewCodes            not_enrolled      not_enrolled      confirmed*        confirmed*        not_enrolled
//	RecoveryCodes         not_enrolled      not_enrolled      confirmed*        staged*           not_enrolled
//	Remove                not_enrolled      not_enrolled      confirmed*        confirmed*        not_enrolled
//	Disable               not_enrolled      not_enrolled      disabled*         disabled*         not_enrolled
//	Status                none              pending           confirmed         staged            disabled
//	Devices.Trust         not_enrolled      not_enrolled      confirmed         staged            not_enrolled
//	Devices.List          none              pending           confirmed         staged            disabled
//	Devices.Revoke        unknown_device    unknown_device    confirmed         staged            unknown_device
//	Devices.RevokeAll     none              pending           confirmed         staged            disabled
//	Messages.Bind         not_enrolled      not_enrolled      confirmed*        staged*           not_enrolled
//	Messages.Confirm      no_setup          no_setup          confirmed         confirmed         no_setup
//	Messages.Send         challenge_void    challenge_void    confirmed         staged            challenge_void
//	Messages.Unbind       not_enrolled      not_enrolled      confirmed*        confirmed*        not_enrolled
//	ResetRequests.Open    challenge_void    challenge_void    confirmed         staged            challenge_void
//	ResetRequests.Cancel  no_reset          no_reset          confirmed         staged            no_reset
//	Admin.Reset           not_enrolled      not_enrolled      disabled          disabled          not_enrolled
//	Admin.ApproveReset    no_reset          no_reset          disabled          disabled          no_reset
//	Admin.RefuseReset     no_reset          no_reset          confirmed         staged            no_reset
//	Admin.Unlock          not_enrolled      not_enrolled      confirmed         staged            not_enrolled
//	Admin.Bypass          none              pending           confirmed         staged            disabled
//	Admin.Import          confirmed         confirmed         already_enrolled  already_enrolled  was_enrolled
//	Admin.Export          not_enrolled      not_enrolled      confirmed         staged            not_enrolled
//	Admin.Erase           none              none              none              none              none
//
// A pending setup of an account that was disabled before falls back to
// disabled, not to none. A recovery code drops the setup that waits, whatever
// it is used for: Answer, Verify and Messages.Bind then lead from staged to
// confirmed. Remove denies the only authenticator as last_authenticator, and an
// id that is not in the form of one is an unknown_authenticator whatever the
// state. SignIn says AskCode where the account is confirmed or staged, unless a
// device or a bypass takes the place of the code, and Proceed or, on demand,
// MustEnroll elsewhere. Operations that need something besides (an address, a
// device, a request that has matured, codes that were kept) are shown with it.
// Import.Again lets Admin.Import lead from disabled to confirmed. Admin.Reset that
// hands out a ticket is not denied where nothing is on: it
// drops a setup that waits.
//
// With Config.AddressAlone, an address can be all that an account has. That
// state, alone, is like confirmed but for what this table says; the other
// columns are the way there. Begin stages an authenticator beside the address,
// and Confirm then leads to confirmed.
//
//	operation         none          pending       disabled      alone
//	Begin+Replace     not_enrolled  not_enrolled  not_enrolled  unknown_authenticator
//	Remove            not_enrolled  not_enrolled  not_enrolled  unknown_authenticator
//	Messages.Bind     none          pending       disabled      alone*
//	Messages.Confirm  alone         alone         alone         alone
//	Messages.Unbind   not_enrolled  not_enrolled  not_enrolled  last_authenticator
//
// # Proofs
//
// The table says which proofs authorise what, where two-factor authentication is
// on: a code that is typed ([ByCode]), the receipt of an answer by such a code
// ([ByReceipt]), or the host's word that it has checked the first factor again
// ([ByReauth]), without and with Config.AllowReauth. "No" is denied as
// proof_not_allowed, and no proof at all as proof_required.
//
//	                 code           receipt                   reauth
//	operation        app  recovery  app  recovery  delivered  off  allowed  none
//	Begin            yes  yes       yes  yes       no         no   no       no
//	Begin+Replace    yes  yes       yes  yes       no         no   no       no
//	Messages.Bind    yes  yes       yes  yes       no         no   no       no
//	RenewCodes       yes  yes       yes  yes       no         no   no       no
//	RecoveryCodes    yes  no        yes  no        no         no   no       no
//	Remove           yes  yes       yes  yes       no         no   yes      no
//	Messages.Unbind  yes  yes       yes  yes       no         no   yes      no
//	Disable          yes  yes       yes  yes       no         no   yes      no
//
// A trusted device, a bypass and a deadline that is not over yield no receipt,
// and prove nothing. Somebody whose account is an address alone changes its
// settings with a recovery code.
//
// A code that proves something is used up by it, be it an app's or a recovery
// code. A receipt proves for five minutes, and until the next change of factor:
// Confirm, RenewCodes, Remove, Disable, Messages.Confirm, Messages.Unbind, a
// reset, and the use of a recovery code void all receipts and all open
// challenges of the account, all trust in devices, and a setup that waits.
//
// # Many accounts at once
//
// A [Directory] lists accounts for administrators (package report writes the
// list as CSV), and does the upkeep: [Directory.Sweep], every few minutes, deletes setups that were given
// up, reminds of requests for a reset and delivers events that were left over;
// [Directory.Reseal] moves accounts to a new key.
//
// # Clocks
//
// Time comes from Config.Now. When the clock of a host jumps back, codes fail
// closed: used steps stay used, and waits end when they would have. Between nodes
// whose clocks differ by less than a day, no code works twice, and a budget
// gains the difference once. But what lasts for some time (a wait, a setup, the days of a reset, a
// bypass, trust in a device) ends earlier for a node that is ahead, by the
// difference, and later for one that is behind; so do challenges and receipts,
// which are refused where they come from more than a minute ahead.
//
// A clock that is wrong by more than a day is believed for as long as it is
// wrong. Once it is right again, times that lie more than a day ahead are set to
// the present, so that nobody stays locked for longer than a day and the wait
// that was in force. (A setup has to be two days ahead. The time up to which
// forgotten challenges are void has to be two minutes ahead; the open ones, all
// receipts, trust in devices, and what waits for a code are void then.) What
// was due by such a clock, an announcement for example, is due by that time for
// Directory.Sweep unless the account is written before. A clock that goes back
// by more than a day looks the same: until it is right again, and for a moment
// longer, codes that were used before and waits that began before may be
// forgotten.
//
// # JSON
//
// What a page shows can be encoded as it is and sent to a client: [Decision],
// [Success], [Confirmed], [Status] and what is in it, [Device], [Binding],
// [Delivery], [ResetRequest], [Member], [Event] and [Denied]. Names are in snake
// case, like the words of the values. Times that are zero and texts that are
// empty are left out; lists, numbers and booleans are always there. The JSON of a
// [History] does not say who the administrators were.
//
// Recovery codes, which are shown once, are never encoded by accident: a value
// that has some can't be encoded as JSON. A host that sends them says so:
//
//	json.NewEncoder(w).Encode(struct {
//		enrollment.Confirmed
//		Codes []string `json:"codes"`
//	}{done, done.Codes.Reveal()})
//
// # FIPS 140-3
//
// Where the Go runtime enforces FIPS 140-3, that is under GODEBUG=fips140=only,
// [New] wants two choices to be made. Config.RecoveryScheme has to be
// [recovery.Fast], since Argon2id is not approved. And either Config.Params
// names SHA-256 or SHA-512, which few apps honour, or Config.AllowSHA1 is set:
// then HMAC-SHA-1 is computed as an exception that covers nothing else. It needs
// Go 1.26 or later. Whether your assessor agrees with the exception is not for
// the library to say. All else is AES-GCM and HMAC-SHA-256, if the Sealer is
// a keyring; another one answers for itself.
//
// Accounts from before keep what they have. Where one of the apps is for SHA-1
// and Config.AllowSHA1 is not set, no app's code of that account is evaluated;
// where the recovery codes are of the scheme Argon2id, or among imported ones is
// one with bcrypt, none of those is. Both are [ErrNotApproved], which is no
// answer and is not counted. Therefore set recovery.Fast first, and enforce
// when users have made new codes, by [Guard.RenewCodes]. Whoever has not can
// still sign in with the app and do so; for those who have lost it, a host can
// decide to call [Guard.Answer] inside fips140.WithoutEnforcement, which is an
// exception for all that happens in the call, the Store and the Sealer
// included.
//
// # Size
//
// What is stored of a user with one app, ten recovery codes and a few events
// takes about 800 bytes, and 60 more for each event of the history, of which
// there are at most 20. With everything in use at once, each part as long as it
// gets (three authenticators and a setup that waits, 32 recovery codes in clear
// beside their hashes, five devices, an address and another one, and an event of
// every kind that nobody has taken), 7.4 of the 8 KiB of a [store.Record] are
// needed. What is left is for the history and for the texts of events (who, why,
// what name); where it does not suffice, the oldest history gives way first and
// then those texts, and never what decides about a code.
package enrollment
