// Package twofactor is the overview of a library that adds a second factor to an
// application which already checks a first one, such as a password. It contains no
// code. The packages are:
//
//   - enrollment is what an application calls. Its Guard sets up authenticators,
//     checks codes, and protects every change. enrollment/keyring encrypts what is
//     stored, enrollment/web has the pages over net/http, enrollment/wording has
//     words for each answer and event, enrollment/operator has commands for the
//     people who run the service, enrollment/report writes lists of members,
//     enrollment/enrollmenttest helps to test an application, and
//     enrollment/hosttest is a test suite for one.
//   - store is the contract with the application's database, two methods.
//     store/sqlstore, store/memory, store/boltstore and store/redisstore implement
//     it. store/storekit helps to write another one, and store/storetest tests it.
//   - totp computes and checks app codes (RFC 6238) and reads otpauth URIs.
//   - recovery makes and checks recovery codes.
//   - qr draws a text as PNG, SVG or terminal text.
//
// README.md shows the calls. In the folder examples, minimal is the least that an
// application needs; its README.md lists the others.
//
// # Threat model
//
// The library protects accounts whose password an attacker knows, and secrets in a
// database that an attacker reads.
//
// An attacker with the password who guesses codes:
//
//   - The attacker gets five guesses, then has to wait, a minute at first and up to a
//     day later. In the long run, a budget of 30 units limits the guesses. One unit
//     comes back each day. A guess costs one unit for each authenticator, and each unit
//     is a chance of 3 in a million. The chance of success is about 0.1 % a year. It
//     does not depend on how often the owner signs in with the app, on the number of
//     authenticators, or on requests that race.
//   - Each recovery code that the owner uses gives at most five more guesses at app
//     codes. With several authenticators, guesses can exceed the budget, and the recovery code
//     also gives back what was too much: at most 46 units in all. If the account has
//     an address, it also gives five guesses at codes in messages.
//   - Recovery codes have 80 bits. Guessing them is hopeless.
//   - The owner with the app gets in at any time, even during the attack: three
//     consecutive codes are evaluated while app codes are locked or disabled. A guess
//     at three codes is right with a chance of 4·10⁻¹⁷ for each authenticator, or of
//     5·10⁻¹⁶ if the attacker measures how long answers take. At a thousand guesses a
//     second, the latter is 0.0017 % in a year. Guesses with exactly two right codes are
//     counted, and the fifth in a row uses the codes up. Others are not limited. Three
//     codes that somebody sees before the owner uses them work for ten minutes, or for
//     twenty if the clock of the phone is ten minutes ahead.
//   - The owner without the app gets in once the attacker stops: recovery codes are
//     locked for a minute at most, and each one used ends a lock of app codes. Recovery
//     codes from another system can be locked for up to a day, until the user makes new
//     ones.
//   - With Config.Notify, the owner is told by the first Sweep that comes ten minutes
//     after the first guess, or at once if a right code follows. One or two guesses are
//     not reported if they look like the owner's typing errors: a right code follows
//     within ten minutes, from the same origin as the application names it. The answer
//     to that code says how many were wrong. Guesses at three consecutive codes are only
//     reported if exactly two are right, or with Config.AlertUnanswered.
//
// An attacker who sees a code that the owner has used, in a log or over a shoulder, can't
// use it again. It is stored as used before the answer is sent. What counts is the time
// step of the code, not its digits.
//
// An attacker without any factor can't guess codes and can't lock anyone out. A code
// is checked only with a challenge, which follows the first factor, or for a user
// who is signed in.
//
// An attacker with a stolen session needs a code to turn the second factor off, to
// replace it or to make recovery codes. Where it is off, the application checks the
// first factor again before anybody can set up a phone. Two things that an application
// may keep in the session would help the attacker:
//
//   - A receipt. It is valid for five minutes and ends with every change of factor.
//   - The token of a pending setup. It shows the new secret while the setup is
//     pending, and the recovery codes until ten minutes after its end. Keep it in the
//     form instead, and also the token of a renewal, which shows the new codes.
//
// An attacker who reads the database, a replica or a backup finds ciphertext. An
// attacker who writes to the database can't move an account to another user, change it,
// or give it another state or version. Such an account does not open, which is an error
// and never means "not enrolled". Hiding an account from the background sweep delays
// notifications by about a day, but in Redis until the account is written again.
//
// Races, clients that hang up, crashes, lost replies of the store, and clocks that
// jump by less than a day can cause a refusal or an error. They never make a code
// work twice or a guess free.
//
// An administrator can turn off a user's second factor, or let the user sign in without
// one for a while. This is refused for the administrator's own account, if the application
// names administrators by their user ids, and the user is told who did it and why. An
// administrator can't add a factor to an account that has one, and can't see recovery codes.
// Import gives an account without a factor one that the caller knows. Export reveals secrets.
// The user is told about both. Use them in programs, and do not expose them on an admin page.
//
// All of this needs no options, except that users are told: set Config.Notify and run
// Directory.SweepEvery. Some options weaken the second factor. Package enrollment says what
// each of them costs, and all are off by default.
//
// # What it does not protect against
//
//   - Phishing in real time. A site that asks a user for a code and uses it at once is
//     signed in. Only factors that are bound to the origin prevent this, such as
//     passkeys (NIST SP 800-63B-4, section 3.2.5).
//   - Deleted or restored rows. An attacker who writes to the database can delete a
//     row, or put back an old one with its codes, guesses and factors. Encryption does
//     not reveal this. Keep a flag of your own and pass it as SignInOptions.Enrolled:
//     a missing account is then refused.
//   - An attacker who has the keys and the database, or runs code in your process. This
//     attacker has every secret.
//   - An application that signs in without asking the Guard, asks it about the wrong
//     user, or calls it inside a transaction that is rolled back.
//   - Recovery codes during an attack. While an attacker with the password guesses at
//     them without a pause, an owner who does not have the app has to wait.
//   - A stolen phone, or malware on it. The app is one factor, not two.
//   - Passwords, and requests from strangers. Limit attempts at the first factor
//     yourself.
//   - Wrong clocks. If the server's clock is wrong by more than a day, or an attacker
//     sets it, used codes can work again.
//   - Copies of secrets in memory. Go moves and copies memory, so the library does not
//     claim to wipe it.
package twofactor
