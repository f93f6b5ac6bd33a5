// Package enrollment adds two-factor authentication to an application: setup
// with a QR code, a code at sign-in, recovery codes. It keeps one sealed record
// per user in the application's own database.
//
//	config := enrollment.Config{Issuer: "Acme", Notify: notify}
//	guard, directory, err := enrollment.Open(ctx, accounts, keys, config)
//	if err != nil {
//		return nil, err // also if the keys do not fit the accounts
//	}
//	go directory.SweepEvery(ctx, 5*time.Minute)
//
// The settings page turns it on in two requests:
//
//	setup, err := guard.Begin(ctx, userID, enrollment.BeginOptions{
//		Account: email,
//		Proof:   enrollment.ByReauth("password"), // this page has just checked it
//	})
//	if err != nil {
//		return err
//	}
//	return show(setup) // setup.QR(), setup.Secret().Grouped(), setup.Token.Reveal()
//
//	// The next request: the user has typed the first code.
//	done, err := guard.Confirm(ctx, userID, enrollment.SetupTokenOf(token), code)
//	if err != nil {
//		return err
//	}
//	return showOnce(done.Codes) // the recovery codes
//
// The login handler calls SignIn after the password was right:
//
//	d, err := guard.SignIn(ctx, userID, enrollment.SignInOptions{})
//	switch d.Next {
//	case enrollment.Proceed: // no second factor
//		return startSession(userID, d.Stamp)
//	case enrollment.AskCode:
//		return askForCode(d.Challenge) // no session yet
//	case enrollment.MustEnroll: // with SignInOptions.Require, or after a bypass
//		return leadToSetup(d.EnrollToken) // no session yet
//	default: // enrollment.Refuse
//		return err
//	}
//
// When the user has typed a code, another request calls Answer. After AskCode there is no
// session before it succeeds. After [MustEnroll], the session starts after the setup, and
// only if the Purpose in [Confirmed] is [PurposeSignIn].
//
//	ok, err := guard.Answer(ctx, enrollment.PurposeSignIn, enrollment.ChallengeOf(challenge), code)
//	var denied *enrollment.Denied
//	switch {
//	case errors.As(err, &denied):
//		return askAgain(denied) // denied.Reason, denied.RetryAt
//	case err != nil:
//		return err // a fault: answer 500, or 503 for ErrBusy, and grant nothing
//	}
//	return startSession(ok.UserID, ok.Stamp)
//
// [Guard.Verify] checks a code before a sensitive action. One form field takes
// app codes and recovery codes. [Guard.Status] has what a security page shows,
// and [Guard.Disable] turns two-factor authentication off.
//
// # Errors
//
// A [*Denied] is the answer "no" to what the user did. Show its [Reason] in your own
// words. Match reasons and groups of reasons with [errors.Is]: after [ErrWrongCode] ask
// for another code, after [ErrLocked] say when to try again, after [ErrChallenge] ask
// for the password. Every other error is a fault: grant nothing, and answer with status 500,
// or with 503 for [ErrBusy] (nothing was decided) and [ErrNotSent] (the message may be lost).
// A fault does not say whether the code was right; see [Guard] for an exception.
//
// # What your application does
//
//   - It passes an immutable user id and takes it from its own session, never
//     from what the client sent. An id has 1 to 255 bytes of valid UTF-8 without control
//     characters. Bytes are compared: "alice" and "Alice" are two users.
//   - It limits password attempts. The Guard limits codes.
//   - It gives the session a new id when it stores a challenge, and again when
//     it signs the user in. It ends sessions whose [Stamp] is not the present one.
//     The session in which a factor is changed takes the new Stamp.
//   - It calls the Guard outside its own transactions. A write of the Guard would wait for
//     them or, with a store that takes part in them, be undone with a rollback: a wrong code
//     would not count.
//   - It gives the context of each request a deadline. Without one, the Guard can wait for the
//     store for ever before it decides. From the decision on, each step has ten seconds, except
//     your Sender.
//   - It starts with [Open], which checks the keys.
//   - It sets Config.Notify and runs [Directory.SweepEvery]. Without Notify, nobody hears
//     of a change or an attack. Without SweepEvery, nobody hears of wrong codes that no
//     right one follows, or of what happened before a crash.
//   - It keeps the keys apart from the database and its backups, and backs them up. Without
//     them no account can be opened. With both, all shared secrets are known, and any
//     program can change any account.
//   - It logs faults where it answers with status 500 (Config.Fail of package web), and
//     raises an alarm there for [ErrCorrupt] and [ErrMissing].
//   - It erases the account when it deletes a user; see [Admin.Erase]. It moves accounts
//     before it uses new user ids; see [Admin.Move].
//   - It sends Cache-Control: no-store with pages that show secrets, codes or
//     tokens.
//   - It protects its forms against cross-site requests (CSRF).
//   - It offers passkeys to users who may be phished. No typed code resists a site
//     that asks for it and uses it at once.
//
// Package hosttest tests much of this on the pages of your application.
//
// # Beyond the main job
//
// These types are made from a Guard. Except for [Admin.Move], each change by any of them is
// one write of the user's record.
//
//   - [Admin] is for support and for moving users: reset, unlock, a bypass (by default for
//     a day at most), import, export, a change of the user id, erase. Each call names an
//     administrator and a reason, which the user can read. An Admin can't add an
//     authenticator to an account that has one, and can't see recovery codes.
//   - [Directory] works on all accounts: it lists them, delivers events that a crash
//     has left behind, and moves accounts to a new key. Package report writes the list
//     as CSV.
//   - [Devices] are browsers that skip the code for a while, thirty days by default.
//   - [ThreeCodes] let an owner who has the app in while app codes are locked.
//   - [Messages] are codes by text message, e-mail or any channel that the
//     application can send over.
//   - [ResetRequests] help a user who lost the phone and the recovery codes. A
//     request is announced to the owner, who has days to cancel it.
//
// FEATURES.md lists what an application can offer, and the call for it.
//
// # What weakens security
//
// All of this is off until the application uses it:
//
//   - Config.UnprovenSetup: a stolen session sets up the thief's phone.
//   - Config.ReauthDisables: the password and a stolen session switch the second
//     factor off.
//   - Config.KeepCodes: the keys together with the database reveal recovery
//     codes. So does a stolen session within five minutes of an app code.
//   - Config.ReplenishCodes: a thief of one recovery code gets the next.
//   - Config.CodesAtSetup: a user who leaves the setup page early may have
//     written down codes that never work. Until the setup is confirmed, the keys together
//     with the database reveal the codes.
//   - Devices: the password and a token stolen from the browser sign in.
//   - Messages: an attacker who reads the messages, by a swapped SIM card or at the
//     provider, needs nothing else but the password.
//     This holds for every account with an address, because a sign-in accepts either
//     factor. With Config.AddressAlone an account needs no app.
//   - ResetRequests: an attacker with the password and patience gets in if the
//     owner ignores the announcements and an administrator approves. With
//     Config.AutoReset nobody has to approve, and a clock that jumps ahead shortens the
//     wait.
//   - SignInOptions.Grace and Admin.Bypass: until they end, the password alone
//     signs in.
//   - Config.ShortSecretsUntil: secrets of 80 to 127 bits sign in until then.
//   - Import.RecoveryHashes: those codes are only as strong as the other system made
//     them.
//
// # Guarantees
//
//   - A code works once, across processes, restarts and races. Replay is judged
//     by the time step, and the step is stored before the answer is given (RFC
//     6238, section 5.2).
//   - Every wrong code that is evaluated is counted, and the count is stored
//     before the answer is given. Hanging up does not make a guess free. An app
//     code that was used before is refused without being counted. Three consecutive
//     codes are counted only if exactly two of them are right; see [ThreeCodes].
//   - Guessing is throttled per account, whichever method is called. Five wrong
//     app codes in a row start a wait of one minute, which doubles with each
//     further one up to a day. A hundred in a row disable app codes. In the long
//     run a budget of 30 units decides. One unit comes back each day; sign-ins of
//     the owner bring none back. A wrong code costs one unit for each
//     authenticator of the account. With less than one unit left, one code a day
//     is evaluated. At 60 units, which takes several authenticators, app codes
//     are disabled. An attacker with the password has a chance of 0.12 % per year
//     with one authenticator, and of 0.13 % with two or three.
//   - No wait for app codes is longer than a day. Adding, replacing or removing
//     an authenticator starts no wait. A recovery code, disabling, and an
//     administrator's unlock end the wait and leave at least five guesses.
//   - Delivered codes have a budget of their own, of the same size. On an
//     account with an app and an address they add a third to the attacker's
//     chance: one code is right at a time, not three. A code is good for ten
//     minutes and five tries. By default, at most five messages are sent in a day,
//     one per minute. A message is counted before it is sent.
//   - Wrong recovery codes start a wait of at most a minute and never disable anything.
//     A right one also ends the wait for the other codes. An attacker with the password
//     keeps out only an owner without the app, and only while the attack goes on
//     without a pause. Imported recovery codes may be short, so they also have a budget
//     of 30 wrong codes, refilled by one a day. An attacker who uses it up can keep
//     them, and single codes of the app, locked for a day. Three consecutive codes still
//     sign in. An administrator's unlock or a new set of codes ends the lock.
//   - While a factor is locked, nothing is evaluated, counted or extended, except
//     three consecutive codes of an app; see [ThreeCodes] for their odds.
//   - A stranger can't guess and can't lock anybody out. Codes are evaluated
//     only against a challenge, which SignIn mints after the first factor, or
//     for a user whom the application has signed in.
//   - Everything that the owner of an account should hear of is stored with the change,
//     and handed to Config.Notify at least once; see [Event]. That includes a right
//     password followed by wrong codes, see [EventWrongCodes], and with
//     Config.AlertUnanswered one followed by no code.
//   - The store sees ciphertext. A damaged or misplaced record is [ErrCorrupt],
//     never "not enrolled".
//
// The documentation of the root package has the threat model, and what the
// library does not protect against.
//
// # JSON
//
// These can be sent to a client as JSON: [Decision], [Success], [Confirmed],
// [RenewedCodes], [Status] and its parts, [Device], [TrustedDevice], [Binding],
// [Delivery], [Event], [Member], [Denied] and [Replacement], which is not part of the
// JSON of a Denied. Names are in snake case. Zero times and empty texts are left out. The
// JSON of a [History] does not name administrators. Recovery codes are not encoded at
// all; see [Confirmed].
//
// Tokens are encoded as text, so a Success carries its receipt. A client does not
// need the receipt if the session has it: set it to the zero Receipt.
//
// # Operating
//
// OPERATING.md says what to log and to watch, how to serve several tenants, what a restored
// backup brings back, what happens when a clock is wrong, how large a record gets, and what to
// choose under GODEBUG=fips140=only.
//
// # States and proofs
//
// A change of settings needs a [Proof]: a code that the user types, or the receipt of
// an earlier one. The first setup needs [ByReauth], or [ByEnrollToken] where a sign-in
// demands it. A code that was a proof is used up. A receipt is a proof for five minutes,
// and only until the next change of factor. Confirm, RenewCodes, Remove, Disable,
// Messages.Confirm, Messages.Unbind, a reset and the use of a recovery code void all
// receipts, open challenges, trust in devices and pending setups of the account.
//
// STATES.md has the tables: what each operation does in each state of an account,
// and which proof authorises which change.
package enrollment
