// Package totp makes and checks time-based one-time passwords (RFC 6238, over
// the HOTP of RFC 4226), and reads and writes the otpauth URI that brings a
// shared secret into an authenticator app.
//
// A [Secret] is the shared secret. A [Key] is a secret with its [Params]; every
// Key other than the zero Key is valid. [Key.Check] is the main function:
//
//	step, err := key.Check(r.PostFormValue("code"), time.Now(), last)
//
// Check returns the time step that the code belongs to, because a code must
// work only once (RFC 6238, section 5.2). Store that step, and pass it as last
// to the next call. A code of that step or an earlier one is [ErrReplayed],
// however it is written. Store the step durably and with a conditional write,
// before you tell anybody that the code was right. Otherwise two requests with
// the same code both succeed.
//
// # What it does not do
//
// The package is pure. It keeps no state, reads no clock, opens no connection and
// starts no goroutine. Time is an argument, and so is the source of randomness of
// [Generate]. It does not store the last step and does not count failures. Six digits
// are no protection without throttling: a guesser has an even chance after about
// 230,000 guesses. Package enrollment of this module adds storage, throttling, recovery
// codes and encryption. An application that calls this package directly has to add them
// itself.
//
// There is no counter-based HOTP, and the window of one code is never wider than
// one time step before and after the current one. [Key.CheckWithin] can leave steps
// out. Two methods look further: [Key.ClockOffset], but only at enrolment, to tell
// users how wrong their clock is, and [Key.CheckConsecutive], which takes three
// codes.
//
// # Secrets
//
// Secret and Key print and log as "[redacted]", and can't be encoded. fmt does
// not call the methods of unexported fields; there it prints an address. These
// functions reveal the secret: [Secret.Reveal], [Secret.Base32],
// [Secret.Grouped], [Key.URI] and [Key.OTP]. Do not log their results. Errors
// never quote their input. Compare secrets with [Secret.Equal]; the types do not
// support ==.
//
// # Interoperability
//
// Most authenticator apps ignore the algorithm, digits and period of a URI, and
// always show codes for SHA-1, six digits and 30 seconds. These are the
// defaults, so the zero Params works with every app. Use other parameters only
// for authenticators that you know. The collisions of SHA-1 do not weaken
// HMAC-SHA-1 (RFC 6238, section 1.2, and RFC 4226, appendix B.2).
//
// Under GODEBUG=fips140=only the standard library refuses HMAC-SHA-1, and secrets of
// fewer than 112 bits, which only [ShortSecrets] reads. Such a key then returns
// [ErrNotApproved], which says nothing about the code. It never panics. Other keys with
// SHA-256 and SHA-512 work. To allow the rest there, call the method inside
// WithoutEnforcement of crypto/fips140 (Go 1.26).
//
// All values are immutable and safe for concurrent use.
//
// This package imports only the standard library, internal helpers, and
// github.com/pquerna/otp for the Key type of that package. It must not import
// other public packages of this module.
package totp
