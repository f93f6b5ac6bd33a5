// Package recovery makes and spends recovery codes: the sheet of single-use
// codes that lets people in when their authenticator is lost, and that NIST
// calls look-up secrets (SP 800-63B-4, section 3.1.2).
//
// A set lives through four steps, and only one of them is slow:
//
//	codes, err := recovery.Generate(nil, recovery.DefaultCount, recovery.Argon2id)
//	derivation, err := recovery.NewDerivation(nil, recovery.Argon2id)
//	set, err := derivation.DeriveAll(ctx, codes) // one Argon2id per code
//	// show codes.Reveal() once, store set.AppendBinary(nil)
//
//	code, err := recovery.ParseCode(r.PostFormValue("code"))
//	digest, err := set.Derivation().Derive(code) // one Argon2id, whatever the set's size
//	i, err := set.Spend(digest, now)             // instant; store the set again
//
// The codes are drawn from [crypto/rand], five bits to a symbol and nothing
// rounded: 80 bits in a code of [Argon2id], 130 bits in one of [Fast]. They
// are written in Crockford's base32 (https://www.crockford.com/base32.html),
// which has no I, L, O or U, in groups of four. What people type is read
// generously, see [ParseCode].
//
// What is stored is a [Set]: for every code a 32-byte [Digest] and the time it
// was used, and once the salt and cost parameters that all its digests share.
// A used code is marked, not deleted, unless the host puts a fresh one into its
// place with [Set.Replace]. Nobody can read codes from a set; with the 80 bits
// of an Argon2id code, trying them all is out of reach even offline. A stolen
// set still tells how many codes are left, and whoever can write it can mark
// codes unused, so package enrollment keeps it sealed.
//
// # Using a code once
//
// Spend changes a value in memory. A code works once only if the changed set
// is stored before anybody is let in, by a write that fails when the set has
// been changed meanwhile. Package enrollment does that, and throttles guesses;
// a host that uses this package alone has to do both.
//
// # Showing codes
//
// [Codes.Reveal] is for a host's own pages; [Codes.Sheet] and [Codes.SheetHTML]
// are finished sheets with advice, to save and to print. Codes are meant to be
// shown once: a host that shows them again has kept them, and whoever has its
// keys can read them, which no set allows. If it must, [Codes.AppendBinary]
// makes them the bytes to seal, and [DecodeCodes] and [JoinCodes] make Codes of
// what was kept.
//
// # Secrets
//
// [Code], [Codes], [Digest] and [Set] keep what they hold behind pointers, and
// fmt, log/slog and encoding/json show none of it, not even inside an
// unexported field of a host's own struct. The explicit ways to the clear text
// are Reveal, the sheets, and AppendBinary of Codes. Errors never quote input.
//
// The package is pure: it does no input or output other than reading the
// [io.Reader] it is handed, never looks at the clock, and starts no goroutine
// that outlives a call. It imports the standard library and
// golang.org/x/crypto, and no other public package of this module.
package recovery
