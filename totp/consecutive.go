package totp

import (
	"crypto/subtle"
	"fmt"
	"hash"
	"time"
)

// Consecutive is how many codes [Key.CheckConsecutive] takes.
const Consecutive = 3

// ErrNearMiss says that exactly two of three codes were right at one place, and
// that the last of the three was not used. It also matches [ErrWrong], and the person
// who typed the codes must not be told the difference.
var ErrNearMiss error = nearMiss{}

type nearMiss struct{}

func (nearMiss) Error() string        { return "totp: two of three codes are right" }
func (nearMiss) Is(target error) bool { return target == ErrWrong }

// CheckConsecutive checks three codes that the authenticator showed one after the
// other, and returns the time step of the last one. It finds them even if the clock
// of the authenticator is wrong by up to [MaxClockOffset]: the last code can belong
// to any step that begins within that time of the step of t. With a period of 30
// seconds these are 41 steps, so three guesses at six digits are right with a
// chance of 41 in 10¹⁸.
//
// The argument last is the highest step that was ever accepted for this key, or 0
// if there is none. No step at or below last is accepted, so the first of the three
// codes has to be of a later one. If the codes belong to several places,
// CheckConsecutive takes the latest.
//
// It returns the step of the last code also with two of the errors:
//
//   - [ErrReplayed], which also matches ErrWrong: the codes are right, but at least
//     the first of them was used before.
//   - [ErrNearMiss], which also matches ErrWrong: exactly two of the codes are right.
//     Some authenticators show the next code beside the present one. Somebody who
//     sees the screen knows two codes and can guess the third, and if the first one
//     was used, ErrReplayed confirms a right guess. So count these errors, and after
//     a few store the returned step as used.
//
// The other errors are those of [Key.Check]: ErrMalformed if one of the inputs is
// not a code, and ErrWrong if they are not as long as the codes of this key. As
// with Check, store the step before you accept the codes.
//
// The work depends only on the period: one HMAC and three comparisons in constant
// time for each step. Before 1970 nothing matches.
func (k Key) CheckConsecutive(inputs [Consecutive]string, t time.Time, last int64) (step int64, err error) {
	if k.IsZero() {
		return 0, errZeroKey
	}
	var codes [Consecutive]code
	for i, input := range inputs {
		if codes[i], err = parseCode(input); err != nil {
			return 0, err
		}
	}
	mac, err := k.newMAC()
	if err != nil {
		return 0, fmt.Errorf("checking consecutive codes: %w", err)
	}
	return k.checkConsecutive(mac, codes, k.Step(t), last)
}

// checkConsecutive is CheckConsecutive with the HMAC of the key as an argument, so
// that tests can count the work.
func (k Key) checkConsecutive(mac hash.Hash, codes [Consecutive]code, current, last int64) (int64, error) {
	h := hotp{mac: mac, digits: k.params.Digits}
	around := int(MaxClockOffset / k.params.Period)

	// What has matched at the step before, and at the one before that.
	var first, firstBefore, second int
	var right, used, near place
	for distance := -around - (Consecutive - 1); distance <= around; distance++ {
		step := current + int64(distance)
		matches := h.matchesEach(step, codes)
		if current < 0 || step <= 0 { // not secret
			matches = [Consecutive]int{}
		}
		if distance >= -around {
			found := firstBefore + second + matches[2]
			all := subtle.ConstantTimeEq(int32(found), Consecutive)
			unused, open := 0, 0             // all of the codes, and the last of them
			if step-(Consecutive-1) > last { // not secret
				unused = 1
			}
			if step > last {
				open = 1
			}
			right.note(distance, all&unused)
			used.note(distance, all&(1-unused))
			near.note(distance, open&subtle.ConstantTimeEq(int32(found), Consecutive-1))
		}
		firstBefore, first, second = first, matches[0], matches[1]
	}
	switch {
	case right.found == 1:
		return current + int64(right.distance), nil
	case used.found == 1:
		return current + int64(used.distance), ErrReplayed
	case near.found == 1:
		return current + int64(near.distance), ErrNearMiss
	}
	return 0, ErrWrong
}

// matchesEach is matches for several codes, with one HMAC for all of them.
func (h *hotp) matchesEach(step int64, codes [Consecutive]code) (matches [Consecutive]int) {
	value := h.at(step)
	for i, c := range codes {
		length := subtle.ConstantTimeEq(int32(c.n), int32(h.digits))
		matches[i] = length & subtle.ConstantTimeEq(c.value(), value)
	}
	return matches
}

// A place is where three codes end, as a distance from the current step.
type place struct{ found, distance int }

// note makes the distance the place's if match is 1. Its time depends on neither.
func (p *place) note(distance, match int) {
	p.found |= match
	p.distance = subtle.ConstantTimeSelect(match, distance, p.distance)
}
