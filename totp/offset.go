package totp

import (
	"crypto/subtle"
	"fmt"
	"hash"
	"time"
)

// MaxClockOffset is how wrong the clock of an authenticator may be for
// [Key.ClockOffset] to measure it.
const MaxClockOffset = 10 * time.Minute

// ClockOffset returns how far the authenticator's clock is ahead of t, or, if
// negative, behind it, judging by the code it shows: a multiple of the period,
// 0 if the code is the one of the current step. The code is sought in all steps
// whose beginnings lie within [MaxClockOffset] of the current step's. If it
// belongs to several, the nearest counts, and of two equally near the earlier.
//
// It is for enrolment only, where the user has the secret on the screen, to say
// "your phone is four minutes slow" instead of "wrong code". It is no check: it
// takes 41 codes for right with the default period, keeps no track of used
// ones, and its answer must never sign anybody in, nor widen the window of
// [Key.Check] later. Limit how often it answers as well.
//
// It returns [ErrMalformed] if [Normalize] refuses the input, [ErrWrong] if the
// code belongs to none of the steps or has another number of digits than the
// key, and otherwise the errors of Key.Check. The work depends on the period
// only, whichever steps match. When the clock is before 1970, nothing matches.
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

// clockOffset is ClockOffset with the HMAC of the key as an argument, for tests
// to count what is done with it.
func (k Key) clockOffset(mac hash.Hash, typed code, current int64) (time.Duration, error) {
	h := hotp{mac: mac, digits: k.params.Digits}
	found, nearest := 0, 0
	look := func(distance int) {
		step := current + int64(distance)
		match := h.matches(step, typed)
		if current < 0 || step <= 0 { // neither is a secret
			match = 0
		}
		found |= match
		nearest = subtle.ConstantTimeSelect(match, distance, nearest)
	}
	// From the outside in, so that the nearest match is the last to be kept.
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
