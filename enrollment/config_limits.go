package enrollment

import (
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
)

const (
	// MaxAuthenticators is how many authenticators an account has at most: 3.
	// Config.MaxAuthenticators can be lower.
	MaxAuthenticators = 3

	// DefaultMaxDevices is the default of Config.MaxDevices: 5.
	DefaultMaxDevices = account.DefaultDevices

	// DefaultDeviceTTL is the default of Config.DeviceTTL: 30 days.
	DefaultDeviceTTL = account.DefaultDeviceTTL

	// DefaultMaxMessages is the default of Config.MaxMessages: 5.
	DefaultMaxMessages = account.DefaultMessages
)

// This does not compile if the limit above, of type int, is another one than the
// account's.
var _ = [1]struct{}{}[MaxAuthenticators-account.MaxAuthenticators]

// completeLimits fills in defaults.
func (c *Config) completeLimits() {
	if c.MaxAuthenticators == 0 {
		c.MaxAuthenticators = MaxAuthenticators
	}
	if c.MaxDevices == 0 {
		c.MaxDevices = DefaultMaxDevices
	}
	if c.DeviceTTL == 0 {
		c.DeviceTTL = DefaultDeviceTTL
	}
	if c.MaxMessages == 0 {
		c.MaxMessages = DefaultMaxMessages
	}
}

// checkLimits returns an error that names the field that is out of bounds.
func (c *Config) checkLimits() error {
	if err := c.Window.Validate(); err != nil {
		return fmt.Errorf("enrollment: Config.Window: %w", err)
	}
	switch {
	case c.MaxAuthenticators < 1 || c.MaxAuthenticators > MaxAuthenticators:
		return fmt.Errorf("enrollment: Config.MaxAuthenticators is outside 1..%d", MaxAuthenticators)
	case c.MaxDevices > account.MaxDevices:
		return fmt.Errorf("enrollment: Config.MaxDevices is above %d", account.MaxDevices)
	case c.DeviceTTL < account.MinDeviceTTL || c.DeviceTTL > account.MaxDeviceTTL:
		return fmt.Errorf("enrollment: Config.DeviceTTL is outside %v..%v", account.MinDeviceTTL, account.MaxDeviceTTL)
	case c.MaxMessages < 1 || c.MaxMessages > account.MaxMessages:
		return fmt.Errorf("enrollment: Config.MaxMessages is outside 1..%d", account.MaxMessages)
	}
	return nil
}

// limits returns the limits as an account takes them.
func (c *Config) limits() account.Limits {
	return account.Limits{
		Authenticators: c.MaxAuthenticators,
		Devices:        max(c.MaxDevices, 0),
		DeviceTTL:      c.DeviceTTL.Truncate(time.Microsecond),
		Messages:       c.MaxMessages,
		Window:         c.Window,
		ShortUntil:     c.ShortSecretsUntil,
	}
}
