// Package recovery makes and checks recovery codes: single-use codes that let
// users in when they have lost their authenticator. NIST calls them look-up
// secrets (SP 800-63B-4, section 3.1.2).
//
// A set of codes is made once, and spent code by code:
//
//	codes, err := recovery.Generate(nil, recovery.DefaultCount, recovery.Argon2id)
//	derivation, err := recovery.NewDerivation(nil, recovery.Argon2id)
//	set, err := derivation.DeriveAll(ctx, codes) // slow: one Argon2id per code
//	// show codes.Reveal() once, store set.AppendBinary(nil)
//
//	code, err := recovery.ParseCode(r.PostFormValue("code"))
//	digest, err := set.Derivation().Derive(code) // slow: one Argon2id, whatever the size of the set
//	i, err := set.Spend(digest, now)             // fast; store the set again
//
// Codes are drawn from [crypto/rand], five bits for each symbol: 80 bits for a
// code of the scheme [Argon2id], 130 bits for one of [Fast]. They are written in
// Crockford's base32 (https://www.crockford.com/base32.html), which does not use
// the letters I, L, O and U, in groups of four. [ParseCode] accepts many ways of
// typing a code.
//
// The application stores a [Set]: for each code a [Digest] of 32 bytes and the time at
// which the code was used, and the salt and costs that all digests share. Spend marks a
// used code and does not delete it; [Set.Replace] puts a new code in its place. Nobody
// can read codes from a Set. The 80 bits of an Argon2id code are too many to try, even
// offline. But a stolen Set shows how many codes are left, and anyone who can change it
// can mark used codes as unused. Package enrollment therefore encrypts it.
//
// # Using a code once
//
// Spend changes a value in memory. A code works only once if the application stores the
// changed set before it lets the user in, with a write that fails if the stored set has
// changed in the meantime. Package enrollment does this and limits the number of
// guesses. An application that uses this package alone must do both.
//
// # Showing codes
//
// [Codes.Reveal] returns the codes for a page of the application. [Codes.Sheet] and
// [Codes.SheetHTML] return complete sheets with advice, to save and to print. Show
// codes only once if you can. To show them again, the application must keep them, and
// anyone with its keys can then read them. [Codes.AppendRevealed] returns the bytes to
// encrypt for that purpose. [DecodeCodes] and [JoinCodes] return Codes again.
//
// # Secrets
//
// [Code], [Codes], [Digest], [Set] and [Derivation] print and log as
// "[redacted]", and can't be encoded as JSON, XML or gob. fmt does not call the
// methods of unexported fields; there it prints an address. These methods reveal
// codes: Reveal, Sheet, SheetHTML and AppendRevealed. Errors never quote
// their input.
//
// The package is pure: it reads no clock, starts no goroutine that outlives a
// call, and does no input or output except reading randomness from an
// [io.Reader]. It imports only the standard library, golang.org/x/crypto and
// internal helpers, and no other public package of this module.
package recovery
