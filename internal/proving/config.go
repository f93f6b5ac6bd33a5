package proving

import "github.com/seed-1b6a03a1/twofactor/enrollment"

// What a configuration is adjusted by.

// ReplenishCodes replaces each recovery code that is used.
func ReplenishCodes(c *enrollment.Config) { c.ReplenishCodes = true }

// KeepCodes keeps recovery codes, to be shown again.
func KeepCodes(c *enrollment.Config) { c.KeepCodes = true }

// CodesAtSetup shows recovery codes with a setup.
func CodesAtSetup(c *enrollment.Config) { c.CodesAtSetup = true }

// AddressAlone lets an address be all that an account has.
func AddressAlone(c *enrollment.Config) { c.AddressAlone = true }
