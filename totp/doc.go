// Package totp makes and checks time-based one-time passwords: RFC 6238 over
// the HOTP of RFC 4226, and the otpauth URI by which a shared secret reaches an
// authenticator app.
//
// A [Secret] is the shared secret. A [Key] is a secret with its [Params], and
// is always valid once made. [Key.Check] is the heart of the package:
//
//	step, err := key.Check(r.PostFormValue("code"), time.Now(), last)
//
// It answers with the time step that the code belongs to, not with a bool,
// because RFC 6238, section 5.2, demands that a code works once: the verifier
// keeps the step of the last accepted code and hands it in as last. A code of
// that step or an earlier one is [ErrReplayed], however it is spelled. Keep the
// new step, durably and with a conditional write, before telling anybody that
// the code was right. Two requests that carry the same code otherwise both
// win.
//
// # What it does not do
//
// The package is pure. It keeps no state, reads no clock, opens no connection
// and starts no goroutine; time is an argument, and the only reader it touches
// is the source of randomness given to [Generate]. It therefore neither stores
// the last step nor counts failures, and six digits without throttling are no
// protection: about 230,000 guesses, one after another, find a code that is
// right with even odds. Package enrollment of this module composes it with
// storage, throttling, recovery codes and encryption; an application that calls
// this package directly has to bring all of them.
//
// There is no HOTP by counter, and no knob for the look-around window, which is
// one step either way. [Key.ClockOffset] looks further, at enrolment, and only
// to tell users how wrong their clock is.
//
// # Secrets
//
// Secret and Key keep their bytes out of reach of fmt, log/slog and
// encoding/json: every verb prints a placeholder, encoding is an error, and an
// unexported field of one of these types inside a struct of the application
// prints as an address. Revealing is an explicit call of [Secret.Reveal],
// [Secret.Base32], [Secret.Grouped], [Key.URI] or [Key.OTP], whose results are
// ordinary values that must not be logged. No error of this package quotes what
// it was given. Compare secrets with [Secret.Equal]; the types do not allow ==.
//
// # Interoperability
//
// Most authenticator apps ignore the algorithm, the number of digits and the
// period in a URI, and show codes for SHA-1, six digits and 30 seconds all the
// same. The zero Params is that combination. Use another only for
// authenticators that you know. HMAC-SHA-1 is not weakened by the collisions of
// SHA-1 (RFC 6238, section 1.2, and RFC 4226, appendix B.2).
//
// Under GODEBUG=fips140=only the standard library refuses HMAC-SHA-1. Keys of
// that algorithm then give [ErrNotApproved], which is neither a right nor a
// wrong code, and never a panic; keys with SHA-256 and SHA-512 work. This
// package makes no exception by itself. A caller that allows SHA-1 makes one
// around the call, with WithoutEnforcement of crypto/fips140.
//
// Values of all types are immutable and safe for concurrent use.
//
// This package imports nothing but the standard library and
// github.com/pquerna/otp, for its Key type at the boundary, and must import
// none of the other public packages of this module.
package totp
