package totp

import (
	"hash"
	"time"
)

// MAC returns the HMAC that a check of the key works with.
func (k Key) MAC() (hash.Hash, error) { return k.newMAC() }

// CheckWith is CheckWithin with that HMAC replaced, to count the work.
func (k Key) CheckWith(mac hash.Hash, w Window, input string, t time.Time, last int64) (int64, error) {
	typed, err := parseCode(input)
	if err != nil {
		return 0, err
	}
	return k.check(mac, w, typed, k.Step(t), last)
}

// ClockOffsetWith is ClockOffset with that HMAC replaced, to count the work.
func (k Key) ClockOffsetWith(mac hash.Hash, input string, t time.Time) (time.Duration, error) {
	typed, err := parseCode(input)
	if err != nil {
		return 0, err
	}
	return k.clockOffset(mac, typed, k.Step(t))
}

// CheckConsecutiveWith is CheckConsecutive with that HMAC replaced, to count the
// work.
func (k Key) CheckConsecutiveWith(mac hash.Hash, inputs [Consecutive]string, t time.Time, last int64) (int64, error) {
	var codes [Consecutive]code
	for i, input := range inputs {
		var err error
		if codes[i], err = parseCode(input); err != nil {
			return 0, err
		}
	}
	return k.checkConsecutive(mac, codes, k.Step(t), last)
}
