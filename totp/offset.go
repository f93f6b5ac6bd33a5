package totp

import (
	"crypto/subtle"
	"fmt"
	"hash"
	"time"
)

// MaxClockOffset is the largest offset that [Key.ClockOffset] measures.
const MaxClockOffset = 10 * time.Minute

// ClockOffset estimates from a code how far the authenticator's clock is ahead
// of t, or behind it if the result is negative. The result is a multiple of the
// period, and 0 if the code belongs to the step of t. ClockOffset looks at all
// steps that begin within [MaxClockOffset] of the current step. If the code
// belongs to several of them, it takes the nearest, and the earlier of two that
// are equally near.
//
// Call it only at enrolment, where the user can see the secret anyway, to say
// "your phone is four minutes slow" instead of "wrong code". It is not a check
// of the code: with the default period it accepts 41 codes, and it does not
// know which codes were used. Never sign anybody in because of its result, and
// do not use it to widen the window of [Key.Check]. Limit how often you call it.
//
// It returns [ErrMalformed] if [Normalize] refuses the input, and [ErrWrong] if
// the code belongs to none of the steps or does not have as many digits as the
// codes of this key. It returns [ErrSecret] and [ErrNotApproved] as Check does.
// The work depends only on the period. Before 1970 nothing matches.
func (k Key) ClockOffset(input string, t time.Time) (time.Duration, error) {
	if k.IsZero() {
		return 0, errZeroKey
	}
	typed, err := parseCode(input)
	if err != nil {
		return 0, err
	}
	mac, err := k.newMAC()
	if err != nil {
		return 0, fmt.Errorf("measuring a clock: %w", err)
	}
	return k.clockOffset(mac, typed, k.Step(t))
}

// clockOffset is ClockOffset with the HMAC of the key as an argument, so that
// tests can count the work.
func (k Key) clockOffset(mac hash.Hash, typed code, current int64) (time.Duration, error) {
	h := hotp{mac: mac, digits: k.params.Digits}
	found, nearest := 0, 0
	look := func(distance int) {
		step := current + int64(distance)
		match := h.matches(step, typed)
		if current < 0 || step <= 0 { // not secret
			match = 0
		}
		found |= match
		nearest = subtle.ConstantTimeSelect(match, distance, nearest)
	}
	// The nearest steps come last, so that the nearest match is kept.
	for d := int(MaxClockOffset / k.params.Period); d > 0; d-- {
		look(d)
		look(-d)
	}
	look(0)
	if found == 0 {
		return 0, ErrWrong
	}
	return time.Duration(nearest) * k.params.Period, nil
}
