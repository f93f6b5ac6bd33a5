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
