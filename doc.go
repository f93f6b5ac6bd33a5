// Package twofactor is the overview of a library that adds a second factor to
// an application which already checks a first one: enrolment by QR code, codes
// of authenticator apps (RFC 6238) that work exactly once, single-use recovery
// codes, and throttling that survives restarts, races and crashes. It holds no
// code; the packages below do.
//
//   - totp makes and checks time-based codes and otpauth URIs.
//   - recovery makes sets of recovery codes and spends them.
//   - qr draws a text as PNG, SVG or terminal blocks.
//   - store is the contract with the host's database: two methods. store/memory,
//     store/sqlstore implement it, and store/storetest proves an implementation.
//   - enrollment is what an application calls: its Guard composes all of them.
//     enrollment/keyring encrypts what reaches the database, enrollment/report
//     writes lists as CSV, and enrollment/enrollmenttest helps a host to test its
//     own pages.
//
// # Quickstart
//
//	keys, err := keyring.Parse(os.Getenv("TWOFACTOR_KEYS"))
//	accounts := sqlstore.New(db, sqlstore.PostgreSQL)
//	err = accounts.Migrate(ctx)
//	guard, err := enrollment.New(accounts, keys, enrollment.Config{Issuer: "Acme"})
//
//	// The settings page: enable.
//	setup, err := guard.Begin(ctx, userID, enrollment.BeginOptions{Account: "alice@example.com"})
//	image, err := setup.QR()  // as PNG, SVG or text; setup.Secret() is for typing it in
//	done, err := guard.Confirm(ctx, userID, setup.Token, r.PostFormValue("code"))
//	done.Codes.Reveal()       // the recovery codes, shown once
//
//	// The sign-in handler, right after the password was right.
//	d, err := guard.SignIn(ctx, userID, enrollment.SignInOptions{})
//	switch d.Next {
//	case enrollment.Proceed: // start the session
//	case enrollment.AskCode: // keep d.Challenge, show the form for the code
//	}
//
//	// The form for the code: an app's or a recovery code, in one field.
//	ok, err := guard.Answer(ctx, enrollment.PurposeSignIn, challenge, r.PostFormValue("code"))
//
//	// What the user did wrong; every other error is an internal one.
//	var denied *enrollment.Denied
//	if errors.As(err, &denied) { … denied.Reason, denied.RetryAt … }
//
// The folder examples has a complete web application.
//
// # Threat model
//
// The library protects accounts whose password is known to an attacker, and
// secrets whose database is. In detail:
//
//   - Somebody who has the password and guesses codes gets five guesses, then
//     waits that double up to a day, and in the long run one guess a day at one
//     authenticator: about 0.1 % in a year, however often the owner signs in
//     with the app, however many authenticators there are and however many
//     requests race. Each recovery code that the owner uses adds at most five
//     guesses. With several authenticators it adds the debt that it forgives: at
//     most 46 units, each worth 3 in a million. It adds five guesses more at
//     codes in messages where the account has an address. Recovery codes carry
//     80 bits and are out of reach.
//   - Somebody who watches a code being typed, or finds it in a log, can't use
//     it again: it is burned in the database before it is answered, by its time
//     step and not by its text.
//   - Somebody who has neither factor can neither guess nor lock anybody out.
//     Codes are evaluated only against a challenge that was minted after the
//     first factor, or for a user whom the host has signed in.
//   - Somebody who has the password and stops guessing can't keep the owner out:
//     recovery codes wait for a minute at most, and each that is used ends a
//     lock of app codes. Recovery codes that were taken over from another system
//     can be kept locked for a day, until the user makes new ones.
//   - Somebody who has stolen a session can't switch the second factor off, take
//     it over or make recovery codes without a code. Only what the host keeps in
//     that session would do: a receipt, which lasts five minutes and ends with
//     every change of factor, or the token of a setup that waits, which shows the
//     new secret for as long as the setup lasts. Keep that token in the form.
//   - Somebody who reads the database, a replica or a backup gets ciphertext.
//     Somebody who writes to it can't move an account to another user, alter
//     it or its state, or present another version: it no longer opens, which
//     is an error and never "not enrolled".
//   - Requests that race, clients that hang up, nodes that crash, stores that
//     lose replies and clocks that jump by less than a day lead to a refusal or
//     an error, not to a code that works twice or a guess that is not counted.
//   - An administrator can take a second factor away or let a user sign in
//     without one for a while, never their own, and the user is told who did it
//     and why. None can add a factor to an account that has one, or see recovery
//     codes. Import, which gives an account without a second factor one that the
//     caller knows, and Export, which gives secrets away, tell the user, too;
//     they are for programs and not for a page of administrators.
//
// # What a host can choose, and what it costs
//
// All of it is off by default.
//
//   - Trusted devices: for thirty days, the password and a token stolen from
//     that browser are enough to sign in.
//   - Codes in messages: who can read the messages, by a swapped SIM card or at
//     the provider, needs only the password besides.
//   - Self-service resets: somebody who has the password gets in if the owner
//     does not read what is announced for days and an administrator approves.
//     Where nobody has to approve, a clock that jumps ahead shortens the days.
//   - Re-authentication as a proof: the password and a stolen session switch the
//     second factor off.
//   - Recovery codes that can be shown again: the keys and the database give
//     them in clear, and so does a session in which an app's code was just
//     typed. Where used codes are replaced, a stolen one buys the next.
//   - Recovery codes of another system: as good as that system made them.
//
// # What it does not protect against
//
//   - Phishing in real time. Whoever makes a user type the code into another
//     page and passes it on at once is signed in. Only factors that are bound to
//     the origin, such as passkeys, prevent that (NIST SP 800-63B-4, section
//     3.2.5).
//   - A row that is deleted, or a whole row of an earlier time that is put
//     back, by somebody who writes to the database: encryption can't notice
//     that. Keep a flag of your own and hand it in as SignInOptions.Enrolled, which
//     turns absence into a refusal. A row that is put back brings back the
//     codes, guesses and factors of its time.
//   - Somebody who has the keys as well as the database, or who runs code in
//     the host's process. Such a one has every secret.
//   - A host that signs in without asking the Guard, asks it for another user
//     than the one that gave the first factor, or calls it inside a transaction
//     that is rolled back.
//   - Somebody who has the password and goes on guessing without a pause. The
//     account stays locked, for recovery codes too, until the password is
//     changed: the guesses are worth nothing, but the owner waits.
//   - A stolen phone, or malware on it. The app is one factor, not two.
//   - Guessing at the password, and the traffic of strangers. Throttle the
//     first factor, too; the second one can't do that for it.
//   - A clock of the host that an attacker sets, or that is wrong by more than a
//     day: codes that were used under it, or before it, can work again.
//   - Copies of secrets in the memory of the process. Go moves and copies
//     memory as it likes, so nothing here claims to wipe it.
package twofactor
