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

// LookAround is how many time steps before and after the current one
// [Key.Check] accepts. RFC 6238, section 5.2, recommends at most one step for
// the delay of the network; the other side serves clocks that run ahead.
// Nothing widens it.
const LookAround = 1

// Answers of [Key.Check] to a code that it does not accept. [ErrMalformed] is
// the third. [ErrNotApproved] is none.
var (
	// ErrWrong says that the code belongs to none of the steps looked at.
	ErrWrong = errors.New("totp: wrong code")

	// ErrReplayed says that the code is right but was used: every step that it
	// belongs to is at or below the last used one. It matches [ErrWrong] as
	// well, so that whoever does not care need not know. Only someone who had
	// the code gets this answer, which makes it safe to tell the user to wait
	// for the next one.
	ErrReplayed error = replayed{}

	// ErrNotApproved says that the Go runtime refuses the algorithm of the key,
	// as it does SHA-1 under GODEBUG=fips140=only. Nothing was computed: it
	// says nothing about the code.
	ErrNotApproved = errors.New("totp: the Go runtime refuses the algorithm of the key, as it does SHA-1 under GODEBUG=fips140=only")
)

type replayed struct{}

func (replayed) Error() string        { return "totp: code already used" }
func (replayed) Is(target error) bool { return target == ErrWrong }

var (
	errZeroKey = fmt.Errorf("%w: the key is the zero Key", ErrSecret)
	errBefore  = errors.New("the time is before 1970")
)

// A Key is a [Secret] with the valid [Params] that its authenticator was set up
// with: all that is needed to make and to check codes.
//
// The zero Key makes no codes and accepts none; its methods that can fail
// return [ErrSecret].
//
// A Key is immutable and safe for concurrent use. It prints, logs and formats
// as a placeholder, and encoding it as JSON or text is an error.
type Key struct {
	redacted
	secret Secret
	params Params // complete and valid, except in the zero Key
}

// NewKey returns the key of a secret with these parameters, of which zero
// fields take their defaults. It returns [ErrSecret] for the zero Secret, and
// [ErrParams] for parameters that [Params.Validate] refuses.
func NewKey(s Secret, p Params) (Key, error) {
	if s.IsZero() {
		return Key{}, fmt.Errorf("%w: it is the zero Secret", ErrSecret)
	}
	if err := p.Validate(); err != nil {
		return Key{}, err
	}
	return Key{secret: s, params: p.WithDefaults()}, nil
}

// Secret returns the shared secret of the key, or the zero Secret for the zero
// Key.
func (k Key) Secret() Secret { return k.secret }

// Params returns the parameters of the key with the defaults filled in.
func (k Key) Params() Params { return k.params.WithDefaults() }

// IsZero reports whether k is the zero Key, which holds no secret.
func (k Key) IsZero() bool { return k.secret.IsZero() }

// Step returns the time step that t falls into: T of RFC 6238, section 4.2, with
// T0 at the Unix epoch, floor(unix seconds / period). Steps before 1970 are
// negative. The zero Key has the default period.
func (k Key) Step(t time.Time) int64 {
	unix, period := t.Unix(), k.period()
	step := unix / period
	if unix%period < 0 {
		step--
	}
	return step
}

// StepTime returns when the step begins, in UTC. For steps beyond what a
// [time.Time] can hold it returns when the first or the last within begins.
func (k Key) StepTime(step int64) time.Time {
	period := k.period()
	step = max(step, math.MinInt64/period)
	step = min(step, (math.MaxInt64-year1)/period)
	return time.Unix(step*period, 0).UTC()
}

// year1 is the distance between the epochs of time.Time and of Unix, in
// seconds. Adding it is what would overflow inside time.Unix.
const year1 = 62_135_596_800

// Code returns the code that an authenticator shows at time t. It is for tests
// and for tools that stand in for an authenticator; a verifier calls
// [Key.Check], and never sends or shows what Code returns. It returns
// [ErrSecret] for the zero Key, [ErrNotApproved] where the Go runtime refuses
// the algorithm, and an error for times before 1970.
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

// Check returns the time step that a code belongs to, if the code is right at
// time t and was not used before (RFC 6238, section 5.2).
//
// The input is what the user typed; [Normalize] tells how it is read. The
// argument last is the highest step that was ever accepted for this key, and 0
// if none was: a step at or below it never succeeds, and neither does a step at
// or below 0. Looked at are the step of t and [LookAround] steps on either
// side. If the code belongs to more than one of them, Check returns the
// highest, so that keeping it as the new last burns them all.
//
// When it returns an error, the step is 0. The error is
//
//   - [ErrMalformed] if the input is not a code at all,
//   - [ErrReplayed], which matches [ErrWrong], if the code belongs only to
//     steps that are used up,
//   - [ErrWrong] if it belongs to none of the steps, or has another number of
//     digits than the key,
//   - [ErrSecret] for the zero Key, and [ErrNotApproved] if the Go runtime is
//     configured to refuse the algorithm. Neither says anything about the
//     code.
//
// The caller must keep the returned step before it treats the code as accepted,
// in a write that fails if somebody else's came first, and must limit how often
// Check answers: a guess of six digits is right with a chance of three in a
// million.
//
// The work is the same whichever steps match, if any: three HMACs and three
// comparisons in constant time. Any t is allowed. When the clock is before
// 1970, nothing matches.
func (k Key) Check(input string, t time.Time, last int64) (step int64, err error) {
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
	return k.check(mac, typed, k.Step(t), last)
}

// check is Check with the HMAC of the key as an argument, for tests to count
// what is done with it.
func (k Key) check(mac hash.Hash, typed code, current, last int64) (int64, error) {
	const steps = 2*LookAround + 1
	h := hotp{mac: mac, digits: k.params.Digits}
	first := current - LookAround
	var matched uint // bit i stands for step first+i
	for i := range int64(steps) {
		matched |= uint(h.matches(first+i, typed)) << i
	}

	// From here on the branches follow the answer, which the caller learns
	// anyway. The highest match decides: if it is used up, so are all others.
	for i := int64(steps - 1); i >= 0; i-- {
		step := first + i
		switch {
		case matched>>i&1 == 0 || step <= 0:
		case step <= last:
			return 0, ErrReplayed
		default:
			return step, nil
		}
	}
	return 0, ErrWrong
}

// period returns the time step in seconds.
func (k Key) period() int64 { return int64(k.Params().Period / time.Second) }

// newMAC returns the HMAC of the key. Its recover is for the one reason that
// hmac.New has to panic here: a policy of the Go runtime about the algorithm,
// which must not take down the request of whoever signs in.
func (k Key) newMAC() (mac hash.Hash, err error) {
	defer func() {
		if recover() != nil {
			mac, err = nil, ErrNotApproved
		}
	}()
	return hmac.New(algorithmHashes[k.params.Algorithm], k.secret.bytes()), nil
}

// hotp is the function of RFC 4226, section 5.3, over one HMAC that is reset
// between steps: keying it costs more than using it.
type hotp struct {
	mac    hash.Hash
	digits int
	buf    [sha512.Size]byte
}

// matches returns 1 if the code is the one of the step, and 0 otherwise, in
// time that depends on neither.
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

	// Constant divisors, so that no division instruction, whose time can
	// depend on its operands, sees the value.
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
