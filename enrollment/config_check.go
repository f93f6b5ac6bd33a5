package enrollment

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-1b6a03a1/twofactor/internal/account"
	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// Bounds and defaults of a [Config], as they stand at its fields.
const (
	maxNamespace = 64 // bytes

	defaultSetupTTL = 15 * time.Minute
	minSetupTTL     = time.Minute
	maxSetupTTL     = account.MaxSetupTTL

	defaultMaxBypass = 24 * time.Hour
	maxMaxBypass     = 7 * 24 * time.Hour

	defaultResetWait = 3 * 24 * time.Hour
	minResetWait     = 24 * time.Hour
	maxResetWait     = 30 * 24 * time.Hour
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

// complete fills in defaults and checks what was given.
func (c *Config) complete() error {
	if c.RecoveryCodes == 0 {
		c.RecoveryCodes = recovery.DefaultCount
	}
	if c.SetupTTL == 0 {
		c.SetupTTL = defaultSetupTTL
	}
	if c.MaxBypass == 0 {
		c.MaxBypass = defaultMaxBypass
	}
	if c.ResetWait == 0 {
		c.ResetWait = defaultResetWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	c.Params = c.Params.WithDefaults()
	c.completeLimits()

	if err := (totp.Label{Issuer: c.Issuer, Account: "account"}).Validate(); err != nil {
		return fmt.Errorf("enrollment: Config.Issuer: %w", err)
	}
	if err := c.Params.Validate(); err != nil {
		return fmt.Errorf("enrollment: Config.Params: %w", err)
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	switch {
	case len(c.Namespace) > maxNamespace:
		return fmt.Errorf("enrollment: Config.Namespace is longer than %d bytes", maxNamespace)
	case c.RecoveryCodes < recovery.MinCount || c.RecoveryCodes > recovery.MaxCount:
		return fmt.Errorf("enrollment: Config.RecoveryCodes is outside %d..%d", recovery.MinCount, recovery.MaxCount)
	case c.RecoveryScheme != recovery.Argon2id && c.RecoveryScheme != recovery.Fast:
		return errors.New("enrollment: Config.RecoveryScheme is not a defined scheme")
	case c.SetupTTL < minSetupTTL || c.SetupTTL > maxSetupTTL:
		return fmt.Errorf("enrollment: Config.SetupTTL is outside %v..%v", minSetupTTL, maxSetupTTL)
	case c.MaxBypass < 0 || c.MaxBypass > maxMaxBypass:
		return fmt.Errorf("enrollment: Config.MaxBypass is outside 0..%v", maxMaxBypass)
	case c.ResetWait < minResetWait || c.ResetWait > maxResetWait:
		return fmt.Errorf("enrollment: Config.ResetWait is outside %v..%v", minResetWait, maxResetWait)
	case c.AutoReset && c.Notify == nil:
		return errors.New("enrollment: Config.AutoReset is set without Config.Notify: the owner would not hear of a reset")
	}
	return c.approve()
}

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

// approve returns an error that says what to choose instead if the Go runtime
// enforces FIPS 140-3 and would refuse what was configured.
func (c *Config) approve() error {
	switch {
	case !fips.Enforced():
		return nil
	case c.AllowSHA1 && !fips.Exempts:
		return errors.New("enrollment: Config.AllowSHA1: the Go runtime enforces FIPS 140-3, and makes no exception before Go 1.26: " +
			"build with a later release, or use totp.SHA256 or totp.SHA512 in Config.Params with apps that make such codes")
	case c.Params.Algorithm == totp.SHA1 && !c.AllowSHA1:
		return errors.New("enrollment: Config.Params: the Go runtime enforces FIPS 140-3 and refuses SHA-1: " +
			"set Config.AllowSHA1, or use totp.SHA256 or totp.SHA512 with apps that make such codes, which most do not")
	case c.RecoveryScheme == recovery.Argon2id:
		return errors.New("enrollment: Config.RecoveryScheme: the Go runtime enforces FIPS 140-3, which does not approve Argon2id: " +
			"use recovery.Fast")
	}
	return nil
}
