package model

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Limits that the operator fits: the rules, and how they change with the
// configuration.

type modelLimits struct {
	apps, devices, messages int
	trust                   time.Duration
	behind, ahead           bool      // which neighbours of the current step count
	short                   time.Time // until when short secrets sign in
}

// limit configures limits, more often than not those that there are by default. That
// of messages stays for the whole sequence, since what a day may bring is checked
// apart from the model.
func (r *modelRun) limit(c *enrollment.Config) {
	if r.limits.messages == 0 {
		r.limits.messages = 5
		if r.chance(3) {
			r.limits.messages = 1 + r.rng.IntN(10)
		}
	}
	c.MaxMessages = r.limits.messages
	c.ShortSecretsUntil = r.shortUntil()
	r.limits = modelLimits{short: c.ShortSecretsUntil, apps: 3, devices: 5, messages: r.limits.messages, trust: 30 * modelDay, behind: true, ahead: true}
	c.MaxAuthenticators, c.MaxDevices, c.DeviceTTL, c.Window = 0, 0, 0, 0
	if !r.chance(3) {
		return
	}
	c.MaxAuthenticators = 1 + r.rng.IntN(3)
	c.MaxDevices = []int{-7, -1, 1, 2, 7, 10}[r.rng.IntN(6)]
	c.DeviceTTL = []time.Duration{time.Hour, 36*time.Hour + 7, 90 * modelDay}[r.rng.IntN(3)]
	c.Window = totp.Window(r.rng.IntN(4))
	r.limits = modelLimits{
		short: c.ShortSecretsUntil, apps: c.MaxAuthenticators, devices: max(0, c.MaxDevices), messages: r.limits.messages,
		trust:  c.DeviceTTL.Truncate(time.Microsecond),
		behind: c.Window == totp.LookBothWays || c.Window == totp.LookBehind,
		ahead:  c.Window == totp.LookBothWays || c.Window == totp.LookAhead,
	}
}

// accepts reports whether codes of the step at that distance from the current one
// are right.
func (l modelLimits) accepts(distance int64) bool {
	return distance == 0 || distance == 1 && l.ahead || distance == -1 && l.behind
}
