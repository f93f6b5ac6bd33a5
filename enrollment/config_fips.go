package enrollment

import (
	"errors"

	"github.com/seed-1b6a03a1/twofactor/internal/fips"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

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
