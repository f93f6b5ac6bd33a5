package account

import (
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Bounds of [Limits], and what they are where the application does not say. An encoded
// account may hold as much as the bounds allow, whatever the limits are now: they may
// have been higher, and another node's may be.
const (
	MaxAuthenticators = 3

	MaxDevices     = 10
	DefaultDevices = 5

	MinDeviceTTL     = time.Hour
	MaxDeviceTTL     = 90 * 24 * time.Hour
	DefaultDeviceTTL = 30 * 24 * time.Hour

	MaxMessages     = 10
	DefaultMessages = 5
)

// Limits are what the application has fitted to its users. They hold back what would be
// added, and take nothing away: an account keeps what it has.
type Limits struct {
	Authenticators int           // of an account
	Devices        int           // that are trusted; 0 for no trust in any
	DeviceTTL      time.Duration // how long trust lasts that is given now
	Messages       int           // in a MessageWindow
	Window         totp.Window   // of the time steps whose codes are right
	ShortUntil     time.Time     // until when short secrets sign in; zero if none is taken over
}

// DefaultLimits are the limits where the application sets none.
func DefaultLimits() Limits {
	return Limits{
		Authenticators: MaxAuthenticators,
		Devices:        DefaultDevices,
		DeviceTTL:      DefaultDeviceTTL,
		Messages:       DefaultMessages,
	}
}
