package totp

import (
	"crypto/hmac"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"time"
)

// Errors of [Key.Check], which also returns [ErrMalformed] and [ErrSecret].
var (
	// ErrWrong says that the code belongs to no step in the window.
	ErrWrong = errors.New("totp: wrong code")

	// ErrReplayed says that the code is right but was used before: every step
	// in the window that it belongs to is at or below the last used one. It
	// also matches [ErrWrong], for callers that treat both alike. Only someone
	// who has the code gets this error, so it is safe to tell the user to wait
	// for the next code.
	ErrReplayed error = replayed{}

	// ErrNotApproved says that the Go runtime refuses the algorithm or the size of the
	// key, for example SHA-1 under GODEBUG=fips140=only. The code was not checked.
	ErrNotApproved = errors.New("totp: the Go runtime refuses the key, for example with SHA-1 under GODEBUG=fips140=only")
)

type replayed struct{}

func (replayed) Error() string        { return "totp: code already used" }
func (replayed) Is(target error) bool { return target == ErrWrong }

var (
	errZeroKey = fmt.Errorf("%w: the key is the zero Key", ErrSecret)
	errBefore  = errors.New("the time is before 1970")
)

// A Key is a [Secret] with the [Params] of its authenticator. It makes and
// checks codes.
//
// The zero Key makes no codes and accepts none. Its methods return [ErrSecret]
// where they can return an error.
//
// A Key prints and logs as "[redacted]" and can't be encoded. It is immutable
// and safe for concurrent use.
type Key struct {
	redacted
	secret Secret
	params Params // complete and valid, except in the zero Key
}

// NewKey returns the key with this secret and these parameters. Zero fields of
// p take their defaults. NewKey returns [ErrSecret] for the zero Secret, and
// [ErrParams] for parameters that [Params.Validate] refuses.
func NewKey(s Secret, p Params) (Key, error) {
	if s.IsZero() {
		return Key{}, fmt.Errorf("%w: the secret is the zero Secret", ErrSecret)
	}
	if err := p.Validate(); err != nil {
		return Key{}, err
	}
	return Key{secret: s, params: p.WithDefaults()}, nil
}

// Secret returns the shared secret of the key, or the zero Secret for the zero
// Key.
func (k Key) Secret() Secret { return k.secret }

// Params returns the parameters of the key, with defaults filled in.
func (k Key) Params() Params { return k.params.WithDefaults() }

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.secret.IsZero() }

// Step returns the time step of t, which is T in RFC 6238, section 4.2, counted
// from the Unix epoch: floor(unix seconds / period). Steps before 1970 are
// negative. The zero Key has the default period.
func (k Key) Step(t time.Time) int64 {
	unix, period := t.Unix(), k.period()
	step := unix / period
	if unix%period < 0 {
		step--
	}
	return step
}

// StepTime returns the time at which the step begins, in UTC. For a step
// outside the range of [time.Time] it returns the time of the nearest step
// inside.
func (k Key) StepTime(step int64) time.Time {
	period := k.period()
	step = max(step, math.MinInt64/period)
	step = min(step, (math.MaxInt64-year1)/period)
	return time.Unix(step*period, 0).UTC()
}

// year1 is the number of seconds between the epochs of time.Time and Unix.
// time.Unix adds it, and must not overflow.
const year1 = 62_135_596_800

// Code returns the code that an authenticator shows at time t. It is for tests and for
// programs that act as an authenticator. A verifier calls [Key.Check] and must never
// send or show the result of Code. Code returns [ErrSecret] for the zero Key,
// [ErrNotApproved] if the Go runtime refuses the key, and an error for times before 1970.
func (k Key) Code(t time.Time) (string, error) {
	if k.IsZero() {
		return "", errZeroKey
	}
	step := k.Step(t)
	if step < 0 {
		return "", fmt.Errorf("making a code: %w", errBefore)
	}
	mac, err := k.newMAC()
	if err != nil {
		return "", fmt.Errorf("making a code: %w", err)
	}
	h := hotp{mac: mac, digits: k.params.Digits}
	v := h.at(step)
	text := make([]byte, h.digits)
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = '0' + byte(v%10)
		v /= 10
	}
	return string(text), nil
}

// Check returns the time step that the code belongs to, if the code is right at
// time t and was not used before (RFC 6238, section 5.2).
//
// The input is the text that the user typed; see [Normalize]. The argument last
// is the highest step that was ever accepted for this key, or 0 if there is
// none. Check accepts no step at or below last, and none at or below 0. It
// looks at the step of t and at [LookAround] steps on both sides. If the code
// belongs to several of them, Check returns the highest, so that storing it as
// the new last uses up all of them. [Key.CheckWithin] accepts fewer steps.
//
// If Check returns an error, the step is 0. The errors are:
//
//   - [ErrMalformed], if the input is not a code;
//   - [ErrReplayed], which also matches [ErrWrong], if the code belongs only to
//     steps at or below last;
//   - [ErrWrong], if it belongs to no step in the window, or does not have as
//     many digits as the codes of this key;
//   - [ErrSecret] for the zero Key;
//   - [ErrNotApproved], if the Go runtime refuses the key. The code was not checked.
//
// Before the caller accepts the code, it must store the step, with a write that
// fails if another request has changed the stored step. The caller must also
// limit how often it calls Check: one guess at six digits is right with a
// probability of three in a million.
//
// Check does the same work whichever steps match: three HMACs and three
// comparisons in constant time. Any t is allowed. Before 1970 nothing matches.
func (k Key) Check(input string, t time.Time, last int64) (step int64, err error) {
	return k.CheckWithin(LookBothWays, input, t, last)
}

// CheckWithin is [Key.Check] with a window of fewer steps. The work and the errors
// are those of Check. A code that was used before is [ErrReplayed] even if its step
// is outside the window, but within [LookAround] steps: it is not a guess. Any
// other code outside the window is [ErrWrong]. CheckWithin returns [ErrParams] if
// the window is not a defined one.
func (k Key) CheckWithin(w Window, input string, t time.Time, last int64) (step int64, err error) {
	if err := w.Validate(); err != nil {
		return 0, err
	}
	if k.IsZero() {
		return 0, errZeroKey
	}
	typed, err := parseCode(input)
	if err != nil {
		return 0, err
	}
	mac, err := k.newMAC()
	if err != nil {
		return 0, fmt.Errorf("checking a code: %w", err)
	}
	return k.check(mac, w, typed, k.Step(t), last)
}

// check is CheckWithin with the HMAC of the key as an argument, so that tests can
// count the work.
func (k Key) check(mac hash.Hash, w Window, typed code, current, last int64) (int64, error) {
	const steps = 2*LookAround + 1
	h := hotp{mac: mac, digits: k.params.Digits}
	first := current - LookAround
	var matched uint // bit i stands for step first+i
	for i := range int64(steps) {
		matched |= uint(h.matches(first+i, typed)) << i
	}

	// These branches depend only on the answer, which the caller learns anyway.
	// The highest match in the window decides: if it is used up, so are the others.
	for i := int64(steps - 1); i >= 0; i-- {
		step := first + i
		switch {
		case matched>>i&1 == 0 || step <= 0:
		case step <= last:
			return 0, ErrReplayed
		case !w.accepts(i - LookAround):
		default:
			return step, nil
		}
	}
	return 0, ErrWrong
}

// period returns the length of a time step in seconds.
func (k Key) period() int64 { return int64(k.Params().Period / time.Second) }

// newMAC returns the HMAC of the key. hmac.New panics if the Go runtime refuses the
// algorithm or the size. That is the only panic possible here, and newMAC turns it into
// an error.
func (k Key) newMAC() (mac hash.Hash, err error) {
	defer func() {
		if recover() != nil {
			mac, err = nil, ErrNotApproved
		}
	}()
	return hmac.New(algorithmHashes[k.params.Algorithm], k.secret.bytes()), nil
}

// hotp is the function of RFC 4226, section 5.3. It uses one HMAC for all steps,
// because making an HMAC costs more than using it.
type hotp struct {
	mac    hash.Hash
	digits int
	buf    [sha512.Size]byte
}

// matches returns 1 if the code is the code of the step, and 0 otherwise. Its
// time depends on neither.
func (h *hotp) matches(step int64, c code) int {
	length := subtle.ConstantTimeEq(int32(c.n), int32(h.digits))
	return length & subtle.ConstantTimeEq(c.value(), h.at(step))
}

// at returns the HOTP value of the step as a number.
func (h *hotp) at(step int64) int32 {
	counter := h.buf[:8]
	binary.BigEndian.PutUint64(counter, uint64(step))
	h.mac.Reset()
	h.mac.Write(counter)
	sum := h.mac.Sum(h.buf[:0])

	offset := sum[len(sum)-1] & 0xf
	value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff

	// The divisors are constants, so that the compiler uses no division
	// instruction. The time of one can depend on the value.
	switch h.digits {
	case 6:
		value %= 1e6
	case 7:
		value %= 1e7
	default:
		value %= 1e8
	}
	return int32(value)
}
