// Package account is the state machine of one user's two-factor settings: what
// an account holds, which transitions it allows, and how it is encoded.
//
// It is pure. Time and random bytes come in as a [Moment], a recovery code
// comes in as a finished digest, and nothing here does I/O, so every rule can
// be tested without a clock, a store or a slow key derivation. Package
// enrollment loads and opens an account, lets this package decide, and seals
// and saves what it decided before it answers.
//
// It may import totp, recovery and internal/fips, and nothing else of the
// library.
package account
